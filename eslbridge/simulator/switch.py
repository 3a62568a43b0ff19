"""The stand-in switch itself: calls, connections, schedules, and the way in for whoever places a call."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid as uuids
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

from eslbridge.simulator import dialplan as plan
from eslbridge.simulator import directory as directory  # its commands are in the table once it is imported
from eslbridge.simulator import template
from eslbridge.simulator.api import Api
from eslbridge.simulator.channel import Channel
from eslbridge.simulator.clock import Clock
from eslbridge.simulator.commands import CommandPeer
from eslbridge.simulator.dialplan import Action, Dialplan
from eslbridge.simulator.esl_server import InboundPeer
from eslbridge.simulator.events import Event, Headers
from eslbridge.simulator.media import MediaTicker, Tap
from eslbridge.simulator.media_ws import Stream
from eslbridge.simulator.misbehave import Faults
from eslbridge.simulator.options import Extension, Options
from eslbridge.simulator.peer import Command
from eslbridge.simulator.phone import Phone

HEARTBEAT_S = 20.0
SOURCES = {
    "CHANNEL_DATA": ("mod_event_socket.c", "parse_command", "2029"),
    "CHANNEL_EXECUTE": ("switch_core_session.c", "switch_core_session_exec", "2949"),
    "CHANNEL_EXECUTE_COMPLETE": ("switch_core_session.c", "switch_core_session_exec", "2972"),
    "DTMF": ("switch_channel.c", "switch_channel_dequeue_dtmf", "678"),
    "CHANNEL_HANGUP": ("switch_channel.c", "switch_channel_perform_hangup", "3447"),
    "CHANNEL_UNPARK": ("switch_ivr.c", "switch_ivr_park", "1213"),
    "CHANNEL_STATE": ("switch_channel.c", "switch_channel_perform_set_running_state", "2409"),
    "CHANNEL_HANGUP_COMPLETE": ("switch_core_state_machine.c", "switch_core_session_reporting_state", "943"),
    "CHANNEL_CREATE": ("switch_core_state_machine.c", "switch_core_session_run", "626"),
    "CHANNEL_ANSWER": ("switch_channel.c", "switch_channel_perform_mark_answered", "3848"),
    "BACKGROUND_JOB": ("mod_event_socket.c", "api_exec", "1580"),
}


class StandInSwitch:
    """A FreeSWITCH that is not there.

    async with StandInSwitch(Options(port=0)) as switch:
        switch.dialplan.load_xml(xml)
        call = switch.place_call("acme.example", "8001", Caller([...]))
        await call.ended.wait()
    """

    def __init__(self, options: Options | None = None, *, clock: Clock | None = None, faults: Faults | None = None):
        self.options = options or Options()
        self.clock = clock or Clock()
        self.faults = faults or Faults()
        self.log = logging.getLogger("standin_switch")
        self.dialplan = Dialplan(self.expand)
        self.api = Api(self)
        self.ticker = MediaTicker(self.clock)
        self.channels: dict[str, Channel] = {}
        self.peers: set[CommandPeer] = set()
        self.extensions: dict[tuple[str, str], Extension] = {}
        self.queues: dict[str, dict[str, str]] = {}
        """Call-centre queues by `name@domain`: agents and their status (`Available`, `On Break`, `Logged Out`)."""
        self.rung: deque[Channel] = deque(maxlen=1000)
        """The legs that were called, in the order in which they began to ring: for tests."""
        self.sessions = 0
        self.peak = 0
        self.core_uuid = str(uuids.uuid4())
        self._sequence = 0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._timers: set[asyncio.TimerHandle] = set()
        self._schedule: dict[int, tuple[str, asyncio.TimerHandle]] = {}
        self._next_task = 1
        for extension in self.options.extensions:
            self.add_extension(extension)

    # Life ------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Listen for ESL clients and let time pass. Raises `OSError` when the port is taken."""
        loop = asyncio.get_running_loop()
        # FreeSWITCH listens with a backlog of 5; a stand-in on a busy machine had better not.
        self._server = await loop.create_server(
            lambda: InboundPeer(self), self.options.host, self.options.port, backlog=128
        )
        self.ticker.start()
        self.later(HEARTBEAT_S, self._heartbeat)

    def _heartbeat(self) -> None:
        """Every 20 s, for whoever judges a connection's health by it."""
        if self.wanted("HEARTBEAT", "", ""):
            count: Headers = [("Session-Count", str(len(self.channels))), ("Max-Sessions", "20000")]
            headers: Headers = [("Event-Name", "HEARTBEAT"), *self.stamps("HEARTBEAT"), ("Event-Info", "System Ready")]
            self.publish(Event("HEARTBEAT", headers + count))
        self.later(HEARTBEAT_S, self._heartbeat)

    async def stop(self) -> None:
        """Hang up every call and leave nothing running."""
        if self._server is not None:
            self._server.close()
        for channel in list(self.channels.values()):
            await channel.stop()
        for peer in list(self.peers):
            peer.disconnect()
        await asyncio.sleep(0)
        await self.ticker.stop()
        for timer in self._timers:
            timer.cancel()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def __aenter__(self) -> StandInSwitch:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.stop()

    @property
    def port(self) -> int:
        """The port of the ESL listener."""
        assert self._server is not None  # noqa: S101 - a programming error to ask before start()
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    # Calls -----------------------------------------------------------------------------------------

    def place_call(
        self,
        domain: str,
        number: str,
        phone: Phone,
        *,
        caller_number: str = "1000",
        caller_name: str = "Ana Lima",
        variables: dict[str, str] | None = None,
        faults: Faults | None = None,
        call_uuid: str = "",
    ) -> Channel:
        """A caller dials `number` in `domain`, whose name is also the dialplan context. Returns the caller's leg."""
        profile = template.Profile(caller_number, number, domain, caller_name)
        name = f"sofia/internal/{caller_number}@{domain}"
        channel = Channel(self, phone, profile, name=name, channel_uuid=call_uuid, faults=faults)
        session_id = self.register(channel)
        channel.variables |= template.sip_variables(channel, session_id, domain)
        channel.variables |= {"DP_MATCH": [number, number], "call_uuid": channel.uuid, "domain_name": domain}
        channel.variables |= variables or {}
        channel.start()
        return channel

    def register(self, channel: Channel) -> int:
        """Make a leg findable; returns its session number."""
        self.sessions += 1
        self.channels[channel.uuid] = channel
        self.peak = max(self.peak, len(self.channels))
        return self.sessions

    def forget(self, channel: Channel) -> None:
        self.channels.pop(channel.uuid, None)

    def add_extension(self, extension: Extension) -> None:
        self.extensions[extension.domain, extension.number] = extension

    def extension(self, number: str, domain: str) -> Extension | None:
        return self.extensions.get((domain, number))

    def route(self, channel: Channel) -> list[Action] | None:
        """What a channel has to do at its destination: by the dialplan, or given with it (`inline`)."""
        profile = channel.profile
        if profile.dialplan == "inline":
            return plan.inline(profile.destination)
        return self.look_up(channel, profile.destination, profile.context)

    def look_up(self, channel: Channel, number: str, context: str) -> list[Action] | None:
        """What the dialplan says; else a registered telephone is rung, as any PBX's default dialplan does."""
        actions = self.dialplan.find(channel, number, context)
        if actions is None and (context, number) in self.extensions:
            actions = [Action("set", "hangup_after_bridge=true"), Action("bridge", f"user/{number}@{context}")]
        return actions

    def expand(self, channel: Channel, text: str) -> str:
        """`${…}` of a dialplan's or a message's argument."""
        return plan.expand(text, channel.variable, self.api.call)

    def broadcast(self, channel: Channel, app: str, data: str) -> None:
        """`uuid_broadcast`: queued on the channel's own thread; unparked, it runs beside what is running."""
        headers = {"call-command": "execute", "execute-app-name": app, "execute-app-arg": data, "event-lock": "true"}
        if channel.park.parked:
            channel.queue_message(Command("sendmsg", headers))
        else:
            self.spawn(channel.execute(app, data))

    def tap_closed(self, channel: Channel, tap: Tap) -> None:
        if isinstance(tap, Stream):
            tap.stop()

    # Events ----------------------------------------------------------------------------------------

    def stamps(self, name: str) -> Headers:
        """The headers that every event starts with."""
        self._sequence += 1
        now = time.time()
        file, function, line = SOURCES.get(name, ("mod_dptools.c", "stand_in", "1"))
        return [
            ("Core-UUID", self.core_uuid),
            ("FreeSWITCH-Hostname", "vm"),
            ("FreeSWITCH-Switchname", "vm"),
            ("FreeSWITCH-IPv4", "192.0.2.2"),
            ("FreeSWITCH-IPv6", "fd00::2"),
            ("Event-Date-Local", time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(now))),
            ("Event-Date-GMT", time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(now))),
            ("Event-Date-Timestamp", str(int(now * 1e6))),
            ("Event-Calling-File", file),
            ("Event-Calling-Function", function),
            ("Event-Calling-Line-Number", line),
            ("Event-Sequence", str(self._sequence)),
        ]

    def wanted(self, name: str, subclass: str, channel_uuid: str) -> bool:
        return any(peer.subscription.wants(name, subclass, channel_uuid) for peer in self.peers)

    def publish_fields(self, name: str, headers: Headers, subclass: str, body: str | None, channel_uuid: str) -> None:
        self.publish(Event(name, headers, subclass, body, channel_uuid))

    def publish(self, event: Event) -> None:
        for peer in list(self.peers):
            subscription = peer.subscription
            if subscription.wants(event.name, event.subclass, event.channel_uuid) and subscription.passes(event):
                peer.deliver(event)

    def cut_all_connections(self) -> None:
        for peer in list(self.peers):
            peer.disconnect("The system is being shut down.\n")

    # Time ------------------------------------------------------------------------------------------

    def later(self, seconds: float, callback: Callable[..., object], *args: object) -> asyncio.TimerHandle:
        """Call back after `seconds` of the switch's clock; cancelled with the switch."""
        loop = asyncio.get_running_loop()

        def fire() -> None:
            self._timers.discard(handle)
            callback(*args)

        handle = loop.call_later(self.clock.real(seconds), fire)
        self._timers.add(handle)
        return handle

    def spawn(self, work: Coroutine[Any, Any, object]) -> asyncio.Task[Any]:
        """A task that the switch keeps and cancels."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def background_job(self, line: str, job: str) -> None:
        """`bgapi`: run, then tell everybody who subscribed to BACKGROUND_JOB."""
        self.spawn(self._background(line, job))

    async def _background(self, line: str, job: str) -> None:
        await self.clock.sleep(self.options.bgapi_delay_s)
        result = await self.api.run(line)
        name, _, rest = line.partition(" ")
        headers: Headers = [("Event-Name", "BACKGROUND_JOB"), *self.stamps("BACKGROUND_JOB"), ("Job-UUID", job)]
        headers.append(("Job-Command", name))
        if rest:
            headers.append(("Job-Command-Arg", rest))
        self.publish(Event("BACKGROUND_JOB", headers, body=result))

    def schedule(self, seconds: float, group: str, line: str, *, repeat: bool = False) -> int:
        """`sched_api`; returns the task's number."""
        number, self._next_task = self._next_task, self._next_task + 1

        def fire() -> None:
            self._schedule.pop(number, None)
            self.spawn(self.api.run(line))
            if repeat:
                self.schedule(seconds, group, line, repeat=True)

        self._schedule[number] = (group, self.later(seconds, fire))
        return number

    def unschedule(self, which: str) -> int:
        """`sched_del` by number or group; how many were deleted."""
        doomed = [number for number, (group, _) in self._schedule.items() if which in (group, str(number))]
        for number in doomed:
            self._schedule.pop(number)[1].cancel()
        return len(doomed)
