"""The tools of one call: what its model is offered, what is judged before the conversation sees it, what is run here.

Every call of a tool is written down with its arguments and its result, however it went. Nothing here raises for what a
model gives, and everything ends by itself.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final
from uuid import UUID

import structlog

from secretary.conversation.actions import Note
from secretary.conversation.office import Outcome
from secretary.profiles import HttpToolProfile
from secretary.services.availability import UNKNOWN, Availability
from secretary.speech.contract import ToolSpec
from secretary.tools import business, catalogue, elsewhere, facts, names, policy, schemas
from secretary.tools.about import Kept, Setup
from secretary.tools.catalogue import Offered
from secretary.tools.http import client
from secretary.tools.http.load import ready
from secretary.tools.rate import rate
from tenants.context import in_thread
from tenants.errors import UndecryptableError

log = structlog.get_logger(__name__)

MOST_USES: Final = 60
"""Of all tools in one call: a model that goes round in circles is stopped."""
MOST_ALIKE: Final = 3
"""Times that a tool is run with the same arguments."""
PATIENCE_S: Final = 8.0
"""How long a tool of the platform may take; a tenant's own has a time of its own."""
PROTOCOL: Final = frozenset({"record_message"})
"""What the built-in secretary says to the conversation: no model is offered it."""
MOST_NOTES: Final = 200
MOST_SHOWN: Final = 500
"""Characters of a result that the timeline keeps."""

AskFree = Callable[[str, str], Awaitable[Availability]]
Run = Callable[[Mapping[str, Any]], Awaitable[Outcome]]


class ToolBox:
    """Belongs to one call. `clock` gives ms on the call's clock, `note` shows an entry to whoever watches, `ask_free`
    asks the domain's switch about a kind and number (without it nobody knows)."""

    def __init__(
        self,
        setup: Setup,
        *,
        clock: Callable[[], int],
        note: Callable[[Note], None],
        ask_free: AskFree | None = None,
    ) -> None:
        self._setup, self._clock, self._show, self._ask_free = setup, clock, note, ask_free
        self.kept = Kept()
        self.notes: deque[Note] = deque(maxlen=MOST_NOTES)
        places = [place.name for place in setup.places]
        self._own: dict[str, HttpToolProfile] = {tool.name: tool for tool in setup.own}
        remembers = setup.remembers and bool(setup.caller.normal)
        offered = catalogue.built_in(setup.chosen, places, remembers=remembers, records=setup.records)
        offered += [Offered(tool.name, tool.description, tool.parameters) for tool in setup.own]
        self._offered = {tool.name: tool for tool in offered}
        self._uses: Counter[str] = Counter()
        self._alike: Counter[str] = Counter()
        self._runs: Mapping[str, Run] = {
            names.BUSINESS_INFO: self._business_info,
            names.OPENING_HOURS: self._opening_hours,
            names.CHECK_AVAILABLE: self._check_available,
            names.REQUEST_CALLBACK: self._request_callback,
            names.REMEMBER_CALLER: self._remember,
        }

    @property
    def specs(self) -> tuple[ToolSpec, ...]:
        """What a model is told that it can do."""
        return tuple(tool.spec() for tool in self._offered.values())

    def judge(self, name: str, arguments: object) -> dict[str, Any]:
        """The arguments as they may be carried out. Raises `policy.Refused`, whose detail a model can go by."""
        tool = self._offered.get(name)
        if tool is None:
            known = ", ".join(self._offered) or "none"
            raise policy.Refused("unknown", f"There is no tool named {str(name)[:60]!r}. There are: {known}.")
        if self._uses.total() >= MOST_USES:
            raise policy.Refused("too_many", "No more tools in this call. Offer to take leave.")
        try:
            accepted = schemas.accept(name, tool.schema, self._with_place(tool, arguments))
        except schemas.ArgumentsError as error:
            raise policy.Refused("invalid_arguments", str(error)) from None
        return policy.judge(
            name,
            accepted,
            places=self._setup.places,
            caller=self._setup.caller,
            other_numbers=self._setup.other_numbers,
        )

    def refused(self, name: str, arguments: object, refusal: policy.Refused) -> None:
        """Write down a call that never came so far as to be run."""
        self._note(str(name)[:60], arguments, Outcome(refusal.word, refusal.detail), self._clock())

    def begun(self, name: str, arguments: Mapping[str, Any]) -> None:
        """Write down a call that the conversation itself carries out; how it ends stands in `tool_done`."""
        self._uses[name] += 1
        self.kept.take(arguments)
        self._note(name, arguments, Outcome("passed"), self._clock())

    async def run(self, name: str, arguments: Mapping[str, object]) -> Outcome:
        """Do what a model asked for, and say how it went. Ends within the tool's own time."""
        at_ms = self._clock()
        outcome = Outcome("caller_gone")
        try:
            judged = self.judge(name, arguments)
            self.kept.take(judged)
            self._count(name, judged)
            outcome = await self._do(name, judged)
        except policy.Refused as refusal:
            outcome = Outcome(refusal.word, refusal.detail)
        except TimeoutError:
            outcome = Outcome("timeout", "It took too long.")
        except Exception:
            log.exception("tool_failed", tool=name)
            outcome = Outcome("failed", "It does not work at the moment.")
        finally:
            self._note(name, arguments, outcome, at_ms)
        return outcome

    def _with_place(self, tool: Offered, arguments: object) -> object:
        """The place by its own name, whichever of its names it was called. Raises `policy.Refused`."""
        if not isinstance(arguments, Mapping) or tool.name not in catalogue.TOOLS:
            return arguments
        # The built-in secretary names a place by its UUID.
        wanted = arguments.get("destination") or arguments.get("destination_uuid")
        if not wanted or "destination" not in tool.schema["properties"]:
            return arguments
        return {**arguments, "destination": policy.find_place(str(wanted), self._setup.places).name}

    # Around it ----------------------------------------------------------------------------------------------------

    def _count(self, name: str, arguments: Mapping[str, Any]) -> None:
        self._uses[name] += 1
        alike = f"{name} {json.dumps(arguments, sort_keys=True, default=str)}"
        self._alike[alike] += 1
        if self._alike[alike] > MOST_ALIKE:
            raise policy.Refused("repeated", "The same again gives the same. Go on with what you know.")
        own = self._own.get(name)
        if own is not None and self._uses[name] > own.per_call:
            raise policy.Refused("too_many", f"{name} may be used {own.per_call} times in a call. Go on without it.")

    def _note(self, name: str, arguments: object, outcome: Outcome, at_ms: int) -> None:
        given = dict(arguments) if isinstance(arguments, Mapping) else {"": str(arguments)[:MOST_SHOWN]}
        detail: dict[str, object] = {"name": name, "arguments": given, "outcome": outcome.word}
        if outcome.detail:
            detail["result"] = outcome.detail[:MOST_SHOWN]
        if outcome.word != "passed":
            detail["duration_ms"] = self._clock() - at_ms
        note = Note("tool_run", at_ms, detail)
        self.notes.append(note)
        self._show(note)

    async def _do(self, name: str, arguments: Mapping[str, Any]) -> Outcome:
        if (own := self._own.get(name)) is not None:
            return await self._http(own, arguments)
        if (run := self._runs.get(name)) is None:
            return Outcome("unknown", f"{name} is not done here.")
        async with asyncio.timeout(PATIENCE_S):
            return await run(arguments)

    # The platform's tools -----------------------------------------------------------------------------------------

    async def _business_info(self, arguments: Mapping[str, Any]) -> Outcome:
        found = business.look_up(self._setup.facts, str(arguments["topic"]))
        if not found:
            return Outcome("not_found", "The facts say nothing about it. Say so; do not guess.")
        return Outcome("ok", found)

    async def _opening_hours(self, arguments: Mapping[str, Any]) -> Outcome:
        return await in_thread(
            elsewhere.opening_hours,
            self._setup,
            destination_uuid=_uuid(arguments.get("destination_uuid")),
            at=str(arguments.get("at", "")),
        )

    async def _check_available(self, arguments: Mapping[str, Any]) -> Outcome:
        whom = await in_thread(elsewhere.whom_to_ask_about, self._setup, UUID(str(arguments["destination_uuid"])))
        if isinstance(whom, Outcome):
            return whom
        free = await self._ask_free(*whom) if self._ask_free is not None else UNKNOWN
        return elsewhere.told_free(str(free.word))

    async def _request_callback(self, arguments: Mapping[str, Any]) -> Outcome:
        return await in_thread(elsewhere.request_callback, self._setup, arguments)

    async def _remember(self, arguments: Mapping[str, Any]) -> Outcome:
        try:
            await in_thread(
                facts.remember,
                domain_uuid=self._setup.domain_uuid,
                number=self._setup.caller.number,
                text=str(arguments["fact"]),
                call_uuid=_uuid(self._setup.call_uuid),
            )
        except facts.NotRemembered as error:
            return Outcome(error.reason, "It was not remembered.")
        return Outcome("ok", "Remembered for the next call from this number.")

    # A tenant's own -----------------------------------------------------------------------------------------------

    async def _http(self, own: HttpToolProfile, arguments: Mapping[str, Any]) -> Outcome:
        if not await rate().admit(own.tool_uuid, own.per_minute):
            return Outcome("busy", "It is used too much at the moment.")
        try:
            tool = await in_thread(ready, domain_uuid=self._setup.domain_uuid, tool_uuid=own.tool_uuid)
        except UndecryptableError:
            log.error("tool_secret_unreadable", tool=own.name)
            return Outcome("failed", "This tool is not set up rightly. Do not try again.")
        if tool is None:
            return Outcome("unknown", f"{own.name} is not there any more.")
        about = client.About(
            domain_uuid=self._setup.domain_uuid,
            secretary_uuid=self._setup.secretary_uuid,
            call_uuid=self._setup.call_uuid,
            caller_number=self._setup.caller.number,
            caller_name=self._setup.caller.name,
        )
        return await client.run(tool, arguments, about)


def _uuid(value: object) -> UUID | None:
    try:
        return UUID(str(value))
    except ValueError:
        return None
