"""One caller of one tenant, a colleague at 1001, and what is known of them when everything is over."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

from eslbridge.dialling import save_rules
from eslbridge.dialplan import Node, Shape, render
from eslbridge.models import Job, JobState
from eslbridge.services import save_credential
from eslbridge.simulator import Caller, Extension, Press, WaitSilence
from eslbridge.simulator.caller import Step
from eslbridge.simulator.channel import Channel
from secretary.models import Call
from secretary.selectors.dialplan import dialplan_of
from secretary.services.destinations import create_destination
from secretary.services.extensions import create_mapping
from secretary.services.opening_hours import create_hours
from secretary.services.secretaries import create_secretary
from tenants.context import in_tenant, in_thread
from tenants.services import create_domain
from tests.endtoend.world import PORTS, TONE, World, until

HEARD_MS = 250
"""So much of a sentence (`TONE`) must have been heard for it to count."""


def _has_heard(who: Channel, ms: int) -> bool:
    return who.phone.heard_voice_ms >= ms


@dataclass
class Told:
    """What remains of a call."""

    outcome: str
    destination_uuid: UUID | None
    said: list[str]
    """What the secretary said, as far as it was heard."""
    ends: list[str]
    """How transfers ended, in the timeline's words."""
    tried: list[tuple[str, str]]
    """Who was tried in vain before somebody stood in for them, and why."""
    jobs: list[tuple[str, str, str]] = field(default_factory=list)
    """Kind, state and outcome, in the order in which they were asked for."""
    reasons: list[str] = field(default_factory=list)
    announced: list[str] = field(default_factory=list)
    """What colleagues were told about the caller."""


class Scene:
    """A domain of its own, with the numbers that all the others have, too."""

    def __init__(self, world: World, name: str) -> None:
        self.world, self.name = world, f"{name}.example"
        self.caller_name = f"Caller {name}"
        self.caller = Caller([WaitSilence(100), Press("1")], patience_ms=None)
        self.channel: Channel
        self.domain_uuid: UUID
        self.sales: UUID
        self.results: list[tuple[str, int, int]] = []
        """How transfers ended; how much the caller had heard by then (ms), and how many sentences to the end."""

    # Before the call ----------------------------------------------------------------------------------------------

    async def furnish(
        self, *, closed: bool = False, instead: str = "", port: int = 0, blocked: str = "", **destination: Any
    ) -> None:
        """A domain with a secretary at 8001 and a destination, “Sales”: extension 1001 unless told otherwise.

        `instead` is the number of the extension that stands in for it; `port` another than the switch's,
        `blocked` a prefix that is not to be dialled any more.
        """

        def rows() -> None:
            values = {"name": "Sales", "number": "1001", "kind": "extension", "ring_s": 5, "priority": 9} | destination
            if closed:
                values["hours"] = create_hours(name="Never", weekly={})
            if instead:
                values["fallback"] = create_destination(name="Office", number=instead, kind="extension", ring_s=5)
            self.sales = create_destination(**values).pk
            create_mapping(extension="8001", secretary=create_secretary(name="Clara", greeting="Good morning."))

        self.domain_uuid = (await in_thread(create_domain, name=self.name)).domain_uuid
        await in_thread(
            save_credential,
            domain_uuid=self.domain_uuid,
            port=port or self.world.switch.port,
            password=self.world.switch.options.password,
            connect_timeout_s=1.0,
            reconnect_delay_s=0.1,
            max_reconnects=1,
            switch_media_port_min=PORTS,
            switch_media_port_max=PORTS + 499,
        )
        if destination.get("kind") == "external":
            await in_thread(save_rules, domain_uuid=self.domain_uuid, country="US")
        await in_tenant(self.domain_uuid, rows)
        if blocked:
            await in_thread(save_rules, domain_uuid=self.domain_uuid, blocked_prefixes=[blocked])
        plan = await in_tenant(
            self.domain_uuid,
            dialplan_of,
            domain_uuid=self.domain_uuid,
            nodes=[Node("127.0.0.1", self.world.node.server.port)],
            fallback_number="1099",
        )
        self.world.switch.dialplan.load_xml(render(plan, Shape.PLAIN))

    async def second_secretary(self, greeting: str) -> None:
        """At 8002."""
        await in_tenant(
            self.domain_uuid,
            lambda: create_mapping(extension="8002", secretary=create_secretary(name="Vera", greeting=greeting)),
        )

    def phone(self, *steps: Step, number: str = "1001", **about: Any) -> None:
        """A telephone of the domain; who picks it up does these steps."""
        about = {"answer_after_s": 0.2} | about
        self.world.switch.add_extension(Extension(number, self.name, steps=steps, **about))

    def route(self, number: str, *actions: tuple[str, str]) -> None:
        """What the domain's own dialplan does with a number."""
        self.world.switch.dialplan.add(self.name, number, actions)

    # During the call ----------------------------------------------------------------------------------------------

    def dial(self, number: str = "8001") -> None:
        """The caller calls, hears the greeting, and wants to be put through to the first one on the list."""
        self.channel = self.world.switch.place_call(self.name, number, self.caller, caller_name=self.caller_name)
        self.world.following[self.channel.uuid] = self._ended

    def _ended(self, outcome: str) -> None:
        self.results.append((outcome, self.caller.heard_voice_ms, self.sentences))

    @property
    def sentences(self) -> int:
        """How many of the secretary's sentences were heard to their end."""
        session = self.world.node.reception._sessions.get(self.channel.uuid)
        return len([line for line in session.record.lines if line.who == "secretary"]) if session is not None else 0

    def legs(self, number: str = "1001") -> list[Channel]:
        """The colleague's telephones that rang."""
        return [leg for leg in self.world.switch.rung if leg.name.endswith(f"/{number}@{self.name}")]

    async def rings(self, number: str = "1001") -> Channel:
        await until(lambda: self.legs(number), f"{number} rings")
        return self.legs(number)[0]

    async def answered(self, number: str = "1001") -> tuple[Channel, Caller]:
        """The colleague has picked up: their leg, and who is there."""
        leg = await self.rings(number)
        await until(leg.answered.is_set, f"{number} answers")
        assert isinstance(leg.phone, Caller)
        return leg, leg.phone

    async def back(self, word: str) -> None:
        """The transfer ends with this word, and the caller hears the whole next sentence."""
        await until(lambda: self.results, "the transfer ends")
        ended, heard, said = self.results[-1]
        assert ended == word, f"ended as {ended}"
        await until(lambda: self.sentences > said, "the secretary says what became of it")
        await until(lambda: self.caller.heard_voice_ms >= heard + HEARD_MS, "the caller hears it")

    async def silent(self, who: Caller, ms: int = 300) -> None:
        await until(lambda: who.silent_ms >= ms, "silence")

    async def talk(self, leg: Channel) -> None:
        """Until both are connected, and have heard each other."""
        await until(lambda: self.channel.bridged_us and self.channel.other_leg is not None, "they are connected")
        for one, other in ((self.channel, leg), (leg, self.channel)):
            wanted = other.phone.heard_voice_ms + HEARD_MS
            one.phone.speak(TONE)
            await until(partial(_has_heard, other, wanted), "they hear each other")

    async def written(self) -> None:
        """Until the conversation is over, and on record."""
        async with asyncio.timeout(40):
            while (await self._told()).outcome == "in_progress":
                await asyncio.sleep(0.1)

    def story(self) -> str:
        """What happened to the caller so far, for whoever looks for a fault."""
        channel = getattr(self, "channel", None)
        if channel is None:
            return "nobody has called"
        return f"{channel.history} results={self.results} keys={channel.digits!r} down={channel.hangup_cause!r}"

    # Afterwards ---------------------------------------------------------------------------------------------------

    def channels(self) -> list[str]:
        """What is left of this domain on the switch."""
        return [
            one.name
            for one in self.world.switch.channels.values()
            if self.name in (one.profile.context, one.variable("domain_name")) or one.name.endswith(f"@{self.name}")
        ]

    async def over(self, jobs: Sequence[tuple[str, str, str]]) -> Told:
        """The caller hangs up, if they have not; no channel is left, and everything is written: these are the jobs."""
        if not self.channel.is_down:
            self.channel.phone_hung_up()
        await until(lambda: not self.channels(), f"no channel is left: {self.channels()}")
        told = await self._told()
        deadline = asyncio.get_running_loop().time() + 20
        while (
            told.outcome == "in_progress" or told.jobs != list(jobs)
        ) and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.1)
            told = await self._told()
        return told

    async def _told(self) -> Told:
        def read() -> Told:
            call = Call.objects.get(call_uuid=UUID(self.channel.uuid))
            events = list(call.events.all())
            jobs = list(Job.objects.order_by("created_at"))
            return Told(
                call.outcome,
                call.destination_id,
                [one.text for one in call.utterances.all() if one.who == "secretary" and not one.interrupted],
                [one.detail["outcome"] for one in events if one.kind == "tool_done"],
                [(one.detail["name"], one.detail["outcome"]) for one in events if one.kind == "transfer_tried"],
                [(one.kind, one.state, one.outcome) for one in jobs],
                [one.reason for one in jobs],
                [text for text in self.world.said if f"{self.caller_name}, from the number" in text],
            )

        return await in_tenant(self.domain_uuid, read)

    async def is_sent(self) -> None:
        """Until the worker's command is on the way."""

        def found() -> bool:
            return Job.objects.filter(state=JobState.RUNNING, sent_at__isnull=False).exists()

        async with asyncio.timeout(40):
            while not await in_tenant(self.domain_uuid, found):
                await asyncio.sleep(0.03)
