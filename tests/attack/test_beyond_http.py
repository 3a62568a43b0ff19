"""What has no address: tasks, WebSockets, channels and events, each with another tenant's ids; and lists, which take
words from strangers."""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote
from uuid import UUID, uuid4

import pytest
from channels.testing import WebsocketCommunicator
from django.contrib.auth import get_user_model
from django.core import mail
from django.test import Client
from pytest_django import Settings

from eslbridge.control import CallEvent
from eslbridge.esl.call import OutboundCall
from eslbridge.esl.outbound import OutboundServer
from eslbridge.jobs import create_job
from eslbridge.media.websocket_server import Answer
from eslbridge.models import Job
from eslbridge.tasks import run_job
from eslbridge.work.runner import run
from secretary.config.asgi import Nowhere, application
from secretary.config.celery import app
from secretary.errors import CallRefused, ForeignCall
from secretary.models import Call, Message
from secretary.profiles import CallRecord, MessageRecord
from secretary.selectors.calls import resolve_secretary
from secretary.services.calls import finish_call, open_call
from secretary.services.messages import save_message
from secretary.voicenode import desk
from secretary.voicenode.arrival import Arrival
from secretary.voicenode.health import hooks
from secretary.webhooks.models import Delivery
from secretary.webhooks.services import create_webhook, send_ping
from tenants.context import tenant_context
from tenants.services import add_member
from tests.cast import Tenant, acme, globex
from tests.eslbridge.esl.switch import RECORDED_UUID, Switch, event
from tests.secretary.api.client import bearer, domain_key
from tests.secretary.api.test_every_route import ROWS, routes

__all__ = ["acme", "globex"]

# --- Celery ---------------------------------------------------------------------------------------------------------


def _job(acme: Tenant, globex: Tenant) -> None:
    """Globex's job under acme's name: not claimed, and still there for its owner."""
    job = create_job(domain_uuid=globex.domain_uuid, kind="originate", arguments={"number": "1001"})
    run_job(str(acme.domain_uuid), str(job.job_uuid))
    run_job(str(acme.domain_uuid), str(uuid4()))
    with tenant_context(globex.domain_uuid):
        assert Job.objects.get().state == "queued"


def _deliver(acme: Tenant, globex: Tenant) -> None:
    """A lane of acme delivers nothing of globex."""
    with tenant_context(globex.domain_uuid):
        send_ping(webhook_uuid=create_webhook(url="https://crm.example.com/hook", events=["*"]).webhook.pk)
    app.tasks["webhooks.deliver"](str(acme.domain_uuid))
    app.tasks["webhooks.deliver"](str(uuid4()))
    with tenant_context(globex.domain_uuid):
        row = Delivery.objects.get()
        assert (row.state, row.attempts) == ("waiting", 0)


def _mail_reset(acme: Tenant, globex: Tenant) -> None:
    """A name is an account's, not a tenant's; one that nobody has gets no letter, and wildcards are letters."""
    get_user_model().objects.create_user("bob", email="bob@globex.example")
    for name in ("nobody", "%", "b_b", "bob@globex.example%"):
        assert app.tasks["panel.mail_reset"](name, "https://secretary.example", "en") == 0
    assert mail.outbox == []


NO_IDS: Final = frozenset(
    {
        "eslbridge.sweep_jobs", "secretary.sweep_calls", "secretary.mail_quota_alarms", "secretary.mail_messages",
        "secretary.switch_recordings", "secretary.place_callbacks",
        "secretary.forget_old_data", "secretary.sweep_orphans", "secretary.caller_requests", "webhooks.sweep",
        "webhooks.forget", "api.forget_answers", "panel.sweep_sign_ins",
    }
)  # fmt: skip
"""They take nothing from their message: what they look after is in rows."""
TASKS: Final[dict[str, Callable[[Tenant, Tenant], None]]] = {
    "eslbridge.run_job": _job,
    "webhooks.deliver": _deliver,
    "panel.mail_reset": _mail_reset,
}


def registered() -> dict[str, Any]:
    app.loader.import_default_modules()
    return {name: task for name, task in app.tasks.items() if not name.startswith("celery.")}


def test_every_task_has_a_row() -> None:
    """A new task fails here until it is among those that take nothing, or has its attack below."""
    tasks = registered()
    assert set(tasks) == NO_IDS | set(TASKS)
    for name in NO_IDS:
        assert not inspect.signature(tasks[name].run).parameters, name


@pytest.mark.parametrize("name", TASKS)
def test_task_with_foreign_ids(
    name: str, acme: Tenant, globex: Tenant, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of the other tenant happens."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    for task in ("eslbridge.run_job", "webhooks.deliver"):
        monkeypatch.setattr(registered()[task], "apply_async", lambda *_, **__: None)
    TASKS[name](acme, globex)


@pytest.mark.parametrize("name", sorted(set(TASKS) - {"panel.mail_reset"}))
@pytest.mark.parametrize("rubbish", ["", "x", "' or 1=1 --", "00000000-0000-0000-0000-00000000000g"])
def test_task_with_rubbish(name: str, rubbish: str, db: None) -> None:
    """No UUID, no work."""
    task = registered()[name]
    with pytest.raises(ValueError, match=r"UUID|base 16"):
        task(*[rubbish] * len(inspect.signature(task.run).parameters))


# --- WebSockets -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/media/x", "/ws/", "/d/00000000-0000-4000-8000-000000000000/live", "/api/v1/"])
async def test_web_has_no_websocket(path: str) -> None:
    """`web` takes none at all: whoever adds one adds its matrix of rights here, with a foreign origin, too."""
    assert getattr(application.application_mapping["websocket"], "consumer_class", None) is Nowhere
    for headers in ([], [(b"origin", b"https://evil.example"), (b"cookie", b"session=x")]):
        socket = WebsocketCommunicator(application, path, headers=headers)
        assert await socket.connect() == (False, 4404)


def test_the_nodes_paths() -> None:
    """Beside `/media/<token>` the node answers three paths, none of which names a tenant or a call."""
    answers = hooks(lambda: True)
    assert set(answers) == {"/livez", "/readyz", "/metrics"}
    metrics = answers["/metrics"]()
    assert isinstance(metrics, Answer)
    told = metrics.body.decode()
    assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-|\.example|@", told)


# --- channels and events --------------------------------------------------------------------------------------------


def arrival(domain_uuid: object, call_uuid: object, secretary: object = "", extension: str = "8001") -> Arrival:
    return Arrival(str(call_uuid), str(domain_uuid), str(secretary), extension, "1000", "Caller")


def test_foreign_secretary_on_a_channel(acme: Tenant, globex: Tenant) -> None:
    """A channel of acme that names globex's secretary is nobody's; rubbish, too."""
    for secretary in (globex.secretary.pk, uuid4(), "x", "' or 1=1", "\0"):
        with pytest.raises(CallRefused):
            desk.admit(arrival(acme.domain_uuid, uuid4(), secretary))
    for domain in ("", "x", uuid4(), "acme.example", "\0", f"{acme.domain_uuid}{globex.domain_uuid}"):
        with pytest.raises(CallRefused):
            resolve_secretary(domain_uuid=str(domain), secretary_uuid=None, extension="8001")
    for tenant in (acme, globex):
        with tenant_context(tenant.domain_uuid):
            assert not Call.objects.exists()


def test_foreign_call_uuid(acme: Tenant, globex: Tenant) -> None:
    """Globex's running call under acme's name: neither taken over, nor written, nor ended, nor left a message on."""
    theirs = globex.call()
    with pytest.raises(ForeignCall):
        open_call(profile=acme.profile(), call_uuid=theirs.pk, node="node-a")
    desk.note_refusal(arrival(acme.domain_uuid, theirs.pk), "foreign_call")
    record = CallRecord(outcome="failed", outcome_detail="", answered_at=None)
    assert not finish_call(domain_uuid=acme.domain_uuid, call_uuid=theirs.pk, node="node-a", record=record)
    with tenant_context(globex.domain_uuid):
        theirs.refresh_from_db()
        assert theirs.outcome == "in_progress" and theirs.ended_at is None


@pytest.mark.parametrize("kind", ["transfer", "hangup"])
def test_job_on_a_foreign_channel(kind: str, acme: Tenant, globex: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even a connection is opened."""
    monkeypatch.setattr(run_job, "apply_async", lambda *_, **__: None)
    job = create_job(domain_uuid=acme.domain_uuid, kind=kind, arguments={"number": "1001"}, call_uuid=globex.call().pk)

    def never(endpoint: object) -> Any:
        raise AssertionError("a connection was opened")

    result = run(domain_uuid=acme.domain_uuid, job_uuid=job.job_uuid, open_switch=never)
    assert result is not None and result.outcome == "not_allowed"


async def test_event_of_a_foreign_channel() -> None:
    """On one call's connection, another channel's hangup, keys and bridge are none of this call's."""
    calls: asyncio.Queue[OutboundCall] = asyncio.Queue()
    server = OutboundServer(calls.put_nowait, port=0)
    await server.start()
    switch = await Switch.dial(server.port)
    call = await asyncio.wait_for(calls.get(), 2)
    await call.start()
    seen: list[CallEvent] = []
    call.on_event(seen.append)
    for name in ("CHANNEL_HANGUP", "CHANNEL_HANGUP_COMPLETE", "CHANNEL_UNPARK", "CHANNEL_BRIDGE", "DTMF"):
        switch.writer.write(event(name, Unique_ID=str(uuid4()), DTMF_Digit="1"))
    switch.writer.write(event("DTMF", Unique_ID=RECORDED_UUID, DTMF_Digit="7"))
    async with asyncio.timeout(2):
        while not seen:
            await asyncio.sleep(0.01)
    assert [type(one).__name__ for one in seen] == ["Dtmf"] and seen[0].digit == "7"  # type: ignore[union-attr]
    assert call.is_open and not call.is_over
    await server.close()


# --- lists: words from strangers --------------------------------------------------------------------------------------

LISTS: Final = [
    pattern
    for pattern, method in routes()
    if method == "GET" and str(pattern.name).endswith("-list") and not ROWS[str(pattern.name), "GET"].operator_only
]
UNASKED: Final = (
    "ordering=domain__name", "order_by=-domain_uuid", "sort=password", "domain_uuid={foreign}", "domain={foreign}",
    "domain__name=globex.example", "secretary__domain={foreign}", "fields=domain__eslcredential__password",
    "fields=password_encrypted", "limit=1;drop", "cursor=' or 1=1 --", "__proto__=1", "format=csv",
)  # fmt: skip


@pytest.mark.parametrize("pattern", LISTS, ids=lambda pattern: pattern.name)
def test_unasked_parameters(pattern: Any, acme: Tenant, globex: Tenant) -> None:
    """A list of the API takes what is documented; an order, a lookup or a tenant of the client's is an error."""
    api = bearer(domain_key(acme.domain_uuid))
    where = str(pattern.pattern).replace("<uuid:domain_uuid>", str(acme.domain_uuid))
    for parameter in UNASKED:
        answer = api.get(f"{where}?{parameter.format(foreign=globex.domain_uuid)}".replace(" ", "%20"))
        assert answer.status_code == 400, (parameter, answer.content)
        assert b"globex" not in answer.content.replace(parameter.encode(), b"")


def people(tenant: Tenant) -> Client:
    user = get_user_model().objects.create_user(f"admin of {tenant.name}")
    add_member(domain_uuid=tenant.domain_uuid, user_id=user.pk, role="admin")
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.parametrize("words", ["%", "_", "\\", "%%%", "a%", "' or '1'='1", "globex", "\0", "\ud800", "9" * 5000])
@pytest.mark.parametrize(
    "page", ["calls/?q=", "record/?who=", "record/?what=", "record/export?what=", "calls/?outcome="]
)
def test_search_in_the_panel(page: str, words: str, acme: Tenant, globex: Tenant) -> None:
    """Wildcards are letters, SQL is text, and nothing of the other tenant is found; whatever is asked for, no 500."""
    for tenant in (acme, globex):
        tenant.call(caller_name=f"Caller of {tenant.name}", caller_number="1234")
    asked = quote(words.encode("utf-8", "surrogatepass"))
    answer = people(acme).get(f"/d/{acme.domain_uuid}/{page}{asked}&domain_uuid={globex.domain_uuid}&of=domains")
    assert answer.status_code == 200
    text = answer.content.decode()
    assert "globex.example" not in text and f"/d/{globex.domain_uuid}" not in text
    if page == "calls/?q=" and words in "%%%_\\":
        assert "Caller of acme" not in text


def test_message_on_a_foreign_call(acme: Tenant, globex: Tenant) -> None:
    """A message of acme cannot hang on globex's call."""
    theirs: UUID = globex.call().pk
    record = MessageRecord(text="x", complete=True)
    with pytest.raises(Exception, match=r"(?i)call|exist|foreign|violates"):
        save_message(domain_uuid=acme.domain_uuid, call_uuid=theirs, record=record)
    with tenant_context(globex.domain_uuid):
        assert not Message.objects.exists()
