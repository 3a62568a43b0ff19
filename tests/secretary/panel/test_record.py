"""The record's pages: found, apart, exported without formulas."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from secretary.panel.record import CSV_COLUMNS, safe_cell
from tenants import audit
from tenants.context import tenant_context
from tests.secretary.panel.cast import PASSWORD, Cast


def text(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return unescape(response.content.decode())


def page(client: Client, cast: Cast, query: str = "") -> str:
    return text(client, reverse("panel:record", args=[cast.acme.domain.pk]) + query).split("<main", 1)[1]


def rows(client: Client, address: str) -> list[dict[str, str]]:
    response = client.get(address)
    assert response["Content-Type"].startswith("text/csv") and "attachment" in response["Content-Disposition"]
    return list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"))))


def rename(client: Client, cast: Cast, name: str) -> None:
    from secretary.models import Destination

    uuid = cast.acme.objects["destination_uuid"]
    with tenant_context(cast.acme.domain.pk):
        seen = Destination.objects.get(pk=uuid).updated_at.isoformat()
    values = {"name": name, "kind": "extension", "number": "1001", "priority": "0", "enabled": "on", "seen": seen}
    response = client.post(reverse("panel:destination", args=[cast.acme.domain.pk, uuid]), values)
    assert response.status_code == 302


def test_what_the_panel_writes(cast: Cast, alice: Client) -> None:
    """Who, from where, before and after; nothing of globex."""
    rename(alice, cast, "Front desk")
    shown = page(alice, cast)
    assert "alice" in shown and "127.0.0.1" in shown and "acme sales" in shown and "Front desk" in shown
    assert "globex" not in shown


def test_operators_hand_is_seen(cast: Cast, sign_in: Callable[[str], Client], alice: Client) -> None:
    """What the operator changes in a domain stands in its record, under the operator's name."""
    rename(sign_in("operator"), cast, "Front desk")
    assert "olga" in page(alice, cast, "?who=olga&what=front")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?who=ALICE", True),
        ("?who=bob", False),
        ("?who=127.0.0", True),
        ("?what=front", True),
        ("?what=nothing", False),
        ("?what=%25", False),
        ("?kind=destination", True),
        ("?kind=secretary", False),
        ("?kind=nonsense", True),
        ("?from=2020-01-01&to=2090-01-01", True),
        ("?from=2090-01-01", False),
        ("?to=2020-01-01", False),
        ("?from=rubbish&to=2026-99-99&who=%00", True),
        ("?to=9999-12-31", True),
        ("?from=0001-01-01", True),
    ],
)
def test_search(query: str, found: bool, cast: Cast, alice: Client) -> None:
    """By person, address, object, kind and day; rubbish is ignored and breaks nothing."""
    rename(alice, cast, "Front desk")
    assert ("<strong>Front desk</strong>" in page(alice, cast, query)) is found


def test_markup_is_text(cast: Cast, alice: Client) -> None:
    """Names with markup are shown, never run."""
    evil = "<img src=x onerror=alert(1)>"
    rename(alice, cast, evil)
    raw = alice.get(reverse("panel:record", args=[cast.acme.domain.pk])).content.decode()
    assert "<img src=x" not in raw and "&lt;img" in raw


def test_pages(cast: Cast, alice: Client) -> None:
    """A long record is shown a page at a time."""
    with tenant_context(cast.acme.domain.pk), audit.batch():
        for number in range(120):
            audit.log("test.made", audit.Subject("test", str(number), f"line {number:03}"))
    shown = page(alice, cast, "?what=line")
    assert shown.count("line ") == 50 and "Older" in shown


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "=cmd|'/c calc'!A1", '=HYPERLINK("http://x")'])
def test_no_formulas(name: str, cast: Cast, alice: Client) -> None:
    """No cell begins like a formula, and none was lost (CSV injection)."""
    rename(alice, cast, name)
    found = rows(alice, reverse("panel:record-export", args=[cast.acme.domain.pk]) + "?kind=destination")
    assert any(row["object"] == f"'{name}" and row["new"] == f"'{name}" for row in found)
    assert not [cell for row in found for cell in row.values() if cell and cell[0] in "=+-@\t\r"]


@given(st.text())
def test_cells(cell: str) -> None:
    """Whatever somebody calls something, a spreadsheet takes it for text."""
    assert safe_cell(cell) in (cell, f"'{cell}") and safe_cell(cell)[:1] not in set("=+-@\t\r\n|%")


def test_export(cast: Cast, alice: Client) -> None:
    """The same lines as the search, one's own only, and the export itself is recorded."""
    rename(alice, cast, "Front desk")
    found = rows(alice, reverse("panel:record-export", args=[cast.acme.domain.pk]))
    assert tuple(found[0]) == CSV_COLUMNS
    assert not [cell for row in found for cell in row.values() if "globex" in cell]
    change = next(row for row in found if row["field"] == "name" and row["action"] == "destination.changed")
    assert (change["actor"], change["old"], change["new"]) == ("alice", "acme sales", "Front desk")
    assert "record.exported" in [
        row["action"] for row in rows(alice, reverse("panel:record-export", args=[cast.acme.domain.pk]))
    ]


def test_installation(cast: Cast, sign_in: Callable[[str], Client]) -> None:
    """Sign-ins and operators by themselves; across all domains where asked for."""
    Client().post(reverse("login"), {"username": "alice", "password": PASSWORD})
    olga = sign_in("operator")
    shown = text(olga, reverse("panel:installation-record"))
    assert "signed in" in shown and "alice" in shown
    everywhere = text(olga, reverse("panel:installation-record") + "?of=domains")
    assert "acme.example" in everywhere and "globex.example" in everywhere
    found = rows(olga, reverse("panel:installation-record-export"))
    assert "session.started" in [row["action"] for row in found]


def test_members_invitations_and_credentials_leave_lines(cast: Cast, alice: Client) -> None:
    """Every write about people, too: made, changed, removed, invited, revoked."""
    base = [cast.acme.domain.pk]
    alice.post(reverse("panel:invite", args=base), {"email": "nora@acme.example", "role": "agent"})
    alice.post(reverse("panel:invitation-revoke", args=[*base, cast.acme.objects["invitation_uuid"]]))
    seen = cast.acme.domain.updated_at.isoformat()
    alice.post(reverse("panel:rule", args=base), {"second_factor": "everybody", "seen": seen})
    found = {row["action"] for row in rows(with_two_factors(cast), reverse("panel:record-export", args=base))}
    assert {
        "member.created", "member.reach-changed", "invitation.created", "invitation.changed", "domain.changed",
    } <= found  # fmt: skip


def with_two_factors(cast: Cast) -> Client:
    """Acme's administrator with a second factor in the session."""
    client = Client()
    client.force_login(cast.people["admin"])
    session = client.session
    session["second_factor"] = True
    session.save()
    return client
