"""Whether there is any use in ringing: asked of the switch on its own wire, and never a reason to keep a caller."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from eslbridge.esl.command import Command
from eslbridge.esl.errors import CommandFailed, NotConnected
from eslbridge.esl.inbound import InboundClient
from eslbridge.esl.interface import Address
from eslbridge.simulator import Caller, Extension, Options, StandInSwitch
from secretary.services import availability
from secretary.services.availability import UNKNOWN, Availability, Free, agents_statuses, availability_of

ACME, GLOBEX = "acme.example", "globex.example"
PHONES = [
    Extension("1001", ACME),
    Extension("1002", ACME, "unregistered"),
    Extension("1003", ACME, directory={"do_not_disturb": "true"}),
    Extension("1004", ACME, directory={"forward_all_enabled": "true", "do_not_disturb": "false"}),
    Extension("1001", GLOBEX),
    Extension("1005", GLOBEX),
]


@pytest.fixture
async def switch() -> AsyncIterator[StandInSwitch]:
    async with StandInSwitch(Options(port=0, extensions=PHONES)) as switch:
        switch.dialplan.add(ACME, "9196", [("answer", ""), ("park", "")])
        switch.dialplan.add(GLOBEX, "9196", [("answer", ""), ("park", "")])
        switch.queues[f"600@{ACME}"] = {f"1001@{ACME}": "Available"}
        switch.queues[f"601@{ACME}"] = {f"1001@{ACME}": "Logged Out", f"1002@{ACME}": "On Break"}
        switch.queues[f"602@{ACME}"] = {}
        yield switch


@pytest.fixture
async def client(switch: StandInSwitch) -> AsyncIterator[InboundClient]:
    client = InboundClient(Address("127.0.0.1", switch.port, switch.options.password))
    await client.connect()
    yield client
    await client.close()


async def ask(client: Any, number: str, kind: str = "extension", domain: str = ACME) -> Availability:
    return await availability_of(client, kind=kind, number=number, domain_name=domain)


@pytest.mark.parametrize(
    ("number", "word", "forwarded"),
    [
        ("1001", Free.FREE, False),
        ("1002", Free.UNREGISTERED, False),
        ("1003", Free.DND, False),
        ("1004", Free.UNKNOWN, True),
        ("1999", Free.UNREACHABLE, False),
    ],
)
async def test_extensions(client: InboundClient, number: str, word: Free, forwarded: bool) -> None:
    """Registered, not registered, do not disturb, forwarded, and no such user at all."""
    assert await ask(client, number) == Availability(word, forwarded)


async def test_in_a_call(client: InboundClient, switch: StandInSwitch) -> None:
    """Busy while a leg of exactly that user is up: not one of the same number in another domain, nor one that rings."""
    theirs = switch.place_call(GLOBEX, "9196", Caller(patience_ms=None), caller_number="1001",
                               variables={"presence_id": f"1001@{GLOBEX}"})  # fmt: skip
    await theirs.answered.wait()
    assert (await ask(client, "1001")).word is Free.FREE
    assert (await ask(client, "1001", domain=GLOBEX)).word is Free.BUSY
    mine = switch.place_call(ACME, "9196", Caller(patience_ms=None), caller_number="1001",
                             variables={"presence_id": f"1001@{ACME}"})  # fmt: skip
    await mine.answered.wait()
    assert (await ask(client, "1001")).word is Free.BUSY


async def test_domains_do_not_meet(client: InboundClient) -> None:
    """Another domain's user tells nothing about a number of ours."""
    assert (await ask(client, "1005", domain=GLOBEX)).word is Free.FREE
    assert (await ask(client, "1005")).word is Free.UNREACHABLE


@pytest.mark.parametrize(
    ("number", "word"),
    [("600", Free.FREE), ("601", Free.NO_AGENTS), ("602", Free.NO_AGENTS), ("699", Free.UNKNOWN)],
)
async def test_queues(client: InboundClient, number: str, word: Free) -> None:
    """A queue with somebody ready, one whose agents are away, one without any; and no such queue, of which nothing can
    be told."""
    found = await ask(client, number, "queue")
    assert found.word is word
    assert found.blocks is (word is Free.NO_AGENTS)


@pytest.mark.parametrize("kind", ["ring_group", "external", "voicemail", "ivr", "secretary"])
async def test_nothing_is_asked_about_other_kinds(switch: StandInSwitch, client: InboundClient, kind: str) -> None:
    """Whether a group or a number outside is free, nobody can tell before."""
    assert await ask(client, "1002", kind) == UNKNOWN
    assert not switch.api.calls


class Answers:
    """A client that answers as it is told; for what a switch does only in trouble."""

    def __init__(self, **answers: str | Exception | float) -> None:
        self.answers = answers
        self.asked: list[str] = []

    async def api(self, command: Command, *, timeout_s: float = 5.0) -> str:
        self.asked.append(command.name)
        match self.answers.get(command.name, ""):
            case Exception() as error:
                raise error
            case float() as seconds:
                await asyncio.sleep(seconds)
                return ""
            case answer:
                return str(answer)


async def test_a_slow_switch_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """All questions together take no longer than ASK_S, and then it is unknown, which blocks nothing."""
    monkeypatch.setattr(availability, "ASK_S", 0.1)
    begun = time.monotonic()
    found = await ask(Answers(sofia_contact=5.0), "1001")
    assert found == UNKNOWN and not found.blocks and time.monotonic() - begun < 1.0


@pytest.mark.parametrize("error", [NotConnected("gone"), CommandFailed("x", "-ERR"), OSError("reset")])
async def test_a_broken_switch_is_unknown(error: Exception) -> None:
    """Whatever fails: unknown, and no exception."""
    broken = dict.fromkeys(("user_data", "sofia_contact", "show", "callcenter_config"), error)
    for kind in ("extension", "queue"):
        assert await ask(Answers(**broken), "1001", kind) == UNKNOWN


async def test_what_is_no_number_is_never_asked() -> None:
    """A number that would be more than an argument is refused by the command itself: nothing goes out."""
    client = Answers()
    for number in ("1001 as xml", "1001\n\nexit", "", "1001@globex.example/x", "%"):
        assert await ask(client, number) == UNKNOWN
        assert await ask(client, number, "queue") == UNKNOWN
    assert not client.asked


async def test_a_dial_string_of_its_own() -> None:
    """A user who is reached by an address needs no registration: not registered says nothing there."""
    given: dict[str, str | Exception | float] = {"sofia_contact": "error/user_not_registered"}
    assert (await ask(Answers(**given, user_data="sofia/gateway/trunk/1001"), "1001")).word is Free.UNKNOWN


# Recorded from FreeSWITCH 1.11, with what a contact may be.
AGENTS = """name|instance_id|uuid|type|contact|status|state|max_no_answer|wrap_up_time|reject_delay_time|\
busy_delay_time|no_answer_delay_time|last_bridge_start|last_bridge_end|last_offered_call|last_status_change|\
no_answer_count|calls_answered|talk_time|ready_time|external_calls_count
5b2f0000-0000-4000-8000-000000000001|single_box||callback|[leg_timeout=10]user/1001@acme.example|\
user/1002@acme.example|On Break|Waiting|3|10|10|60|0|0|0|0|1795246786|0|0|0|0|0
5b2f0000-0000-4000-8000-000000000002|single_box||callback|{call_timeout=15}user/1003@acme.example|\
Available (On Demand)|Waiting|3|10|10|60|0|0|0|0|1795246786|0|0|0|0|0
+OK
"""


def test_the_agents_table() -> None:
    """A contact is a dial string, which may hold the sign that parts the columns: the status is found all the same."""
    assert agents_statuses(AGENTS) == ["On Break", "Available (On Demand)"]
    assert agents_statuses(AGENTS.replace("+OK\n", "cut|off")) == ["On Break", "Available (On Demand)"]


@pytest.mark.parametrize("table", ["garbage", "a|b\n1|2\n+OK", "status\n", "|status|\n|\n+OK", "-ERR no reply"])
async def test_a_table_of_another_shape(table: str) -> None:
    """A queue's agents in a form that we do not know are no agents that are away."""
    assert (await ask(Answers(callcenter_config=table), "600", "queue")).word in (Free.UNKNOWN, Free.NO_AGENTS)
    assert not (await ask(Answers(callcenter_config=table), "600", "queue")).blocks or "|" in table
