"""Signing in: password, second step, what a guesser learns (nothing), and what a session is."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from tenants.context import platform_context, tenant_context
from tenants.models import Domain, InstallationEvent
from tenants.people import second_factor, totp
from tests.secretary.panel.cast import PASSWORD, Cast

LOGIN = reverse("login")
STEP = reverse("second-step")


def enter(client: Client, name: str = "alice", password: str = PASSWORD, **extra: Any) -> Any:
    return client.post(LOGIN, {"username": name, "password": password}, **extra)


def text(response: Any) -> str:
    return unescape(response.content.decode())


def is_in(client: Client) -> bool:
    return client.get(reverse("panel:account")).status_code == 200


def code(secret: str, steps: int = 0) -> str:
    return totp.code_at(secret, int(timezone.now().timestamp() // 30) + steps)


@pytest.fixture
def secret(cast: Cast) -> str:
    """Alice has two-factor sign-in."""
    user = cast.people["admin"]
    secret = second_factor.begin(user.pk)
    assert second_factor.confirm(user, code(secret, -1))
    return secret


def test_password_alone(cast: Cast) -> None:
    """Without a second factor the password is enough, and the session gets a new key."""
    client = Client()
    client.get(LOGIN)
    session = client.session
    session["planted"] = "by an attacker"
    session.save()
    client.cookies["session"] = session.session_key
    planted = session.session_key
    assert enter(client).status_code == 302 and is_in(client)
    assert client.session.session_key != planted
    stolen = Client()
    stolen.cookies["session"] = planted
    assert not is_in(stolen)


def test_two_steps(cast: Cast, secret: str) -> None:
    """After the password nobody is in yet; each step changes the session's key; the way there is kept."""
    client = Client()
    home = reverse("panel:home", args=[cast.acme.domain.pk])
    response = client.post(LOGIN, {"username": "alice", "password": PASSWORD, "next": home})
    assert response["Location"] == STEP and not is_in(client)
    halfway = client.session.session_key
    assert client.post(STEP, {"code": "000000"}).status_code == 422 and not is_in(client)
    response = client.post(STEP, {"code": code(secret)})
    assert response["Location"] == home and is_in(client)
    assert client.session.session_key != halfway
    assert client.get(home).status_code == 200


def test_code_is_not_replayed(cast: Cast, secret: str) -> None:
    """Who looked over the shoulder comes too late, in another browser as well."""
    typed = code(secret)
    for attempt, status in ((Client(), 302), (Client(), 422)):
        enter(attempt)
        assert attempt.post(STEP, {"code": typed}).status_code == status


def test_recovery_code(cast: Cast) -> None:
    """One of the ten opens, once."""
    user = cast.people["admin"]
    secret = second_factor.begin(user.pk)
    codes = second_factor.confirm(user, code(secret)) or []
    for client, status in ((Client(), 302), (Client(), 422)):
        enter(client)
        assert client.post(STEP, {"code": codes[0]}).status_code == status


def test_guessing_codes(cast: Cast, secret: str) -> None:
    """After five wrong codes one waits: the right one does not help either, nor does a fresh start."""
    client = Client()
    enter(client)
    for _ in range(5):
        assert client.post(STEP, {"code": "000000"}).status_code == 422
    response = client.post(STEP, {"code": code(secret)})
    assert response.status_code == 429 and "Too many attempts" in text(response) and response["Retry-After"]
    again = Client()
    enter(again)
    assert again.post(STEP, {"code": code(secret)}).status_code == 429 and not is_in(again)


def test_second_step_without_the_first(cast: Cast, secret: str) -> None:
    """The code alone opens nothing; a password changed half-way ends it; so does time."""
    assert Client().post(STEP, {"code": code(secret)})["Location"] == LOGIN
    client = Client()
    enter(client)
    user = User.objects.get(username="alice")
    user.set_password("another long password")
    user.save()
    assert client.post(STEP, {"code": code(secret)})["Location"] == LOGIN
    assert enter(client, password="another long password").status_code == 302
    session = client.session
    session["halfway"] = {**session["halfway"], "until": 0}
    session.save()
    assert client.post(STEP, {"code": code(secret)})["Location"] == LOGIN


def test_open_redirect(cast: Cast) -> None:
    """Nobody is sent elsewhere after signing in."""
    for elsewhere in ("https://evil.example/", "//evil.example", "javascript:alert(1)"):
        response = Client().post(LOGIN, {"username": "alice", "password": PASSWORD, "next": elsewhere})
        assert response["Location"] == "/"


@pytest.mark.parametrize("name", ["alice", "nobody-of-this-name"])
def test_throttle(name: str, cast: Cast) -> None:
    """Existing or not: five wrong passwords, then the same wait in the same words, which also stops the right one."""
    client = Client()
    for _ in range(5):
        response = enter(client, name, "wrong")
        assert response.status_code == 200
        assert "User name and password do not belong together" in text(response)
    response = enter(client, name, "wrong")
    assert response.status_code == 429 and "Too many attempts. Try again in 1 second." in text(response)
    assert enter(client, name).status_code == 429 and not is_in(client)


def test_nothing_tells_an_account(cast: Cast) -> None:
    """A wrong password, an unknown name and a switched-off account look alike, byte by byte but for the name itself."""
    User.objects.filter(username="vera").update(is_active=False)
    pages = []
    for name, password in (("alice", "wrong"), ("mallory", PASSWORD), ("vera", PASSWORD)):
        page = text(enter(Client(), name, password)).replace(name, "NAME")
        pages.append(re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", page))
    assert pages[0] == pages[1] == pages[2]


def test_unknown_names_cost_the_same(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """A password is hashed for an unknown name, too: the time tells nothing."""
    from django.contrib.auth.hashers import MD5PasswordHasher

    hashed: list[str] = []
    encode = MD5PasswordHasher.encode

    def counted(self: MD5PasswordHasher, password: str, salt: str) -> str:
        hashed.append(password)
        return encode(self, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", counted)
    enter(Client(), "mallory", "wrong")
    unknown, known = len(hashed), 0
    hashed.clear()
    enter(Client(), "alice", "wrong")
    known = len(hashed)
    assert unknown == known == 1


@pytest.fixture
def mail_server(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Letters go out, and the worker works at once."""
    from secretary.panel import tasks

    settings.EMAIL_URL = "smtp://mail.example"
    monkeypatch.setattr(tasks.mail_reset, "delay", lambda *args: tasks.mail_reset(*args))


def test_forgotten_password(cast: Cast, mail_server: None, secret: str) -> None:
    """The letter's link sets a new password once; all sessions end; the second factor is still asked for."""
    User.objects.filter(username="alice").update(email="alice@acme.example")
    elsewhere = Client()
    elsewhere.force_login(User.objects.get(username="alice"))
    client = Client()
    response = client.post(reverse("forgotten"), {"name": "Alice@acme.example"})
    assert "Look into your mailbox" in text(response)
    (letter,) = mail.outbox
    link = re.search(r"http://testserver(/password/reset/\S+)", letter.body)
    assert letter.to == ["alice@acme.example"] and link is not None
    response = client.get(link[1], follow=True)
    address = response.redirect_chain[-1][0]
    assert link[1].split("/")[-2] not in address
    assert client.post(address, {"password": "short"}).status_code == 200
    assert client.post(address, {"password": "a new and longer password"})["Location"] == LOGIN
    assert not is_in(elsewhere)
    assert "no longer serves" in text(client.get(link[1], follow=True))
    assert enter(client, password="a new and longer password")["Location"] == STEP


def test_forgotten_tells_nothing(cast: Cast, mail_server: None) -> None:
    """The answer is the same for nobody's address, and a mailbox is not flooded."""
    User.objects.filter(username="alice").update(email="alice@acme.example")
    pages = [
        text(Client().post(reverse("forgotten"), {"name": name})) for name in ("alice", "nobody") for _ in range(4)
    ]
    assert len({re.sub(r'value="[^"]+"', "", page) for page in pages}) == 1
    assert len(mail.outbox) == 3


def test_no_mail_server(cast: Cast) -> None:
    """Without one, the page says whom to ask."""
    assert "Ask whoever runs it" in text(Client().get(reverse("forgotten")))


def test_required_second_factor(cast: Cast, sign_in: Callable[[str], Client]) -> None:
    """Where the domain asks for it, its pages open only after setting it up; other roles are not asked."""
    with tenant_context(cast.acme.domain.pk):
        Domain.objects.update(second_factor="administrators")
    home = reverse("panel:home", args=[cast.acme.domain.pk])
    alice = sign_in("admin")
    assert alice.get(home)["Location"] == reverse("panel:second-factor")
    assert alice.post(reverse("panel:secretary-new", args=[cast.acme.domain.pk]))["Location"] == reverse(
        "panel:second-factor"
    )
    assert sign_in("viewer").get(home).status_code == 200
    assert sign_in("operator").get(home)["Location"] == reverse("panel:second-factor")
    page = text(alice.get(reverse("panel:second-factor")))
    found = re.search(r"data-secret>([A-Z2-7 ]+)<", page)
    assert found is not None and "<svg" in page
    secret = found[1].replace(" ", "")
    response = alice.post(reverse("panel:second-factor"), {"current": PASSWORD, "code": code(secret)})
    assert len(re.findall(r"<code>[a-z2-7]{4}(?:-[a-z2-7]{4}){3}</code>", text(response))) == 10
    assert alice.get(home).status_code == 200


def test_operators_pages_want_it_too(cast: Cast, sign_in: Callable[[str], Client], settings: Settings) -> None:
    """By the installation's rule."""
    settings.SECOND_FACTOR_REQUIRED = "administrators"
    assert sign_in("operator").get(reverse("panel:operators"))["Location"] == reverse("panel:second-factor")


def test_sign_ins_are_recorded(cast: Cast) -> None:
    """Failed and successful, with address; never the password, also where it was typed as the name."""
    enter(Client(), "wrong-secret-word", "", REMOTE_ADDR="192.0.2.6")
    enter(Client(), password="wrong-secret-word", REMOTE_ADDR="192.0.2.7")
    enter(Client(), REMOTE_ADDR="192.0.2.8")
    with platform_context():
        rows = list(InstallationEvent.objects.order_by("at").values_list("action", "address", "object_label"))
        assert "wrong-secret-word" not in str(list(InstallationEvent.objects.values()))
    assert rows[-2:] == [("sign-in.failed", "192.0.2.7", "alice"), ("session.started", "192.0.2.8", "alice")]


def test_cookies_of_production() -> None:
    """Behind HTTPS: `__Host-`, Secure, HttpOnly, SameSite; read from the product's own settings."""
    import os
    import subprocess
    import sys

    shown = subprocess.run(
        [
            sys.executable, "-c",
            "from secretary.config import settings as s; print(s.SESSION_COOKIE_NAME, s.SESSION_COOKIE_SECURE,"
            " s.SESSION_COOKIE_HTTPONLY, s.SESSION_COOKIE_SAMESITE, s.CSRF_COOKIE_NAME, s.CSRF_COOKIE_SECURE,"
            " s.CSRF_COOKIE_HTTPONLY, s.SECOND_FACTOR_REQUIRED)",
        ],
        env={**os.environ, "HTTPS_ONLY": "true"}, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert shown.split() == [
        "__Host-session",
        "True",
        "True",
        "Lax",
        "__Host-csrftoken",
        "True",
        "True",
        "administrators",
    ]
