"""The page of data: retention, redaction, and requests about one caller."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from secretary.models import CallerRequest
from secretary.services import caller_requests
from tenants.context import tenant_context
from tenants.models import AuditEvent, DataRules
from tests.secretary.panel.cast import Cast

NUMBER = "+5511987650001"


@pytest.fixture(autouse=True)
def no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caller_requests, "kick", lambda: None)


def test_rules(cast: Cast, alice: Client) -> None:
    """What is typed is what holds, and the overview says it."""
    where = reverse("panel:data-rules", args=[cast.acme.domain.pk])
    assert "checked" in alice.get(where).content.decode()
    assert alice.post(where, {"messages_days": "90", "redact_identity": "on", "country_code": "55"}).status_code == 302
    with tenant_context(cast.acme.domain.pk):
        rules = DataRules.objects.get()
    assert (rules.messages_days, rules.transcripts_days, rules.redact_cards, rules.redact_identity) == (
        90, None, False, True,
    )  # fmt: skip
    text = alice.get(reverse("panel:data", args=[cast.acme.domain.pk])).content.decode()
    assert "90 days" in text and "for ever" in text and "CPF" in text and "Card numbers" not in text


@pytest.mark.parametrize("wrong", [{"messages_days": "0"}, {"country_code": "+1"}, {"events_days": "x"}])
def test_refused(cast: Cast, alice: Client, wrong: dict[str, str]) -> None:
    """With words, and nothing is stored."""
    assert alice.post(reverse("panel:data-rules", args=[cast.acme.domain.pk]), wrong).status_code == 422
    with tenant_context(cast.acme.domain.pk):
        assert not DataRules.objects.exists()


def asked(cast: Cast) -> list[CallerRequest]:
    with tenant_context(cast.acme.domain.pk):
        return list(CallerRequest.objects.filter(state="waiting"))


def test_export_is_asked_for(cast: Cast, alice: Client) -> None:
    """A request, by name of who asked."""
    where = reverse("panel:data-export", args=[cast.acme.domain.pk])
    assert alice.post(where, {"number": "nobody"}).status_code == 422
    assert alice.post(where, {"number": NUMBER}).status_code == 302
    (request,) = asked(cast)
    assert (request.kind, request.number, request.asked_by) == ("export", NUMBER, "alice")
    assert NUMBER not in alice.get(reverse("panel:data", args=[cast.acme.domain.pk])).content.decode()


def test_erasing_wants_the_number_twice(cast: Cast, alice: Client) -> None:
    """One slip of the finger erases nobody."""
    where = reverse("panel:data-erase", args=[cast.acme.domain.pk])
    for values in ({"number": NUMBER}, {"number": NUMBER, "again": NUMBER[:-1]}, {}):
        assert alice.post(where, values).status_code == 422
    assert not asked(cast)
    assert alice.post(where, {"number": NUMBER, "again": NUMBER}).status_code == 302
    assert [request.kind for request in asked(cast)] == ["erase"]


def test_download(cast: Cast, alice: Client, sign_in: Callable[[str], Client]) -> None:
    """A file to be saved, kept by no cache, on record; gone is 404, and so is another tenant's."""
    where = reverse("panel:data-download", args=[cast.acme.domain.pk, cast.acme.objects["request_uuid"]])
    response = alice.get(where)
    assert b"".join(response.streaming_content) == b"PKacme"  # type: ignore[arg-type]
    assert response["Content-Disposition"].startswith("attachment;") and "no-store" in response["Cache-Control"]
    with tenant_context(cast.acme.domain.pk):
        assert AuditEvent.objects.filter(action="caller.downloaded", actor_label="alice").count() == 1
        CallerRequest.objects.update(path="../outside.zip")
    assert alice.get(where).status_code == 404
    assert sign_in("stranger").get(where).status_code == 404
