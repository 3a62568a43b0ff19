"""Making and changing: what is accepted, what is refused and in which words, and that nothing typed is lost."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from eslbridge.models import EslCredential
from secretary.models import Destination, ExtensionMapping, Secretary
from tenants.context import tenant_context
from tests.secretary.panel.cast import Cast

SECRETARY: dict[str, Any] = {
    "name": "Sofia",
    "language": "en",
    "enabled": "on",
    "greeting": "Good morning, Acme.",
    "prompt": "Open all day.",
    "voice": "",
    "silence_s": "7.5",
    "silence_prompts": "1",
    "max_call_s": "300",
    "fallback_number": "1009",
    "record_calls": "on",
}
DESTINATION: dict[str, Any] = {
    "name": "Support",
    "aliases": "help desk\r\n  technical   support \r\nHELP DESK\r\n",
    "kind": "queue",
    "number": "600",
    "priority": "5",
    "enabled": "on",
}


def post(client: Client, cast: Cast, name: str, values: dict[str, Any], status: int, **objects: Any) -> str:
    """Send a form; gives the page (of a refusal) or the address (of a success)."""
    response = client.post(reverse(f"panel:{name}", kwargs={"domain_uuid": cast.acme.domain.pk, **objects}), values)
    assert response.status_code == status, unescape(response.content.decode())
    return str(response["Location"]) if status == 302 else unescape(response.content.decode())


def seen(row: Any) -> str:
    return str(row.updated_at.isoformat())


def test_new_secretary(cast: Cast, alice: Client) -> None:
    """All that was typed is stored, in one's own domain."""
    post(alice, cast, "secretary-new", SECRETARY, 302)
    with tenant_context(cast.acme.domain.pk):
        row = Secretary.objects.get(name="Sofia")
    assert (row.greeting, row.silence_s, row.max_call_s, row.record_calls) == ("Good morning, Acme.", 7.5, 300, True)
    assert row.domain_uuid == cast.acme.domain.pk


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("name", "", "Please fill this in."),
        ("name", "n" * 121, "at most 120 characters"),
        ("language", "tlh", "not one of the available choices"),
        ("silence_s", "0.2", "greater than or equal to 1"),
        ("silence_s", "soon", "Enter a number."),
        ("max_call_s", "999999", "less than or equal to 14400"),
        ("fallback_number", "call Bob", "Only digits"),
        ("fallback_number", "1001\nuuid_kill", "Only digits"),
        ("greeting", "g" * 1001, "at most 1000 characters"),
        ("name", "So\x00fia", "Null characters are not allowed"),
    ],
)
def test_bad_secretary(field: str, value: str, words: str, cast: Cast, alice: Client) -> None:
    """The complaint stands at the field, tied to it for screen readers; everything typed is still there."""
    page = post(alice, cast, "secretary-new", {**SECRETARY, field: value}, 422)
    assert words in page and "Not saved yet." in page
    assert 'aria-invalid="true"' in page and f"id_{field}_error" in page
    for other, typed in SECRETARY.items():
        if other != field and typed not in ("on", ""):
            assert typed in page
    with tenant_context(cast.acme.domain.pk):
        assert Secretary.objects.count() == 1


def test_new_destination(cast: Cast, alice: Client) -> None:
    """Names are tidied: trimmed, single spaces, empty lines and repetitions dropped."""
    post(alice, cast, "destination-new", DESTINATION, 302)
    with tenant_context(cast.acme.domain.pk):
        row = Destination.objects.get(name="Support")
    assert row.aliases == ["help desk", "technical support"]
    assert (row.kind, row.number, row.priority) == ("queue", "600", 5)


@pytest.mark.parametrize(
    ("kind", "typed", "stored"),
    [
        ("external", "+55 (11) 98765-4321", "+5511987654321"),
        ("extension", "*97", "*97"),
        ("extension", " 10 01 ", "1001"),
    ],
)
def test_numbers_as_people_write_them(kind: str, typed: str, stored: str, cast: Cast, alice: Client) -> None:
    """Punctuation for readability is taken out."""
    post(alice, cast, "destination-new", {**DESTINATION, "kind": kind, "number": typed}, 302)
    with tenant_context(cast.acme.domain.pk):
        assert Destination.objects.get(name="Support").number == stored


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"number": ""}, "Please fill this in."),
        ({"number": "ask Bob"}, "digits, * and #"),
        ({"number": "1001;park"}, "digits, * and #"),
        ({"number": "8001"}, "go round for ever"),
        ({"number": "911"}, "Emergency numbers are never dialled"),
        ({"number": "+", "kind": "external"}, "3 to 20 digits"),
        ({"number": "*1001", "kind": "external"}, "3 to 20 digits"),
        ({"kind": "carrier pigeon"}, "not one of the available choices"),
        ({"name": " Acme  SALES"}, "“Acme  SALES” leads to “acme sales” already"),
        ({"aliases": "ACME orders"}, "“ACME orders” leads to “acme sales” already"),
        ({"aliases": "acme sales"}, "“acme sales” leads to “acme sales” already"),
        ({"aliases": "support"}, "“Support” is the name itself"),
        ({"aliases": "\n".join(f"name {i}" for i in range(21))}, "At most 20 names, these are 21"),
        ({"aliases": "x" * 121}, "is too long"),
        ({"priority": "high"}, "Enter a whole number."),
    ],
)
def test_bad_destination(changes: dict[str, str], words: str, cast: Cast, alice: Client) -> None:
    """Each refusal says what is wrong with which name or number, and how to mend it."""
    page = post(alice, cast, "destination-new", {**DESTINATION, **changes}, 422)
    assert words in page
    with tenant_context(cast.acme.domain.pk):
        assert Destination.objects.count() == 1


def test_same_names_in_another_domain(cast: Cast, alice: Client) -> None:
    """What globex calls its destinations does not bind acme."""
    values = {**DESTINATION, "name": "globex sales", "aliases": "globex orders"}
    post(alice, cast, "destination-new", values, 302)


def test_own_names_do_not_collide(cast: Cast, alice: Client) -> None:
    """Saving a destination unchanged is fine."""
    with tenant_context(cast.acme.domain.pk):
        row = Destination.objects.get()
    values = {**DESTINATION, "name": row.name, "aliases": "\n".join(row.aliases), "seen": seen(row)}
    post(alice, cast, "destination", values, 302, destination_uuid=row.pk)


def test_new_extension(cast: Cast, alice: Client) -> None:
    """A free number leads to a secretary of one's own."""
    secretary = cast.acme.objects["secretary_uuid"]
    post(alice, cast, "extension-new", {"extension": "8002", "secretary": secretary, "enabled": "on"}, 302)
    with tenant_context(cast.acme.domain.pk):
        assert ExtensionMapping.objects.get(extension="8002").secretary_id == secretary


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"extension": "8001"}, "8001 already leads to “acme secretary”"),
        ({"extension": "7001"}, "four digits that begin with 8"),
        ({"extension": "80011"}, "four digits that begin with 8"),
        ({"extension": "8\u0660\u0660\u0661"}, "four digits that begin with 8"),
        ({"extension": ""}, "Please fill this in."),
        ({"secretary": ""}, "Please fill this in."),
        ({"secretary": "globex"}, "not there any more"),
    ],
)
def test_bad_extension(changes: dict[str, str], words: str, cast: Cast, alice: Client) -> None:
    """A number in use, a number outside of 8XXX, and another tenant's secretary are refused in words."""
    values = {"extension": "8002", "secretary": str(cast.acme.objects["secretary_uuid"]), "enabled": "on", **changes}
    if values["secretary"] == "globex":
        values["secretary"] = str(cast.globex.objects["secretary_uuid"])
    assert words in post(alice, cast, "extension-new", values, 422)


def test_extension_keeps_its_own_number(cast: Cast, alice: Client) -> None:
    """Changing where 8001 leads is no conflict with itself; taking a neighbour's number is."""
    with tenant_context(cast.acme.domain.pk):
        row = ExtensionMapping.objects.get()
        other = Secretary.objects.create(name="Other")
        ExtensionMapping.objects.create(extension="8002", secretary=other)
    values = {"extension": "8001", "secretary": other.pk, "enabled": "on", "seen": seen(row)}
    post(alice, cast, "extension", values, 302, mapping_uuid=row.pk)
    with tenant_context(cast.acme.domain.pk):
        row = ExtensionMapping.objects.get(pk=row.pk)
    assert row.secretary_id == other.pk
    page = post(alice, cast, "extension", {**values, "extension": "8002", "seen": seen(row)}, 422, mapping_uuid=row.pk)
    assert "8002 already leads to “Other”" in page


def test_somebody_else_was_quicker(cast: Cast, alice: Client) -> None:
    """Saving over a change one has not seen is refused, shows both versions, and goes through when sent again."""
    uuid = cast.acme.objects["secretary_uuid"]
    with tenant_context(cast.acme.domain.pk):
        before = seen(Secretary.objects.get(pk=uuid))
        theirs = Secretary.objects.get(pk=uuid)
        theirs.greeting, theirs.record_calls = "Their greeting", False
        theirs.save()
    mine = {**SECRETARY, "seen": before}
    page = post(alice, cast, "secretary", mine, 409, secretary_uuid=uuid)
    assert "Somebody else changed this" in page and "Their greeting" in page
    assert "Good morning, Acme." in page and seen(theirs) in page
    with tenant_context(cast.acme.domain.pk):
        assert Secretary.objects.get(pk=uuid).greeting == "Their greeting"
    post(alice, cast, "secretary", {**mine, "seen": seen(theirs)}, 302, secretary_uuid=uuid)
    with tenant_context(cast.acme.domain.pk):
        assert Secretary.objects.get(pk=uuid).greeting == "Good morning, Acme."


@pytest.mark.parametrize("guard", ["", "rubbish", "9999-99-99T00:00:00", "2026-01-01T00:00:00+00:00"])
def test_spoilt_guard(guard: str, cast: Cast, alice: Client) -> None:
    """A form whose guard is missing or made up overwrites nothing."""
    uuid = cast.acme.objects["secretary_uuid"]
    page = post(alice, cast, "secretary", {**SECRETARY, "seen": guard}, 409, secretary_uuid=uuid)
    assert "Somebody else changed this" in page


def test_removed_while_editing(cast: Cast, alice: Client) -> None:
    """A form for a row that is gone says that there is nothing here."""
    uuid = cast.acme.objects["destination_uuid"]
    with tenant_context(cast.acme.domain.pk):
        Destination.objects.all().delete()
    post(alice, cast, "destination", DESTINATION, 404, destination_uuid=uuid)


def test_remove(cast: Cast, alice: Client) -> None:
    """Removing a secretary frees its extensions and keeps its calls and messages; globex has lost nothing."""
    post(alice, cast, "secretary-delete", {}, 302, secretary_uuid=cast.acme.objects["secretary_uuid"])
    with tenant_context(cast.acme.domain.pk):
        assert not Secretary.objects.exists() and not ExtensionMapping.objects.exists()
    home = alice.get(reverse("panel:call", args=[cast.acme.domain.pk, cast.acme.objects["call_uuid"]]))
    assert home.status_code == 200
    with tenant_context(cast.globex.domain.pk):
        assert Secretary.objects.exists() and ExtensionMapping.objects.exists()


def test_what_was_typed_is_escaped(cast: Cast, alice: Client) -> None:
    """Markup in a name is shown as text."""
    response = alice.post(
        reverse("panel:destination-new", args=[cast.acme.domain.pk]),
        {**DESTINATION, "name": "<script>alert(1)</script>", "number": "x"},
    )
    assert b"<script>alert" not in response.content and b"&lt;script&gt;alert" in response.content


def test_settings_lock_does_not_hold_calls_up(cast: Cast) -> None:
    """The lock on the domain's settings is one that a new call's foreign key does not wait for."""
    from secretary.services.optimistic import lock_settings

    with tenant_context(cast.acme.domain.pk):
        from django.test.utils import CaptureQueriesContext

        with CaptureQueriesContext(connection) as queries:
            lock_settings()
    assert any("FOR NO KEY UPDATE" in query["sql"] for query in queries.captured_queries)


def test_a_folded_section_opens_where_something_is_set(cast: Cast, alice: Client) -> None:
    """What most people leave as it is is folded away, but never what is otherwise, or is to be mended."""
    where = reverse("panel:secretary", args=[cast.acme.domain.pk, cast.acme.objects["secretary_uuid"]])
    assert '<details class="card section fold" open>' not in alice.get(where).content.decode()
    with tenant_context(cast.acme.domain.pk):
        Secretary.objects.update(pause_ms=900)
    assert alice.get(where).content.decode().count('<details class="card section fold" open>') == 1
    page = post(alice, cast, "secretary-new", {**SECRETARY, "max_call_s": "1"}, 422)
    assert page.index('fold" open>') < page.index("id_max_call_s_error")


def test_a_destination_says_how_it_gets_calls(cast: Cast, alice: Client) -> None:
    """Announced, for how long it rings, who stands in; a queue hears no announcement, no stranger stands in."""
    sales = cast.acme.objects["destination_uuid"]
    values = {
        **DESTINATION,
        "kind": "extension",
        "transfer_mode": "announced",
        "ring_s": "15",
        "fallback_id": str(sales),
    }
    post(alice, cast, "destination-new", values, 302)
    with tenant_context(cast.acme.domain.pk):
        row = Destination.objects.get(name="Support")
    assert (row.transfer_mode, row.ring_s, row.fallback_id) == ("announced", 15, sales)
    page = post(alice, cast, "destination-new", {**values, "name": "Help", "kind": "queue", "aliases": ""}, 422)
    assert "id_transfer_mode_error" in page
    foreign = {**values, "name": "Help", "aliases": "", "fallback_id": str(cast.globex.objects["destination_uuid"])}
    assert "id_fallback_id_error" in post(alice, cast, "destination-new", foreign, 422)


def test_the_telephone_system(cast: Cast, alice: Client) -> None:
    """Its password is kept and never shown, and goes to no other address than it was given for."""
    values: dict[str, Any] = {
        "host": "pbx.acme.example", "port": "8021", "password": "", "audio_transport": "direct-udp",
        "switch_media_host": "10.0.0.5", "switch_media_port_min": "10000", "switch_media_port_max": "10100",
        "connect_timeout_s": "5", "read_timeout_s": "30", "reconnect_delay_s": "2", "max_reconnects": "3",
    }  # fmt: skip
    with tenant_context(cast.acme.domain.pk):
        EslCredential.objects.all().delete()
    ring = reverse("panel:secretary-test", args=[cast.acme.domain.pk, cast.acme.objects["secretary_uuid"]])
    assert "No telephone system is connected yet" in alice.post(ring, {"number": "1001"}).content.decode()
    assert "Give the password" in post(alice, cast, "connection", values, 422)
    post(alice, cast, "connection", {**values, "password": "not ClueCon"}, 302)
    with tenant_context(cast.acme.domain.pk):
        row = EslCredential.objects.get()
    assert (row.host, row.password) == ("pbx.acme.example", "not ClueCon")
    page = alice.get(reverse("panel:connection", args=[cast.acme.domain.pk])).content.decode()
    assert "pbx.acme.example" in page and "not ClueCon" not in page
    again = {**values, "seen": seen(row)}
    assert "Give the password" in post(alice, cast, "connection", {**again, "host": "evil.example"}, 422)
    post(alice, cast, "connection", {**again, "switch_media_port_max": "10200"}, 302)
    with tenant_context(cast.acme.domain.pk):
        assert EslCredential.objects.get().password == "not ClueCon"
