"""What the ESL commands do, on inbound and outbound connections alike. Replies are as recorded from FreeSWITCH 1.11."""

from __future__ import annotations

import re
import uuid as uuids
from typing import TYPE_CHECKING

from eslbridge.simulator.events import Event, Headers
from eslbridge.simulator.peer import Command, EslPeer
from eslbridge.simulator.subscription import MY_EVENTS

if TYPE_CHECKING:
    from eslbridge.simulator.channel import Channel
    from eslbridge.simulator.switch import StandInSwitch

_MODULE_CHEAT = re.compile(r"reload|unload", re.IGNORECASE)


class CommandPeer(EslPeer):
    """A connection with the command set. `session` is the channel it controls, if any."""

    def __init__(self, switch: StandInSwitch) -> None:
        super().__init__(switch.options.event_queue)
        self.switch = switch
        self.session: Channel | None = None
        self.outbound = False
        self.full = True
        self.linger_s: int | None = None
        """None: no linger; -1: for ever; else seconds."""
        self._my_events = False

    async def run_command(self, command: Command) -> None:
        """Everything after authentication."""
        line = command.line
        if _MODULE_CHEAT.search(line) and "mod_event_socket" in line.lower():
            # FreeSWITCH rewrites any such text into a reload of the module, which cuts every ESL connection.
            self.switch.cut_all_connections()
            return
        word, _, rest = line.partition(" ")
        word = word.lower()
        if line.lower().startswith(("exit", "...")):
            self.reply("+OK bye")
            self.disconnect()
        elif word == "filter":
            self._filter(rest)
        elif word == "resume" and self.session is not None:
            self.session.variables["socket_resume"] = "true"
            self.reply("+OK")
        elif word == "getvar" and self.session is not None:
            self.reply(self.session.variable(rest.strip()))
        elif word == "myevents" and (self.session is not None or rest):
            self._my_events_command(rest.split())
        elif word == "divert_events":
            self._divert(rest.strip())
        elif word == "sendmsg":
            self._sendmsg(rest.strip(), command)
        elif self.outbound and not self.full:
            self.reply("-ERR command not found")
        else:
            await self._full_command(word, rest, command)

    async def _full_command(self, word: str, rest: str, command: Command) -> None:
        if word == "api":
            await self._api(rest)
        elif word == "bgapi":
            self._bgapi(rest, command)
        elif word == "event":
            known = self.subscription.subscribe(rest.split())
            form = self.subscription.form
            self.reply(f"+OK event listener enabled {form}" if known else "-ERR no keywords supplied")
        elif word == "nixevent":
            known = self.subscription.unsubscribe(rest.split())
            self.reply("+OK events nixed" if known else "-ERR no keywords supplied")
        elif word == "noevents":
            was = self.subscription.clear()
            self.reply("+OK no longer listening for events" if was else "-ERR not listening for events")
        elif word in {"linger", "nolinger"}:
            self._linger(word, rest.strip())
        elif word == "sendevent":
            self._sendevent(rest.strip(), command)
        elif word == "log":
            self.reply(f"+OK log level {rest or 'debug'} [7]")
        elif word == "nolog":
            self.reply("-ERR not loging")
        else:
            self.reply("-ERR command not found")

    # One command each ------------------------------------------------------------------------------

    def _filter(self, rest: str) -> None:
        words = rest.split(" ", 2)
        filters = self.subscription.filters
        if words[0] == "delete" and len(words) > 1:
            header, value = words[1], words[2] if len(words) > 2 else ""
            if header == "all":
                filters.clear()
            else:
                filters[:] = [one for one in filters if not (one[0] == header and value in ("", one[1]))]
            self.reply(f"+OK filter deleted. [{header}][{value}]")
            return
        header, _, value = rest.removeprefix("add ").partition(" ")
        if not value:
            self.reply("-ERR invalid syntax")
            return
        filters.append((header, value))
        self.reply(f"+OK filter added. [{header}]=[{value}]")

    def _my_events_command(self, words: list[str]) -> None:
        if self._my_events:
            self.reply("-ERR aready enabled.")  # FreeSWITCH's own spelling
            return
        subscription = self.subscription
        if self.session is None:
            # A uuid that is not there is still accepted without a format, and every call's events follow.
            channel = self.switch.channels.get(words[0])
            if channel is None and len(words) > 1:
                self.reply("-ERR invalid uuid")
                return
            self.follow(channel)
        else:
            subscription.only_uuid = self.session.uuid
        for form in ("plain", "json", "xml"):
            if form in words:
                subscription.form = form
        self._my_events = True
        subscription.enabled = True
        subscription.names |= MY_EVENTS
        self.reply("+OK Events Enabled")

    def follow(self, channel: Channel | None) -> None:
        """`myevents <uuid>` on an inbound connection: bound to that call from now on."""
        if channel is not None:
            self.session = channel
            self.subscription.only_uuid = channel.uuid
            channel.listeners.append(self)

    def _divert(self, state: str) -> None:
        if self.session is None:
            self.reply("-ERR not controlling a session.")
        elif not state:
            self.reply("-ERR missing value.")
        else:
            self.reply("+OK events diverted" if state.lower() == "on" else "+OK events not diverted")

    def _sendmsg(self, target: str, command: Command) -> None:
        target = target or command.headers.get("session-id", "")
        channel = self.session if not target else self.switch.channels.get(target)
        if self.session is not None and target == self.session.uuid:
            channel = self.session
        if channel is None:
            self.reply(f"-ERR invalid session id [{target}]")
        elif channel.queue_message(command):
            self.reply("+OK")
        else:
            # The 257th waiting message gets no reply, and costs the connection that sent it.
            self.disconnect()

    async def _api(self, rest: str) -> None:
        if self.switch.faults.mute_api:
            return
        self.respond(await self.switch.api.run(rest))

    def _bgapi(self, rest: str, command: Command) -> None:
        if self.switch.faults.mute_api:
            return
        job = command.headers.get("job-uuid", "")[:36] or str(uuids.uuid4())
        self.reply(f"+OK Job-UUID: {job}", f"Job-UUID: {job}")
        self.switch.background_job(rest, job)

    def _linger(self, word: str, rest: str) -> None:
        if self.session is None:
            self.reply("-ERR not controlling a session")
        elif word == "nolinger":
            self.linger_s = None
            self.reply("+OK will not linger")
        elif rest:
            digits = re.match(r"-?\d+", rest)
            self.linger_s = int(digits.group()) if digits else 0
            self.reply(f"+OK will linger {self.linger_s} seconds")
        else:
            self.linger_s = -1
            self.reply("+OK will linger")

    def _sendevent(self, name: str, command: Command) -> None:
        event_uuid = str(uuids.uuid4())
        headers: Headers = [("Event-Name", name.upper()), *self.switch.stamps("sendevent")]
        headers += [(key.title(), value) for key, value in command.headers.items() if key != "content-length"]
        headers.append(("Event-UUID", event_uuid))
        subclass = command.headers.get("event-subclass", "")
        body = command.body or None
        self.switch.publish(Event(name.upper(), headers, subclass, body, command.headers.get("unique-id", "")))
        self.reply(f"+OK {event_uuid}")

    # The call's end, as this connection sees it ----------------------------------------------------

    def channel_down(self, *, reported: bool) -> None:
        """The session's channel hung up; `reported` once CHANNEL_HANGUP_COMPLETE has been published."""
        if self.closing or self.session is None:
            return
        if self.linger_s is None:
            # Without linger the connection usually sees CHANNEL_HANGUP, and never CHANNEL_HANGUP_COMPLETE.
            self.flush_now()
            self.disconnect()
        elif reported:
            self.flush_now()
            channel = self.session
            self.notice(
                "",
                Controlled_Session_UUID=channel.uuid,
                Content_Disposition="linger",
                Channel_Name=channel.name,
                Linger_Time=str(self.linger_s),
            )
            if self.linger_s >= 0:
                # FreeSWITCH compares whole seconds, so it is N to N+1 s.
                self.switch.later(self.linger_s + 0.6, self.disconnect)

    def farewell(self, body: str) -> None:
        if self.session is None:
            self.notice(body)
        else:
            self.notice(body, Controlled_Session_UUID=self.session.uuid, Content_Disposition="disconnect")
