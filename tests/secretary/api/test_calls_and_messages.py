"""What has happened: calls, what was said, sound, messages, jobs, usage."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from eslbridge import jobs
from eslbridge.models import Job
from secretary.models import UsageDay
from secretary.profiles import CallRecord, EventRecord, MessageRecord, UtteranceRecord
from secretary.services.calls import finish_call
from tenants.context import tenant_context
from tests.cast import Tenant
from tests.secretary.api.client import Api

SOUND = bytes(range(256)) * 4


def a_finished_call(tenant: Tenant, **record: Any) -> UUID:
    call = tenant.call(caller_number="+5511999998888", caller_name="Ana")
    folder = Path(settings.DATA_DIR) / "api-tests"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sound.wav").write_bytes(SOUND)
    about: dict[str, Any] = {
        "outcome": "message",
        "answered_at": call.started_at,
        "ended_at": call.started_at + timedelta(seconds=42),
        "recording": "api-tests/sound.wav",
        "utterances": (
            UtteranceRecord("secretary", "Good morning.", 0, 900),
            UtteranceRecord("caller", "Oi", 950, 1200),
        ),
        "events": (EventRecord(0, "answered"), EventRecord(400, "barge_in", {"ms": 3})),
        "message": MessageRecord(text="Call me back.", audio="api-tests/sound.wav", complete=True),
        **record,
    }  # fmt: skip
    finish_call(domain_uuid=tenant.domain_uuid, call_uuid=call.pk, record=CallRecord(**about))
    return call.pk


def test_a_call_with_all_that_was_said(acme: Tenant, api: Api) -> None:
    """The call, its transcript and its timeline."""
    call_uuid = a_finished_call(acme)
    where = f"domains/{acme.domain_uuid}/calls/{call_uuid}"
    call = api.get(where).json()
    assert (call["caller_number"], call["outcome"], call["duration_s"], call["has_recording"]) == (
        "+5511999998888", "message", 42.0, True,
    )  # fmt: skip
    assert [line["text"] for line in api.get(f"{where}/transcript").json()["items"]] == ["Good morning.", "Oi"]
    assert [point["kind"] for point in api.get(f"{where}/timeline").json()["items"]] == ["answered", "barge_in"]


def test_filters_of_calls(acme: Tenant, api: Api) -> None:
    """By outcome, secretary, number and time."""
    a_finished_call(acme)
    listed = f"domains/{acme.domain_uuid}/calls"
    tomorrow = (timezone.now() + timedelta(days=1)).isoformat().replace("+00:00", "Z")

    def found(query: str) -> int:
        return len(api.get(f"{listed}?{query}").json()["items"])

    assert found("outcome=message") == 1
    assert found("outcome=failed") == 0
    assert found(f"secretary_uuid={acme.secretary.pk}") == 1
    assert found(f"secretary_uuid={uuid4()}") == 0
    assert found("caller_number=%2B5511999998888") == 1
    assert found(f"started_before={tomorrow}") == 1
    assert found(f"started_from={tomorrow}") == 0
    assert api.get(f"{listed}?outcome=nonsense").status_code == 400


@pytest.mark.parametrize(
    ("wanted", "status", "length"),
    [
        ("", 200, 1024),
        ("bytes=0-9", 206, 10),
        ("bytes=-5", 206, 5),
        ("bytes=1000-", 206, 24),
        ("bytes=0-9,20-29", 200, 1024),
    ],
)  # fmt: skip
def test_parts_of_a_recording(acme: Tenant, api: Api, wanted: str, status: int, length: int) -> None:
    """A player asks for parts, and gets them."""
    where = f"domains/{acme.domain_uuid}/calls/{a_finished_call(acme)}/recording"
    answer = api.get(where, **({"Range": wanted} if wanted else {}))
    assert answer.status_code == status
    assert len(b"".join(answer.streaming_content)) == length
    assert answer["Content-Type"] == "audio/wav"
    assert answer["X-Request-Id"]


def test_a_part_that_is_not_there(acme: Tenant, api: Api) -> None:
    """416 in the API's shape, with the length; a call without a recording is 404."""
    where = f"domains/{acme.domain_uuid}/calls/{a_finished_call(acme)}/recording"
    answer = api.get(where, Range="bytes=5000-")
    assert (answer.status_code, answer["Content-Range"]) == (416, "bytes */1024")
    assert answer.json()["code"] == "range_not_satisfiable"
    silent = a_finished_call(acme, recording="")
    assert api.get(f"domains/{acme.domain_uuid}/calls/{silent}/recording").status_code == 404


def test_messages_are_read(acme: Tenant, api: Api) -> None:
    """Listed, listened to, marked; `read` is the one thing that can be written."""
    a_finished_call(acme)
    listed = f"domains/{acme.domain_uuid}/messages"
    (message,) = api.get(f"{listed}?read=false").json()["items"]
    where = f"{listed}/{message['message_uuid']}"
    assert b"".join(api.get(f"{where}/audio").streaming_content) == SOUND
    marked = api.patch(where, {"read": True, "text": "changed?"}, If_Match=api.get(where)["ETag"])
    assert marked.status_code == 200
    assert (marked.json()["read"], marked.json()["text"]) == (True, "Call me back.")
    assert api.get(f"{listed}?read=false").json()["items"] == []
    assert api.patch(where, {"read": False}, If_Match=marked["ETag"]).json()["read_at"] is None


def test_jobs(acme: Tenant, api: Api) -> None:
    """Each kind is written as a row, with what it needs."""
    call = acme.call()
    where = f"domains/{acme.domain_uuid}/jobs"
    for body in (
        {"kind": "originate", "number": "1001"},
        {"kind": "transfer", "call_uuid": str(call.pk), "destination_uuid": str(acme.sales.pk)},
        {"kind": "hangup", "call_uuid": str(call.pk)},
    ):
        answer = api.post(where, body)
        assert answer.status_code == 202, answer.json()
        assert answer.json()["state"] == "queued"
        assert api.get(answer["Location"].removeprefix("/api/v1/")).json()["kind"] == body["kind"]
    assert len(api.get(f"{where}?call_uuid={call.pk}").json()["items"]) == 2


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"kind": "originate"}, "number", "required"),
        ({"kind": "originate", "number": "911"}, "number", "emergency"),
        ({"kind": "originate", "number": "8001"}, "number", "secretary_loop"),
        ({"kind": "originate", "number": "10\n01"}, "number", "invalid"),
        ({"kind": "originate", "number": "1001", "call_uuid": str(uuid4())}, "call_uuid", "unknown_field"),
        ({"kind": "hangup", "call_uuid": str(uuid4())}, "call_uuid", "does_not_exist"),
        ({"kind": "explode"}, "kind", "invalid_choice"),
    ],
)
def test_jobs_that_are_refused(acme: Tenant, api: Api, body: dict[str, str], field: str, code: str) -> None:
    """By field, with the policy's word."""
    answer = api.post(f"domains/{acme.domain_uuid}/jobs", body)
    assert answer.status_code == 400
    assert (answer.json()["errors"][0]["field"], answer.json()["errors"][0]["code"]) == (field, code)
    with tenant_context(acme.domain_uuid):
        assert not Job.objects.exists()


def test_a_foreign_call_is_nobodys_to_end(acme: Tenant, globex: Tenant, api: Api) -> None:
    """Neither to hang up nor to put through; and a foreign destination is none."""
    theirs, ours = globex.call(), acme.call()
    where = f"domains/{acme.domain_uuid}/jobs"
    for body in (
        {"kind": "hangup", "call_uuid": str(theirs.pk)},
        {"kind": "transfer", "call_uuid": str(theirs.pk), "destination_uuid": str(acme.sales.pk)},
        {"kind": "transfer", "call_uuid": str(ours.pk), "destination_uuid": str(globex.sales.pk)},
    ):
        answer = api.post(where, body)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "does_not_exist")


def test_a_job_is_taken_back_while_nobody_has_begun(acme: Tenant, api: Api) -> None:
    """DELETE cancels until the command has gone out; then what rings is hung up, and anything else is 409."""
    where = f"domains/{acme.domain_uuid}/jobs"
    body = {"kind": "originate", "number": "1001"}
    first, second = (api.post(where, body).json()["job_uuid"] for _ in range(2))
    assert api.delete(f"{where}/{first}", If_Match="*").status_code == 204
    assert api.get(f"{where}/{first}").json()["state"] == "cancelled"
    job = jobs.claim(domain_uuid=acme.domain_uuid, job_uuid=UUID(second))
    assert job is not None
    assert jobs.mark_sent(job)
    assert api.delete(f"{where}/{second}", If_Match="*").status_code == 204
    ringing = api.get(f"{where}/{second}").json()
    assert (ringing["state"], ringing["cancel_asked_at"] is not None) == ("running", True)
    (hangup,) = api.get(f"{where}?kind=hangup").json()["items"]
    assert hangup["arguments"]["job_uuid"] == second
    job = jobs.claim(domain_uuid=acme.domain_uuid, job_uuid=UUID(hangup["job_uuid"]))
    assert job is not None and jobs.mark_sent(job)
    assert api.delete(f"{where}/{hangup['job_uuid']}", If_Match="*").status_code == 409


def test_usage(acme: Tenant, globex: Tenant, api: Api) -> None:
    """Calls and seconds by day and by secretary, of this domain alone."""
    a_finished_call(acme)
    a_finished_call(acme, outcome="transferred", message=None)
    a_finished_call(globex)
    where = f"domains/{acme.domain_uuid}/usage"
    by_day = api.get(where).json()
    assert len(by_day["items"]) == 1
    total = {"calls": 2, "transferred": 1, "messages": 1, "failed": 0, "seconds": 84}
    no = {"day": None, "secretary_uuid": None, "provider": None, "model": None}
    assert by_day["total"] == {**no, **total, "amount": "0.000000"} and by_day["currency"] == "USD"
    (row,) = api.get(f"{where}?by=secretary").json()["items"]
    assert row == {**no, "secretary_uuid": str(acme.secretary.pk), **total, "amount": "0.000000"}
    (row,) = api.get(f"{where}?by=provider").json()["items"]
    assert (row["provider"], row["calls"], row["model"]) == ("local", 2, None)
    with tenant_context(acme.domain_uuid):
        about = {
            "day": timezone.localdate(),
            "provider": "openai-realtime",
            "model": "gpt-transcribe",
            "currency": "USD",
        }
        UsageDay.objects.create(**about, unit="stt_second", quantity=7, amount=Decimal("0.5"))
    rows = api.get(f"{where}?by=model").json()["items"]
    assert [(row["provider"], row["model"], row["calls"], row["amount"]) for row in rows] == [
        ("local", "", 2, "0.000000"),
        ("openai-realtime", "gpt-transcribe", 0, "0.500000"),
    ]
    assert api.get(f"{where}?first_day=2020-01-01&last_day=2020-01-31").json()["total"]["calls"] == 0
    for wrong in ("first_day=2020-01-01", "last_day=9999-12-31", "first_day=x", "last_day=0001-01-01"):
        assert api.get(f"{where}?{wrong}").status_code == 400


def test_health_and_me(acme: Tenant, api: Api) -> None:
    """Both tell what they say they tell."""
    assert api.get("health").json()["status"] == "ok"
    me = api.get("me").json()
    assert (me["kind"], me["domain_uuid"], me["scopes"]) == ("domain-key", str(acme.domain_uuid), ["*"])


def test_the_documentation_is_for_everybody(db: None) -> None:
    """The document and the page, without a key, without a script."""
    document = Client().get("/api/v1/openapi.json")
    assert document.json()["openapi"].startswith("3.1")
    page = Client().get("/api/v1/docs")
    assert page.status_code == 200
    text = page.content.decode()
    assert "put_secretaries" in text
    assert "<script" not in text
    assert "style=" not in text
    assert "problem-idempotency_mismatch" in text
