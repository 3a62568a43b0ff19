"""Whether it makes sense to let a telephone ring: asked of the switch, just before.

Three-valued in everything: what the switch does not know, or does not say in time, is `unknown`, and never keeps a
caller from being put through.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

import structlog

from eslbridge.esl import questions
from eslbridge.esl.async_pool import AsyncPool
from eslbridge.esl.command import Command
from eslbridge.esl.errors import EslError
from eslbridge.esl.interface import AsyncEslClient, parse_channels
from eslbridge.policy import DestinationKind
from tenants.errors import UndecryptableError

log = structlog.get_logger(__name__)

ASK_S: Final = 1.5
"""How long all questions together may take: the caller is waiting."""
CONNECT_S: Final = 1.5
"""How long getting hold of the switch may take before that."""
ASKED: Final = frozenset({DestinationKind.EXTENSION, DestinationKind.QUEUE})
NOT_REGISTERED: Final = "error/user_not_registered"
_TRUE: Final = frozenset({"true", "1", "yes", "on", "t"})
READY_AGENTS: Final = frozenset({"available", "available (on demand)"})


class Free(StrEnum):
    FREE = "free"
    BUSY = "busy"
    DND = "dnd"
    UNREGISTERED = "unregistered"
    NO_AGENTS = "no_agents"
    UNREACHABLE = "unreachable"
    """The switch knows no such extension."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Availability:
    """What the switch says of a destination. `forwarded`: its calls go elsewhere, which only the dialplan knows."""

    word: Free
    forwarded: bool = False

    @property
    def blocks(self) -> bool:
        """Whether there is no use in letting it ring."""
        return self.word not in (Free.FREE, Free.UNKNOWN)


UNKNOWN: Final = Availability(Free.UNKNOWN)


async def ask_switch(
    switches: AsyncPool, *, domain_uuid: UUID, domain_name: str, kind: str, number: str
) -> Availability:
    """Ask over the connection that this process has to the domain's switch, or makes now. Never raises."""
    if kind not in ASKED:
        return UNKNOWN
    try:
        switch = await switches.get_esl_for_domain(domain_uuid)
    except (EslError, UndecryptableError) as error:
        log.info("availability_unknown", kind=kind, error=repr(error)[:200])
        return UNKNOWN
    return await ask_over(switch, kind=kind, number=number, domain_name=domain_name)


async def ask_over(switch: AsyncEslClient, *, kind: str, number: str, domain_name: str) -> Availability:
    """Connect if need be, and ask. Never raises, and never takes longer than CONNECT_S and ASK_S."""
    try:
        async with asyncio.timeout(CONNECT_S):
            await switch.connect()
    except (EslError, OSError, TimeoutError) as error:
        log.info("availability_unknown", kind=kind, error=repr(error)[:200])
        return UNKNOWN
    return await availability_of(switch, kind=kind, number=number, domain_name=domain_name)


async def availability_of(switch: AsyncEslClient, *, kind: str, number: str, domain_name: str) -> Availability:
    """Ask the domain's switch about one destination. Never raises, and never takes longer than ASK_S."""
    try:
        async with asyncio.timeout(ASK_S):
            match kind:
                case DestinationKind.EXTENSION:
                    return await _extension(switch, number, domain_name)
                case DestinationKind.QUEUE:
                    return await _queue(switch, number, domain_name)
    except (EslError, OSError, TimeoutError) as error:
        log.info("availability_unknown", kind=kind, error=repr(error))
    return UNKNOWN


async def _extension(switch: AsyncEslClient, number: str, domain: str) -> Availability:
    """An extension, by user@domain: never by the number alone, which other domains have, too."""
    known, dnd, forwarded, dialled, contact, channels = await asyncio.gather(
        _ask(switch, questions.user_exists(number, domain)),
        _ask(switch, questions.user_data(number, domain, "var", "do_not_disturb")),
        _ask(switch, questions.user_data(number, domain, "var", "forward_all_enabled")),
        _ask(switch, questions.user_data(number, domain, "param", "dial-string")),
        _ask(switch, questions.sofia_contact(number, domain)),
        _ask(switch, questions.show_channels_like(number)),
    )
    if known == "false":
        return Availability(Free.UNREACHABLE)
    if dnd.lower() in _TRUE:
        return Availability(Free.DND)
    if forwarded.lower() in _TRUE:
        return Availability(Free.UNKNOWN, forwarded=True)
    # A user with a dial string of its own may be reached without any registration: a trunk, a desk phone by address.
    if contact.startswith(NOT_REGISTERED) and "sofia_contact" in dialled:
        return Availability(Free.UNREGISTERED)
    if _in_call(channels, f"{number}@{domain}"):
        return Availability(Free.BUSY)
    registered = "sofia/" in contact
    return Availability(Free.FREE if registered else Free.UNKNOWN)


def _in_call(channels: str, presence_id: str) -> bool:
    if not channels.lstrip().startswith("{"):
        return False
    return any(
        row.get("presence_id") == presence_id and row.get("callstate") in ("ACTIVE", "HELD", "UNHELD")
        for row in parse_channels(channels)
    )


async def _queue(switch: AsyncEslClient, number: str, domain: str) -> Availability:
    table = await _ask(switch, questions.queue_agents(number, domain))
    if table == "+OK":  # no rows have no heading either: a queue without agents, or none of this name
        known = (await _ask(switch, questions.queues())).splitlines()
        there = any(line.partition("|")[0] == f"{number}@{domain}" for line in known)
        return Availability(Free.NO_AGENTS) if there else UNKNOWN
    statuses = agents_statuses(table)
    if not statuses:
        return UNKNOWN  # no call centre on this switch, or one that speaks differently
    ready = any(status.lower() in READY_AGENTS for status in statuses)
    return Availability(Free.FREE if ready else Free.NO_AGENTS)


def agents_statuses(table: str) -> list[str]:
    """The statuses in a queue's table of agents; none where it is no such table.

    The contact, before them, is a dial string, which may hold `|` itself: what stands behind it is counted from the
    end of the line.
    """
    heading, *rows = [line for line in table.splitlines() if "|" in line] or [""]
    names = heading.split("|")
    if "status" not in names:
        return []
    behind = len(names) - names.index("status")
    return [row.rsplit("|", behind)[-behind].strip() for row in rows if row.count("|") >= len(names) - 1]


async def _ask(switch: AsyncEslClient, command: Command) -> str:
    """An answer, or nothing: `-ERR no reply` is how the switch says that a value is empty."""
    try:
        return (await switch.api(command)).strip()
    except EslError:
        return ""
