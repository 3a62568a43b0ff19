"""A real secretary takes the rehearsed call: its own providers, prompt, tools and rules, with the credentials it has.

Nothing leaves the rehearsal but what goes to the providers. Transfers, messages and whatever else a tool would bring
about go to the scenario's office; only what merely looks something up is really run. The database is only read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from secretary.conversation.actions import Note
from secretary.conversation.office import Outcome
from secretary.profiles import SecretaryProfile, SpeechChoice
from secretary.scenarios import fair
from secretary.scenarios.office import ScriptedOffice
from secretary.scenarios.run import CALL_UUID, CALLER_NUMBER, Answer, Answering, rules_with
from secretary.scenarios.run import Note as Tell
from secretary.scenarios.script import Script
from secretary.scenarios.standin import PerfectEar
from secretary.selectors.calls import resolve_secretary
from secretary.selectors.speech_chain import Speech, speech_of
from secretary.speech.breaker import Breaker
from secretary.speech.chain import ChainSession
from secretary.speech.contract import Providers
from secretary.speech.metered import Metered
from secretary.speech.steps import LAST
from secretary.tools import names
from secretary.tools.about import setup_of
from secretary.tools.beginning import Beginning
from secretary.tools.box import ToolBox
from secretary.tools.gate import GatedSpeech
from secretary.tools.policy import Refused
from secretary.voicenode.arrival import Arrival
from secretary.voicenode.rules import rules
from secretary.voicenode.told import briefing
from tenants.selectors import find_domain

LOOKING_UP: Final = frozenset({names.BUSINESS_INFO, names.OPENING_HOURS})
"""Tools that change nothing, and ask no switch."""


class NobodyThere(Exception):
    """There is no such secretary, or nobody who could speak for it; the message says which."""


@dataclass(slots=True)
class BoxedOffice(ScriptedOffice):
    """The scenario's office behind the secretary's own tools: they are judged as in a call, and do nothing outside."""

    box: ToolBox = field(kw_only=True)

    async def run_tool(self, name: str, arguments: Mapping[str, object]) -> Outcome:
        if name in LOOKING_UP and name not in self.endings:
            return await self.box.run(name, arguments)
        try:
            judged = self.box.judge(name, arguments)
        except Refused as refusal:
            self.box.refused(name, arguments, refusal)
            return Outcome(refusal.word, refusal.detail)
        self.box.begun(name, judged)
        return await ScriptedOffice.run_tool(self, name, judged)


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """The secretary of an extension, as a call now would find it."""

    profile: SecretaryProfile
    speech: Speech = field(repr=False)

    @classmethod
    def of(cls, domain_name: str, extension: str, provider: str = "") -> Rehearsed:
        """`provider`: that one alone, instead of the secretary's chain. Raises NobodyThere, CallRefused."""
        domain = find_domain(name=domain_name)
        if domain is None:
            raise NobodyThere(f"there is no domain {domain_name}")
        # As in its hours, whatever the time is.
        profile = resolve_secretary(
            domain_uuid=domain.domain_uuid, secretary_uuid=None, extension=extension, told_open=True
        )
        if provider:
            chosen = (one for one in profile.chain if one.provider == provider)
            profile = replace(profile, chain=(next(chosen, SpeechChoice(provider)),), provider=provider)
        speech = speech_of(profile)
        if speech.missing and (provider or speech.steps == (LAST,)):
            raise NobodyThere(f"there is no credential for {', '.join(speech.missing)}")
        return cls(profile, speech)

    @property
    def secretary(self) -> fair.Secretary:
        """What a scenario may ask of it."""
        told = briefing(self.profile)
        box = self._box(lambda kind, detail: None)
        return fair.Secretary(self.profile.language, told.places, {spec.name for spec in box.specs})

    def answer(self, providers: Providers) -> Answer:
        """The secretary in a call of any scenario."""

        def answer(script: Script, perfect: PerfectEar, note: Tell) -> Answering:
            box = self._box(note)
            told = briefing(self.profile, self._arrival, Beginning(), box.specs)
            clock = asyncio.get_running_loop().time
            chain = ChainSession(
                self.speech.steps,
                told,
                providers=providers,
                breaker=Breaker(clock),
                note=note,
                exact=(self.profile.disclosure,),
                metered=Metered({key: float(price) for key, price in self.speech.prices.items()}, now=clock),
            )
            return Answering(
                session=GatedSpeech(chain, box),
                chain=chain,
                rules=rules_with(script, rules(self.profile), told.places),
                places=told.places,
                office=BoxedOffice(script.office, box=box),
            )

        return answer

    @property
    def _arrival(self) -> Arrival:
        return Arrival(
            call_uuid=CALL_UUID,
            domain_uuid=str(self.profile.domain_uuid),
            secretary_uuid=str(self.profile.secretary_uuid),
            extension=self.profile.extension,
            caller_number=CALLER_NUMBER,
            caller_name="",
        )

    def _box(self, note: Tell) -> ToolBox:
        setup = setup_of(self.profile, call_uuid=CALL_UUID, caller_number=CALLER_NUMBER, caller_name="")

        def tell(one: Note) -> None:
            note(one.kind, one.detail)

        return ToolBox(setup, clock=_now_ms, note=tell)


def _now_ms() -> int:
    return int(asyncio.get_running_loop().time() * 1000)
