"""No newline, brace, quote, comma, caret or pipe of a name, a number or a model reaches the wire unescaped.

Every kind of job is performed with hostile arguments; what goes out is taken apart as FreeSWITCH would, and has to be
exactly the commands, variables and targets that an honest job has, or nothing at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from eslbridge import jobs
from eslbridge.esl.errors import CommandRefused
from eslbridge.jobs import JobResult
from eslbridge.models import Job, JobKind, JobOutcome
from eslbridge.profiles import EslEndpoint
from eslbridge.work import actions, consulting, originating, telling
from tests.eslbridge.esl import freeswitch_text
from tests.eslbridge.test_jobs_runner import RecordingSwitch

DOMAIN = UUID("11111111-1111-4111-8111-111111111111")
CALL = UUID("22222222-2222-4222-8222-222222222222")
LEG = UUID("33333333-3333-4333-8333-333333333333")
SECOND = UUID("44444444-4444-4444-8444-444444444444")
ENDPOINT = EslEndpoint(DOMAIN, "acme.example", "127.0.0.1", 8021, "secret")
EVIL = "\n\r\0'\"\\,={}[]<>()|:_^&$;`! ~"
DIALLED = r"[A-Za-z0-9+*#_.-]+"
NUMBER = re.compile(r"[A-Za-z0-9+*#_][A-Za-z0-9+*#_.@-]*")
CONSULT = {*consulting.LOOPBACK, "origination_uuid", "origination_caller_id_number", "origination_caller_id_name",
           "ignore_early_media", "hangup_after_bridge", "socket_resume", "domain_uuid", "domain_name",
           "loopback_export", "originate_timeout", consulting.LEG, consulting.TOKEN}  # fmt: skip
ORIGINATE = {*consulting.LOOPBACK, "origination_uuid", "origination_caller_id_number", "origination_caller_id_name",
             "ignore_early_media", "park_timeout", "hangup_after_bridge", "domain_uuid", "domain_name",
             "originate_timeout", "secretary_party_number", telling.TOKEN}  # fmt: skip

text = st.one_of(
    st.text(st.sampled_from(EVIL + "01ab"), max_size=24),
    st.text(max_size=40),
    st.sampled_from([
        "1001", "1001\n\nbgapi originate user/1 &park", "1001 XML public", "x' &system(id)", "a}user/1002", "^^:a:b",
        "1001/globex.example", "1001@globex.example", "1001|user/1002", "1001,user/1002", "Ana\\,sip_h_X=1",
        "${system(id)}", "a:_:b", "-both", "&lua(x)", "'", "\\",
    ]),
)  # fmt: skip
arguments = st.fixed_dictionaries({}, optional=dict.fromkeys(
    ("number", "caller_number", "caller_name", "node_host", "node_port", "ring_s", "back_to", "destination_uuid",
     "hops", "to", "shown_name", "shown_number", "caller_id_number", "caller_id_name", "to_ring_s", "cause"), text,
))  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def no_database() -> Iterator[None]:
    """A job in memory is performed as one that was claimed; its second telephone answers."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (actions, originating):
            patch.setattr(module, "give_connection_back", lambda: None)
        patch.setattr(jobs, "mark_sent", lambda job: True)
        patch.setattr(jobs, "mark_dialled", lambda job: True)
        patch.setattr(actions, "media_profile", lambda **_: None)
        patch.setattr(originating.Hearing, "wait", lambda self, watch, seconds: JobResult(JobOutcome.DONE))
        patch.setattr(originating.Hearing, "wait_told", lambda self, watch: None)
        yield


def perform(kind: JobKind, given: dict[str, str]) -> list[str]:
    """The lines that go out for this job. A job that is refused has sent none that does something."""
    switch = RecordingSwitch(originate=f"+OK {LEG}")
    job = Job(job_uuid=LEG, domain_id=DOMAIN, call_uuid=CALL, kind=kind, arguments=given)

    @contextmanager
    def watch(endpoint: EslEndpoint) -> Iterator[Any]:
        yield switch

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(originating, "open_watch", watch)
        try:
            # One uuid_exists tells that nothing of the job's UUID is there yet.
            if kind == JobKind.ORIGINATE:
                switch.answers["uuid_exists"] = "false"
            actions.perform(job, switch, ENDPOINT)
        except CommandRefused:
            done = [line for line in switch.lines if line.startswith(("originate", "uuid_transfer", "uuid_kill"))]
            assert not done or kind == JobKind.ORIGINATE
        except ValueError:
            assert kind == JobKind.ORIGINATE and not switch.lines
    for line in switch.lines:
        assert not re.search(r"[\x00-\x1f\x7f]", line)
        assert line.count("\n") == 0 and "${" not in line
    return switch.lines


def originates(lines: list[str]) -> list[tuple[dict[str, str], str, str]]:
    return [freeswitch_text.originate(line[10:]) for line in lines if line.startswith("originate ")]


def is_plain(value: str) -> bool:
    """Nothing in it that means something in a dial string or a SIP header."""
    return not set(value) & set("\n\r\0{}[]<>()\\'\"^,;:=$|`&")


def check_target(line: str) -> None:
    """A transfer: one number of the domain's own dialplan."""
    name, call, number, dialplan, context = freeswitch_text.separate(line, " ", 10)
    assert (name, dialplan, context) == ("uuid_transfer", "XML", "acme.example")
    assert call in (str(CALL), str(LEG)) and NUMBER.fullmatch(number)


fuzzed = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])


@fuzzed
@given(arguments, st.sampled_from(["extension", "ring_group", "external", "queue", "'}"]), st.booleans())
@example(
    {"number": "1001", "node_host": "10.0.0.5", "node_port": "8022", "caller_name": "a}'|^^,\n"}, "extension", False
)
def test_consult(given: dict[str, str], kind: str, forwarded: bool) -> None:
    """One leg, to one endpoint of the domain, that goes to the node's socket and nowhere else."""
    given = {"node_host": "10.0.0.5", "node_port": "8022", "number": "1001", **given, "kind": kind}
    lines = perform(JobKind.CONSULT, given | ({"forwarded": "yes"} if forwarded else {}))
    assert lines[0] == f"uuid_exists {CALL}" and len(lines) <= 2
    for variables, endpoint, application in originates(lines):
        assert set(variables) <= CONSULT
        assert variables["origination_uuid"] == str(LEG) and variables["domain_uuid"] == str(DOMAIN)
        assert is_plain(variables["origination_caller_id_name"]) and is_plain(variables["origination_caller_id_number"])
        assert re.fullmatch(rf"user/{DIALLED}@acme\.example|loopback/{DIALLED}/acme\.example", endpoint)
        assert re.fullmatch(r"&socket\([A-Za-z0-9.-]+:[0-9]+ async full\)", application)


@fuzzed
@given(arguments, st.sampled_from(["", "dial", "secretary"]))
@example({"number": "1001", "shown_name": "a}'|^^,\n", "to": "+5511,user/1"}, "dial")
def test_originate(given: dict[str, str], then: str) -> None:
    """One leg that is parked, and after it at most one number of the domain's own dialplan."""
    lines = perform(JobKind.ORIGINATE, {"number": "1001", "kind": "extension", **given, "then": then, "tell": "yes"})
    for variables, endpoint, application in originates(lines):
        assert set(variables) <= ORIGINATE and application == "&park()"
        assert re.fullmatch(rf"user/{DIALLED}@acme\.example", endpoint)
        assert is_plain(variables.get("origination_caller_id_name", ""))
    for line in lines:
        if line == telling.tell(str(LEG), context="acme.example", parked_s=originating.PARKED_S).line[4:]:
            continue
        if line.startswith("uuid_transfer"):
            check_target(line)
        if line.startswith("uuid_setvar"):
            _, leg, name, *_value = freeswitch_text.separate(line, " ", 4)
            assert leg == str(LEG)
            assert name in {"effective_caller_id_number", "effective_caller_id_name", "call_timeout", "socket_resume",
                            "outbound_caller_id_number", "outbound_caller_id_name", "ignore_early_media",
                            "transfer_ringback"}  # fmt: skip


@fuzzed
@given(arguments)
@example({"number": "1001", "back_to": "8001", "destination_uuid": str(SECOND)})
@example({"number": "1001", "back_to": "8001,lua:x", "destination_uuid": "a,b"})
def test_transfer(given: dict[str, str]) -> None:
    """The caller's channel goes to one number of its domain; with a way back, by exactly our own steps."""
    for line in perform(JobKind.TRANSFER, {"number": "1001", **given}):
        if not line.startswith("uuid_transfer"):
            assert line.split(" ")[0] in ("uuid_exists", "uuid_setvar")
            continue
        parts = freeswitch_text.separate(line, " ", 10)
        if parts[-1] != "inline":
            check_target(line)
            continue
        steps = [step.partition(":") for step in parts[2].split(",")]
        changed = {(application, data.partition("=")[0]) for application, _, data in steps if "set" in application}
        assert changed <= {
            ("set", "continue_on_fail"), ("set", "hangup_after_bridge"), ("unset", "originate_disposition"),
        }  # fmt: skip
        moves = [(application, data) for application, _, data in steps if "set" not in application]
        assert [application for application, _ in moves] == ["execute_extension", "transfer"]
        for _, data in moves:
            number, dialplan, context = data.split(" ")
            assert NUMBER.fullmatch(number) and (dialplan, context) == ("XML", "acme.example")


@fuzzed
@given(arguments)
def test_hang_up(given: dict[str, str]) -> None:
    """One channel, by one of four causes."""
    lines = perform(JobKind.HANGUP, given)
    assert lines and all(re.fullmatch(rf"uuid_kill {CALL} [A-Z_]+", line) for line in lines)


@given(text)
def test_names_that_are_shown(name: str) -> None:
    """A caller's name on a telephone: printable, short, and without what any switch or SIP header reads."""
    shown = consulting.shown_name(name)
    assert is_plain(shown) and shown.isprintable() and len(shown) <= consulting.MAX_NAME
