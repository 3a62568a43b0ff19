"""The inbound side: what listens on 8021."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from eslbridge.simulator.commands import CommandPeer
from eslbridge.simulator.peer import Command

if TYPE_CHECKING:
    from eslbridge.simulator.switch import StandInSwitch

LOGIN_S = 25.0


class InboundPeer(CommandPeer):
    """A client that connected to us: greeting, one try at the password, then commands."""

    def __init__(self, switch: StandInSwitch) -> None:
        super().__init__(switch)
        self.authed = False
        self.command_count = 0
        self._deadline: asyncio.TimerHandle | None = None

    def opened(self) -> None:
        faults = self.switch.faults
        self.switch.peers.add(self)
        if faults.refuse_login:
            self.reset()
        elif faults.rude:
            rude = b"Access Denied, go away.\n"
            self.write(b"Content-Type: text/rude-rejection\nContent-Length: %d\n\n" % len(rude) + rude)
            self.disconnect()
        elif not faults.silent_login:
            self.write(b"Content-Type: auth/request\n\n")
            self._deadline = self.switch.later(LOGIN_S, self._login_late)

    def _login_late(self) -> None:
        if not self.authed:
            self.disconnect()

    async def handle(self, command: Command) -> None:
        faults = self.switch.faults
        if faults.silent_login:
            return
        self.command_count += 1
        if faults.die_after_commands is not None and self.command_count > faults.die_after_commands:
            self.reset()
            return
        if self.authed:
            await self.run_command(command)
            return
        word, _, rest = command.line.partition(" ")
        if word.lower().startswith("exit"):
            self.reply("+OK bye")
            self.disconnect()
        elif word.lower() == "auth" and rest == self.switch.options.password:
            self.authed = True
            self.reply("+OK accepted")
        elif word.lower() in {"auth", "userauth"}:
            self.reply("-ERR invalid")
            self.disconnect()
        else:
            self.reply("-ERR command not found")

    def gone(self) -> None:
        self.switch.peers.discard(self)
        if self._deadline is not None:
            self._deadline.cancel()
        if self.session is not None and self in self.session.listeners:
            self.session.listeners.remove(self)
