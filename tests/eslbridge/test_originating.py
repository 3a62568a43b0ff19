"""Calling out against the stand-in switch: who is rung, what the second leg shows, every end, and taking it back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eslbridge import dialling, jobs
from eslbridge.esl import commands
from eslbridge.esl.errors import CommandRefused
from eslbridge.esl.events import JsonEvent
from eslbridge.jobs import JobResult
from eslbridge.models import Job, JobKind
from eslbridge.profiles import EslEndpoint
from eslbridge.services import save_credential
from eslbridge.simulator import Extension, Options, StandInSwitch
from eslbridge.simulator.arguments import separate
from eslbridge.simulator.originate import split_variables
from eslbridge.tasks import run_job
from eslbridge.work import originating, runner
from eslbridge.work.consulting import dial_string, loopback_variables
from eslbridge.work.hearing import Hearing
from tenants.context import in_thread, tenant_context
from tests.cast import Tenant, make_tenant
from tests.eslbridge.simulator.node import until

pytestmark = [pytest.mark.django_db(transaction=True)]
DOMAIN = "acme.example"
CUSTOMER = "+5511987650001"
QUICK = 0.05


@pytest.fixture(autouse=True)
def no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_job, "apply_async", lambda arguments: None)


@pytest.fixture
async def switch() -> AsyncIterator[StandInSwitch]:
    extensions = [
        Extension("1001", DOMAIN, answer_after_s=QUICK),
        Extension("1002", DOMAIN, "busy", answer_after_s=QUICK),
        Extension("1003", DOMAIN, "no_answer"),
        Extension("1004", DOMAIN, "unregistered"),
        Extension("1005", DOMAIN, answer_after_s=QUICK, hang_up_after_s=0.3),
        Extension("customer", DOMAIN, answer_after_s=0.2),
        Extension("engaged", DOMAIN, "busy", answer_after_s=QUICK),
        Extension("away", DOMAIN, "no_answer"),
    ]
    async with StandInSwitch(Options(port=0, extensions=extensions)) as switch:
        for number, who in ((CUSTOMER, "customer"), ("+5511987650002", "engaged"), ("+5511987650003", "away")):
            switch.dialplan.add(DOMAIN, number, [("bridge", f"user/{who}@{DOMAIN}")])
        switch.dialplan.add(DOMAIN, "8001", [("answer", ""), ("park", "")])
        yield switch


@pytest.fixture
async def acme(switch: StandInSwitch) -> Tenant:
    acme = await in_thread(make_tenant, DOMAIN, language="pt-br")
    await in_thread(
        save_credential, domain_uuid=acme.domain_uuid, port=switch.port, password=switch.options.password,
        connect_timeout_s=1.0, reconnect_delay_s=0.1, max_reconnects=0,
    )  # fmt: skip
    await in_thread(dialling.save_rules, domain_uuid=acme.domain_uuid, external_allowed=True)
    return acme


def new(acme: Tenant, **arguments: str) -> Job:
    return jobs.create_job(domain_uuid=acme.domain_uuid, kind=JobKind.ORIGINATE, arguments=arguments)


async def done(acme: Tenant, job: Job) -> JobResult | None:
    return await in_thread(runner.run, domain_uuid=acme.domain_uuid, job_uuid=job.pk)


def stored(acme: Tenant, uuid: UUID) -> Job:
    with tenant_context(acme.domain_uuid):
        return Job.objects.get(pk=uuid)


def click(acme: Tenant, number: str = "1001", to: str = CUSTOMER, **more: str) -> Job:
    to_kind = "external" if to.startswith("+") else "extension"
    return new(acme, number=number, then="dial", to=to, to_kind=to_kind, **more)


async def test_colleague_then_customer(switch: StandInSwitch, acme: Tenant) -> None:
    """The telephone shows whom it is about; the other one shows the domain's number; the answer ends the job."""
    job = await in_thread(
        click, acme, shown_number=CUSTOMER, shown_name="Retorno, Ana {x}", caller_id_number="+551133330000",
        caller_id_name="Acme", to_ring_s="12",
    )  # fmt: skip
    assert await done(acme, job) == JobResult("done")
    leg = switch.channels[str(job.pk)]
    assert leg.profile.caller_number == CUSTOMER and leg.profile.caller_name == "Retorno Ana x"
    assert leg.profile.destination == CUSTOMER and leg.profile.context == DOMAIN
    assert leg.other_leg is not None and leg.other_leg.profile.destination == "customer"
    for name in ("effective_caller_id_number", "outbound_caller_id_number"):
        assert leg.variable(name) == "+551133330000"
    assert (leg.variable("effective_caller_id_name"), leg.variable("call_timeout")) == ("Acme", "12")
    row = await in_thread(stored, acme, job.pk)
    assert row.dialled_at is not None and row.state == "done"
    assert await done(acme, job) is None
    await in_thread(jobs.enqueue, acme.domain_uuid, job.pk)
    leg.hang_up()
    await until(lambda: not switch.channels)


@pytest.mark.parametrize(
    ("number", "to", "outcome", "leg", "cause"),
    [
        ("1002", CUSTOMER, "busy", "first", "USER_BUSY"),
        ("1003", CUSTOMER, "no_answer", "first", "NO_ANSWER"),
        ("1004", CUSTOMER, "unregistered", "first", "USER_NOT_REGISTERED"),
        ("1001", "+5511987650002", "busy", "second", "USER_BUSY"),
        ("1001", "+5511987650003", "no_answer", "second", "NO_ANSWER"),
        ("1001", "+5511987650009", "unreachable", "second", "NO_ROUTE_DESTINATION"),
        ("1005", "+5511987650003", "declined", "first", "NORMAL_CLEARING"),
    ],
)
async def test_typed_ends(
    number: str, to: str, outcome: str, leg: str, cause: str, switch: StandInSwitch, acme: Tenant,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Whose telephone it was, the cause, and one word; nothing is left on the switch, and who was dialled is known."""
    monkeypatch.setattr(originating, "LEAST_RING_S", 1)
    job = await in_thread(click, acme, number, to, ring_s="1", to_ring_s="1")
    result = await done(acme, job)
    assert result is not None
    assert (result.outcome, result.detail) == (outcome, {"leg": leg, "cause": cause})
    row = await in_thread(stored, acme, job.pk)
    assert (row.state, row.outcome, row.detail) == ("failed", outcome, {"leg": leg, "cause": cause})
    assert (row.dialled_at is not None) == (number in ("1001", "1005"))
    await until(lambda: not switch.channels)


@pytest.mark.parametrize("ends", [("leg", "second"), ("second", "leg")])
def test_ends_are_told_in_any_order(ends: tuple[str, str]) -> None:
    """A customer who did not answer: FreeSWITCH tells the end of the colleague's leg first, or last."""
    told = {
        "leg": {"Unique-ID": "leg", "Hangup-Cause": "NORMAL_CLEARING", "variable_originate_failed_cause": "NO_ANSWER"},
        "second": {"Unique-ID": "second", "Other-Leg-Unique-ID": "leg", "Hangup-Cause": "NO_ANSWER"},
    }
    hearing = Hearing("leg")
    hearing.dialled = True
    for one in ends:
        hearing.note(JsonEvent(json.dumps({"Event-Name": "CHANNEL_HANGUP_COMPLETE", **told[one]}).encode()))
    assert hearing.result is not None and hearing.result.outcome == "no_answer"
    assert hearing.result.detail == {"leg": "second", "cause": "NO_ANSWER"}


async def test_a_group_in_which_nobody_answers(switch: StandInSwitch, acme: Tenant) -> None:
    """Its dialplan comes to an end: nobody has declined."""
    switch.dialplan.add(DOMAIN, "600", [("set", "call_timeout=1"), ("bridge", f"user/1003@{DOMAIN}")])
    job = await in_thread(click, acme, "600", kind="ring_group")
    result = await done(acme, job)
    assert result is not None and result.outcome == "no_answer" and result.detail["leg"] == "first"
    await until(lambda: not switch.channels)


async def test_secretary(switch: StandInSwitch, acme: Tenant) -> None:
    """A telephone that answers is with the secretary at her extension; an outside one goes through the dialplan."""
    job = await in_thread(new, acme, number="1001", then="secretary", to="8001", shown_number="8001")
    assert await done(acme, job) == JobResult("done")
    leg = switch.channels[str(job.pk)]
    await until(lambda: leg.history[-2:] == [("answer", ""), ("park", "")])
    assert leg.profile.destination == "8001" and leg.variable("secretary_party_number") == "1001"
    refused = await in_thread(new, acme, number="1001", then="secretary", to="1002")
    result = await done(acme, refused)
    assert result is not None and result.outcome == "not_allowed"


async def test_policy_has_the_last_word(switch: StandInSwitch, acme: Tenant) -> None:
    """Numbers that were fine when the job was made, and are not any more: nothing rings."""
    job = await in_thread(click, acme)
    await in_thread(dialling.save_rules, domain_uuid=acme.domain_uuid, external_allowed=False)
    for one in (job, await in_thread(click, acme, "1001", "190"), await in_thread(click, acme, "1001", "8001")):
        result = await done(acme, one)
        assert result is not None and result.outcome == "not_allowed", one
    assert not switch.channels


async def test_taken_back_while_it_rings(switch: StandInSwitch, acme: Tenant) -> None:
    """What rings is hung up, at whichever telephone; the job ends as cancelled, and asking twice changes nothing."""
    for number, to, dialled in (("1003", CUSTOMER, False), ("1001", "+5511987650003", True)):
        job = await in_thread(click, acme, number, to)
        running = asyncio.create_task(done(acme, job))
        await until(lambda job=job: str(job.pk) in switch.channels)  # type: ignore[misc]
        if dialled:
            await until(lambda job=job, to=to: switch.channels[str(job.pk)].profile.destination == to)  # type: ignore[misc]
        for _ in range(2):
            assert await in_thread(jobs.cancel_ringing, domain_uuid=acme.domain_uuid, job_uuid=job.pk)
        await hang_up(acme)
        await running
        row = await in_thread(stored, acme, job.pk)
        assert (row.state, row.outcome, row.dialled_at is not None) == ("cancelled", "", dialled)
        await until(lambda: not switch.channels)
        assert not await in_thread(jobs.cancel_ringing, domain_uuid=acme.domain_uuid, job_uuid=job.pk)


async def hang_up(acme: Tenant) -> None:
    """Run the job that hangs up."""

    def waiting() -> Any:
        with tenant_context(acme.domain_uuid):
            return Job.objects.get(kind="hangup", state="queued")

    result = await done(acme, await in_thread(waiting))
    assert result == JobResult("done")


async def test_leg_of_a_dead_worker(switch: StandInSwitch, acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever answers a telephone that nobody looks after any more is not left on a silent line."""

    def dies(*_: object) -> JobResult:
        raise SystemExit

    monkeypatch.setattr(originating, "_to_second", dies)
    monkeypatch.setattr(originating, "PARKED_S", 1)
    job = await in_thread(click, acme)

    def run() -> None:
        with pytest.raises(SystemExit):
            runner.run(domain_uuid=acme.domain_uuid, job_uuid=job.pk)

    await in_thread(run)
    row = await in_thread(stored, acme, job.pk)
    assert (row.state, row.dialled_at) == ("running", None)
    assert str(job.pk) in switch.channels
    await until(lambda: not switch.channels)


async def test_foreign_leg(switch: StandInSwitch, acme: Tenant) -> None:
    """Another tenant's ringing leg is not hung up by its job's UUID."""
    globex = await in_thread(make_tenant, "globex.example")
    await in_thread(save_credential, domain_uuid=globex.domain_uuid, port=switch.port, password=switch.options.password)
    job = await in_thread(click, acme, "1003")
    running = asyncio.create_task(done(acme, job))
    await until(lambda: str(job.pk) in switch.channels)
    assert not await in_thread(jobs.cancel_ringing, domain_uuid=globex.domain_uuid, job_uuid=job.pk)
    theirs = await in_thread(
        jobs.create_job, domain_uuid=globex.domain_uuid, kind=JobKind.HANGUP, arguments={"job_uuid": str(job.pk)}
    )
    result = await done(globex, theirs)
    assert result is not None and result.outcome == "not_allowed"
    assert str(job.pk) in switch.channels
    switch.channels[str(job.pk)].hang_up("NO_ANSWER")
    await running


TEXTS = st.one_of(st.text(max_size=60), st.sampled_from(["a}b", "{x}", "a'b", "a\nb", "${system ls}", "a,b=c"]))
SPOKEN_OF = ("shown_name", "shown_number", "caller_id_name", "caller_id_number")


@given(
    texts=st.fixed_dictionaries({name: TEXTS for name in SPOKEN_OF}),
    number=st.from_regex(r"\+?[0-9*#]{1,20}\Z"),
    kind=st.sampled_from(["extension", "external", "ring_group"]),
)
def test_no_text_becomes_a_command(texts: dict[str, str], number: str, kind: str) -> None:
    """Whatever a name or a number holds: one line, one `originate`, and variables that arrive as they were or not at
    all; or nothing is sent."""
    arguments = {"number": number, "kind": kind, "then": "dial", "to": "1002", **texts}
    job = Job(domain_id=uuid4(), kind="originate", arguments=arguments)
    endpoint = EslEndpoint(job.domain_uuid, DOMAIN, "127.0.0.1", 8021, "x")
    wish = originating.Wish.of(job)
    try:
        dial = dial_string(kind=wish.kind, number=wish.number, domain_name=DOMAIN)
        given_variables = {**originating.variables(job, wish, endpoint), **loopback_variables(dial)}
        line = commands.originate(dial, variables=given_variables, timeout_s=wish.ring_s).line
    except CommandRefused:
        return
    assert not set(line) & set("\r\n\0")
    words = separate(line.removeprefix("api originate "))
    assert len(words) == 2 and words[1] == "&park()"
    read, rest = split_variables(words[0])
    assert rest == dial
    wanted = {name: value for name, value in given_variables.items() if value}
    assert read == {**wanted, "originate_timeout": str(wish.ring_s)}
