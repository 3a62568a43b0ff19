"""One's own account: password, second factor, browsers."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tenants.people import accounts, second_factor, throttle, totp
from tests.secretary.panel.cast import PASSWORD, Cast

NEW = "a new and longer password"


def text(client: Client, name: str = "account") -> str:
    return unescape(client.get(reverse(f"panel:{name}")).content.decode())


def another(cast: Cast, role: str = "admin") -> Client:
    client = Client(headers={"User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0) Version/19.0 Safari/605"})
    client.post(reverse("login"), {"username": cast.people[role].username, "password": PASSWORD})
    return client


def test_change_password(cast: Cast, alice: Client) -> None:
    """The old one is asked for, a weak one refused; the others are signed out, this one stays, with a new key."""
    User.objects.filter(username="alice").update(email="alice.moreau@acme.example")
    other = another(cast)
    address = reverse("panel:password")
    for current, password, words in (
        ("wrong", NEW, "This is not your password"),
        (PASSWORD, "short", "too short"),
        (PASSWORD, "password1234", "too common"),
        (PASSWORD, "123456789012345", "entirely numeric"),
        (PASSWORD, "alice.moreau@acme", "too similar"),
    ):
        response = alice.post(address, {"current": current, "password": password})
        assert response.status_code == 422 and words in unescape(response.content.decode()), words
        assert f'"{password}"' not in unescape(response.content.decode())
    key = alice.session.session_key
    # Five attempts were free; whoever is slower than a guesser does not notice.
    throttle.forgive([(throttle.SECOND_FACTOR, str(cast.people["admin"].pk))])
    assert alice.post(address, {"current": PASSWORD, "password": NEW}).status_code == 302
    assert "Your password is new" in text(alice)
    assert alice.session.session_key != key
    assert other.get(reverse("panel:account")).status_code == 302


def test_stolen_session_cannot_guess_the_password(cast: Cast, alice: Client) -> None:
    """The old password is throttled as codes are."""
    for _ in range(5):
        alice.post(reverse("panel:password"), {"current": "wrong", "password": NEW})
    response = alice.post(reverse("panel:password"), {"current": PASSWORD, "password": NEW})
    assert response.status_code == 429 and "Too many attempts" in response.content.decode()


def test_browsers(cast: Cast, alice: Client) -> None:
    """Which, from where; one is ended, then all others; nobody else's can be."""
    other = another(cast)
    page = text(alice)
    assert "Safari, iPhone" in page and "This one" in page and "127.0.0.1" in page
    (row,) = [row for row in accounts.sessions(cast.people["admin"].pk) if "iPhone" in row.agent]
    bob = Client()
    bob.force_login(cast.people["stranger"])
    assert bob.post(reverse("panel:session-end", args=[row.pk])).status_code == 404
    assert other.get(reverse("panel:account")).status_code == 200
    assert alice.post(reverse("panel:session-end", args=[row.pk])).status_code == 302
    assert other.get(reverse("panel:account")).status_code == 302
    third = another(cast)
    alice.post(reverse("panel:sessions-end"))
    assert third.get(reverse("panel:account")).status_code == 302
    assert alice.get(reverse("panel:account")).status_code == 200


def test_second_factor(cast: Cast, alice: Client) -> None:
    """On with password and code, which signs the others out; new codes and off want both again."""
    other = another(cast)
    page = text(alice, "second-factor")
    secret = re.search(r"data-secret>([A-Z2-7 ]+)<", page)
    assert secret is not None
    key = secret[1].replace(" ", "")
    step = int(timezone.now().timestamp() // 30)
    address = reverse("panel:second-factor")
    response = alice.post(address, {"current": "wrong", "code": totp.code_at(key, step)})
    assert response.status_code == 422 and not second_factor.is_on(cast.people["admin"].pk)
    assert alice.post(address, {"current": PASSWORD, "code": totp.code_at(key, step - 1)}).status_code == 200
    assert second_factor.is_on(cast.people["admin"].pk)
    assert other.get(reverse("panel:account")).status_code == 302
    assert "10 recovery codes left" in text(alice)
    assert alice.get(address).status_code == 302, "the secret is not shown again"
    again = alice.post(reverse("panel:recovery-codes"), {"current": PASSWORD, "code": totp.code_at(key, step)})
    codes = re.findall(r"<code>([a-z2-7-]{19})</code>", again.content.decode())
    assert len(codes) == 10
    off = reverse("panel:second-factor-off")
    assert alice.post(off, {"current": PASSWORD, "code": totp.code_at(key, step)}).status_code == 422
    assert alice.post(off, {"current": PASSWORD, "code": codes[0]}).status_code == 302
    assert not second_factor.is_on(cast.people["admin"].pk)


@pytest.mark.parametrize("name", ["account", "second-factor", "password"])
def test_not_kept_by_caches(name: str, alice: Client) -> None:
    """Secrets and sessions are in no cache."""
    assert alice.get(reverse(f"panel:{name}"))["Cache-Control"] == "private, no-store"
