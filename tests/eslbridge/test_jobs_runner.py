"""Running a job against a switch: whose call it is, what is said, and which outcome each answer becomes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from pytest_django import Settings

from eslbridge import jobs
from eslbridge.esl.command import Command
from eslbridge.esl.errors import AuthenticationFailed, CommandFailed, CommandTimeout, EslError, NotConnected
from eslbridge.esl.events import Event
from eslbridge.esl.interface import EslClient, EventCallback, EventTest
from eslbridge.esl.interface import JobResult as EslJobResult
from eslbridge.models import EslCredential, Job
from eslbridge.profiles import EslEndpoint
from eslbridge.tasks import run_job
from eslbridge.work import runner
from tenants.context import tenant_context
from tenants.services import update_domain
from tests.cast import Tenant

Answer = str | EslError


class RecordingSwitch(EslClient):
    """Stands in for a connection: writes down what it is told, and answers by the command's name."""

    def __init__(self, **answers: Answer) -> None:
        self.answers: dict[str, Answer] = {"uuid_exists": "true", **answers}
        self.lines: list[str] = []
        self.endpoints: list[EslEndpoint] = []
        self.on_command: Callable[[Command], None] = lambda command: None

    def api(self, command: Command, *, timeout_s: float = 5.0) -> str:
        self.on_command(command)
        self.lines.append(command.line.removeprefix("api "))
        answer = self.answers.get(command.name, "+OK")
        if isinstance(answer, EslError):
            raise answer
        return answer

    def bgapi(self, command: Command, *, timeout_s: float = 60.0) -> EslJobResult:
        return EslJobResult(str(uuid4()), self.api(command))

    @contextmanager
    def __call__(self, endpoint: EslEndpoint) -> Iterator[RecordingSwitch]:
        self.endpoints.append(endpoint)
        connecting = self.answers.get("connect")
        if isinstance(connecting, EslError):
            raise connecting
        yield self

    def connect(self) -> None: ...

    def close(self) -> None: ...

    @property
    def is_connected(self) -> bool:
        return True

    def subscribe(self, names: Iterable[str] = (), *, custom: Iterable[str] = ()) -> None: ...

    def on_event(self, callback: EventCallback, *names: str) -> None: ...

    def wait_for_event(self, name: str, test: EventTest | None = None, *, timeout_s: float) -> Event:
        raise CommandTimeout(name)


@pytest.fixture(autouse=True)
def no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_job, "apply_async", lambda arguments: None)


def new(tenant: Tenant, kind: str = "transfer", **about: Any) -> Job:
    about.setdefault("arguments", {"number": "1001", "kind": "extension"})
    return jobs.create_job(domain_uuid=tenant.domain_uuid, kind=kind, **about)


def run(job: Job, switch: RecordingSwitch) -> tuple[str, str] | None:
    """Run it and give outcome and reason as the row has them, checked against what `run` itself says."""
    result = runner.run(domain_uuid=job.domain_uuid, job_uuid=job.job_uuid, open_switch=switch)
    status = jobs.status(domain_uuid=job.domain_uuid, job_uuid=job.job_uuid)
    assert status is not None
    if result is None:
        return None
    assert status.is_final and (status.outcome, status.reason) == (result.outcome, result.reason)
    return result.outcome, result.reason


def test_transfer(acme: Tenant) -> None:
    """The caller's channel is looked for, told to end with the other one, and sent to its own domain's dialplan."""
    call, switch = acme.call(), RecordingSwitch()
    assert run(new(acme, call_uuid=call.call_uuid), switch) == ("done", "")
    assert switch.lines == [
        f"uuid_exists {call.call_uuid}",
        f"uuid_setvar {call.call_uuid} hangup_after_bridge 'true'",
        f"uuid_setvar {call.call_uuid} socket_resume 'false'",
        f"uuid_transfer {call.call_uuid} 1001 XML acme.example",
    ]
    [endpoint] = switch.endpoints
    assert (endpoint.host, endpoint.port, endpoint.password) == ("127.0.0.1", 8021, "password of acme.example")
    assert "password of" not in repr(endpoint)


def test_second_delivery_is_nothing(acme: Tenant) -> None:
    """Run twice, the caller is transferred once."""
    job, switch = new(acme, call_uuid=acme.call().call_uuid), RecordingSwitch()
    assert run(job, switch) == ("done", "")
    assert run(job, switch) is None
    assert sum("uuid_transfer" in line for line in switch.lines) == 1


@pytest.mark.parametrize("kind", ["transfer", "hangup"])
def test_somebody_elses_call(acme: Tenant, globex: Tenant, kind: str) -> None:
    """A job of acme that names globex's call, or nobody's, does not even open a connection."""
    for call_uuid in (globex.call().call_uuid, uuid4()):
        switch = RecordingSwitch()
        outcome = run(new(acme, kind=kind, call_uuid=call_uuid), switch)
        assert outcome == ("not_allowed", "the call is not this domain's")
        assert switch.endpoints == []


@pytest.mark.parametrize("kind", ["transfer", "hangup"])
def test_no_call_at_all(acme: Tenant, kind: str) -> None:
    """A job that must name a call and does not is refused."""
    assert run(new(acme, kind=kind), switch := RecordingSwitch()) == ("not_allowed", "the job names no call")
    assert switch.lines == []


def test_missing_ownership_check_fails_closed(acme: Tenant, settings: Settings) -> None:
    """If nobody can say whose call it is, it is not touched."""
    settings.ESLBRIDGE_OWNS_CALL = "secretary.selectors.calls.no_such_function"
    outcome = run(new(acme, call_uuid=acme.call().call_uuid), switch := RecordingSwitch())
    assert outcome is not None and outcome[0] == "failed"
    assert switch.endpoints == []


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"number": "8001", "kind": "extension"}, "secretary_loop"),
        ({"number": "911", "kind": "extension"}, "emergency"),
        ({"number": "+4930123456", "kind": "extension"}, "malformed"),
        ({"number": "1001 XML public", "kind": "extension"}, "malformed"),
        ({"number": "1001\napi status", "kind": "extension"}, "malformed"),
        ({"number": "1001", "kind": "ufo"}, "unknown_kind"),
        ({}, "malformed"),
    ],
)
def test_policy_has_the_last_word(acme: Tenant, arguments: dict[str, str], reason: str) -> None:
    """Whatever got into the row, the worker asks again before it connects."""
    job = new(acme, call_uuid=acme.call().call_uuid, arguments=arguments)
    ended = run(job, switch := RecordingSwitch())
    assert ended is not None and (ended[0], ended[1].split(" ")[0]) == ("not_allowed", reason)
    assert switch.endpoints == []


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [
        ({"uuid_exists": "false"}, "caller_gone"),
        ({"uuid_setvar": CommandFailed("uuid_setvar", "-ERR No such channel!")}, "caller_gone"),
        ({"uuid_transfer": CommandFailed("uuid_transfer", "-ERR No such channel!")}, "caller_gone"),
        ({"uuid_transfer": CommandFailed("uuid_transfer", "-ERR permission denied")}, "failed"),
        ({"connect": NotConnected("refused")}, "unreachable"),
        ({"connect": AuthenticationFailed("wrong password")}, "unreachable"),
        ({"uuid_exists": CommandTimeout("no answer")}, "unreachable"),
        ({"uuid_transfer": CommandTimeout("no answer")}, "failed"),
        ({"uuid_transfer": NotConnected("cut")}, "failed"),
    ],
)
def test_typed_outcomes(acme: Tenant, answers: dict[str, Answer], outcome: str) -> None:
    """Each way to fail becomes one word; after the transfer itself went out, silence is never «unreachable»."""
    result = run(new(acme, call_uuid=acme.call().call_uuid), RecordingSwitch(**answers))
    assert result is not None and result[0] == outcome


def test_cancelled_while_connecting(acme: Tenant) -> None:
    """The caller hangs up, or was told something else, while the worker still talks to the switch: nothing is sent."""
    job, switch = new(acme, call_uuid=acme.call().call_uuid), RecordingSwitch()

    def cancel(command: Command) -> None:
        if "hangup_after_bridge" in command.line:
            assert jobs.cancel(domain_uuid=job.domain_uuid, job_uuid=job.job_uuid)

    switch.on_command = cancel
    assert run(job, switch) is None
    assert not any("uuid_transfer" in line for line in switch.lines)
    status = jobs.status(domain_uuid=job.domain_uuid, job_uuid=job.job_uuid)
    assert status is not None and status.state == "cancelled"


def test_disabled_domain(acme: Tenant) -> None:
    """A disabled tenant's jobs do not run."""
    call = acme.call()
    update_domain(domain_uuid=acme.domain_uuid, enabled=False)
    result = run(new(acme, call_uuid=call.call_uuid), switch := RecordingSwitch())
    assert result is not None and result[0] == "not_allowed"
    assert switch.endpoints == []


def test_no_credential(acme: Tenant) -> None:
    """Without a switch there is nobody to tell."""
    call = acme.call()
    with tenant_context(acme.domain_uuid):
        EslCredential.objects.all().delete()
    result = run(new(acme, call_uuid=call.call_uuid), RecordingSwitch())
    assert result is not None and result[0] == "not_allowed"


def test_lost_encryption_key(acme: Tenant, settings: Settings) -> None:
    """A password that does not open makes the switch unreachable; its ciphertext is never sent as the password."""
    call = acme.call()
    settings.FIELD_ENCRYPTION_KEYS = ["A" * 43 + "="]
    result = run(new(acme, call_uuid=call.call_uuid), switch := RecordingSwitch())
    assert result is not None and result[0] == "unreachable"
    assert switch.endpoints == []


def test_a_bug_of_ours_still_ends_the_job(acme: Tenant) -> None:
    """An exception nobody thought of: the row ends as failed, and says no more than the exception's name."""
    switch = RecordingSwitch()

    def crash(command: Command) -> None:
        raise ZeroDivisionError("secret detail")

    switch.on_command = crash
    assert run(new(acme, call_uuid=acme.call().call_uuid), switch) == ("failed", "ZeroDivisionError")


def test_hang_up(acme: Tenant) -> None:
    """A call is ended with a known cause, whatever the row says; one that is gone is no failure of ours."""
    call, switch = acme.call(), RecordingSwitch()
    assert run(new(acme, "hangup", call_uuid=call.call_uuid, arguments={"cause": "USER_BUSY"}), switch) == ("done", "")
    assert run(new(acme, "hangup", call_uuid=call.call_uuid, arguments={"cause": "X Y"}), switch) == ("done", "")
    assert switch.lines == [
        f"uuid_kill {call.call_uuid} USER_BUSY",
        f"uuid_kill {call.call_uuid} NORMAL_CLEARING",
    ]
    gone = RecordingSwitch(uuid_kill=CommandFailed("uuid_kill", "-ERR No such channel!"))
    result = run(new(acme, "hangup", call_uuid=call.call_uuid, arguments={}), gone)
    assert result is not None and result[0] == "caller_gone"


def test_originate_rings_once(acme: Tenant) -> None:
    """The new leg has the job's own UUID: when the switch has such a leg, the command went out before."""
    job, switch = new(acme, "originate", arguments={"number": "1002"}), RecordingSwitch(uuid_exists="false")
    assert run(job, switch) == ("done", "")
    line = switch.lines[-1]
    assert line.startswith("originate {") and line.endswith("'&park()'")
    assert f"origination_uuid='{job.job_uuid}'" in line or f"origination_uuid={job.job_uuid}" in line
    assert "user/1002@acme.example" in line
    again = RecordingSwitch(uuid_exists="true")
    assert run(new(acme, "originate", arguments={"number": "1002"}), again) == ("done", "")
    assert len(again.lines) == 1
    outside = new(acme, "originate", arguments={"number": "+4930123456", "kind": "external"})
    result = run(outside, RecordingSwitch())
    assert result is not None and result[0] == "not_allowed"


def test_task_is_the_same_thing(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Celery's task takes the two ids as text and does no more than `run`."""
    seen: list[dict[str, object]] = []
    monkeypatch.setattr(runner, "run", lambda **ids: seen.append(ids))
    job = new(acme)
    run_job.apply((str(acme.domain_uuid), str(job.job_uuid)))
    assert seen == [{"domain_uuid": acme.domain_uuid, "job_uuid": job.job_uuid}]


@pytest.mark.django_db(transaction=True)
def test_no_connection_is_held_while_the_switch_is_asked(acme: Tenant) -> None:
    """A hundred jobs of a worker share ten connections: those that ring must not keep the others waiting."""
    held: list[bool] = []
    switch = RecordingSwitch(uuid_exists="false")
    switch.on_command = lambda command: held.append(connection.connection is not None)
    job = new(acme, "originate")
    result = runner.run(domain_uuid=acme.domain_uuid, job_uuid=job.job_uuid, open_switch=switch)
    assert result is not None and result.outcome == "done"
    assert len(held) == 2 and not any(held)
