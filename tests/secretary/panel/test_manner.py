"""How conversations go, in the secretary's form: what is typed is what the next call does."""

from __future__ import annotations

from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from eslbridge.services import save_credential
from secretary.models import Destination, Secretary
from secretary.selectors.calls import resolve_secretary
from secretary.voicenode.rules import rules
from tenants.context import tenant_context
from tests.secretary.panel.cast import Cast
from tests.secretary.panel.test_forms import SECRETARY


@pytest.fixture(autouse=True)
def switch(cast: Cast) -> None:
    """Acme has a telephone switch: a call can be resolved."""
    save_credential(domain_uuid=cast.acme.domain.pk, password="a password of the switch")


MANNER: dict[str, Any] = {
    "turn_mode": "fixed",
    "pause_ms": "900",
    "protect_ms": "1500",
    "silence_ending": "hang_up",
    "max_turns": "40",
    "max_cost": "1.25",
}


def save(client: Client, cast: Cast, values: dict[str, Any], status: int = 302) -> str:
    address = reverse("panel:secretary-new", kwargs={"domain_uuid": cast.acme.domain.pk})
    response = client.post(address, {**SECRETARY, **values})
    page = unescape(response.content.decode())
    assert response.status_code == status, page
    return page


def stored(cast: Cast) -> Secretary:
    with tenant_context(cast.acme.domain.pk):
        return Secretary.objects.get(name="Sofia")


def test_what_is_typed_is_what_the_next_call_does(cast: Cast, alice: Client) -> None:
    """From the form to the rules of a conversation."""
    with tenant_context(cast.acme.domain.pk):
        place = Destination.objects.first()
    assert place is not None
    save(alice, cast, {**MANNER, "menu": f"0 = {place.name.upper()}\r\n* = repeat\r\n\r\n9=fallback\r\n# = end"})
    row = stored(cast)
    profile = resolve_secretary(domain_uuid=cast.acme.domain.pk, secretary_uuid=row.pk, extension="")
    made = rules(profile)
    assert (made.turn_mode, made.pause_ms, made.barge_in, made.protect_ms) == ("fixed", 900, False, 1500)
    assert (made.silence_hangs_up, made.max_turns, made.max_cost) == (True, 40, 1.25)
    does = {digit: (key.do, key.destination_uuid) for digit, key in made.menu}
    assert does == {"0": ("transfer", str(place.pk)), "*": ("repeat", ""), "9": ("fallback", ""), "#": ("end", "")}
    page = alice.get(reverse("panel:secretary", kwargs={"domain_uuid": cast.acme.domain.pk, "secretary_uuid": row.pk}))
    assert f"0 = {place.name}" in unescape(page.content.decode())


def test_what_is_left_out_is_as_usual(cast: Cast, alice: Client) -> None:
    """Empty fields have their defaults."""
    save(alice, cast, {"barge_in": "on", "pause_ms": "", "menu": ""})
    row = stored(cast)
    assert (row.turn_mode, row.pause_ms, row.barge_in, row.protect_ms) == ("adaptive", 700, True, 500)
    assert (row.menu, row.max_turns, row.max_cost, row.silence_ending) == ({}, 0, Decimal(0), "fallback")


@pytest.mark.parametrize(
    ("field", "typed", "words"),
    [
        ("menu", "0 = Nobody we know", "There is no destination"),
        ("menu", "x = end", "does not begin with a key"),
        ("menu", "1 = end\n1 = repeat", "does not begin with a key"),
        ("pause_ms", "20", "greater than or equal to 300"),
        ("protect_ms", "60000", "less than or equal to 10000"),
        ("max_cost", "-1", "greater than or equal to 0"),
        ("turn_mode", "telepathy", "not one of the available choices"),
    ],
)
def test_nonsense_is_refused(field: str, typed: str, words: str, cast: Cast, alice: Client) -> None:
    """Beside its field."""
    assert words in save(alice, cast, {field: typed}, 422)


def test_a_destination_that_is_gone_is_no_key(cast: Cast, alice: Client) -> None:
    """A key that led to it goes to the speech service again."""
    with tenant_context(cast.acme.domain.pk):
        place = Destination.objects.first()
    assert place is not None
    save(alice, cast, {"menu": f"0 = {place.name}"})
    with tenant_context(cast.acme.domain.pk):
        Destination.objects.filter(pk=place.pk).update(enabled=False)
    profile = resolve_secretary(domain_uuid=cast.acme.domain.pk, secretary_uuid=stored(cast).pk, extension="")
    assert rules(profile).menu == ()
