"""What a hostile page, a stolen cookie or a curious network neighbour can do with a signed-in browser: nothing."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from typing import Final

import pytest
from django.http import HttpRequest
from django.test import Client
from django.urls import reverse

from secretary.config.middleware import POLICY
from tests.secretary.api.client import bearer, domain_key
from tests.secretary.panel.cast import NOBODY, PASSWORD, Cast
from tests.secretary.panel.conftest import cast, data_dir, no_node, sign_in, stage
from tests.secretary.panel.test_access import IN_A_DOMAIN, INSIDE, ROUTES, Route
from tests.secretary.panel.test_markup import Reader

__all__ = ["cast", "data_dir", "no_node", "sign_in", "stage"]

SIGN_IN: Final = "/sign-in/"


def addresses(cast: Cast) -> Iterator[tuple[Route, str]]:
    """Every address of the panel, with acme's own objects."""
    for name, route in ROUTES.items():
        if route in INSIDE:
            yield route, route.address(cast.acme)
        else:
            values = {"user_id": cast.people["viewer"].pk, "uidb64": "AA", "token": "nothing"}
            yield route, reverse(name, kwargs={taken: values.get(taken, NOBODY) for taken in route.takes})


def test_csrf_on_every_post(cast: Cast) -> None:
    """A form on another site does nothing, whoever sends it, with and without a token of the other site's own."""
    for person in ("admin", "operator"):
        client = Client(enforce_csrf_checks=True)
        client.force_login(cast.people[person])
        for route, address in addresses(cast):
            if IN_A_DOMAIN.get(route.name) and IN_A_DOMAIN[route.name].post.startswith("405"):
                continue
            for forged in ({}, {"csrfmiddlewaretoken": "x" * 64}):
                answer = client.post(address, forged, headers={"Origin": "https://evil.example"})
                assert answer.status_code == 403, (person, route.name)


def test_headers_and_markup_of_every_answer(cast: Cast, sign_in: Callable[[str], Client]) -> None:
    """Policy, no frames, no guessing, and nothing inline: on every page for everybody, its errors included."""
    clients = {role: sign_in(role) for role in ("admin", "agent", "operator", "anonymous")}
    extra = ["/api/v1/docs", "/api/v1/openapi.json", "/nothing/at/all", "/livez", "/d/x/"]
    pages = 0
    for role, client in clients.items():
        for address in [address for route, address in addresses(cast) if route.name != "logout"] + extra:
            answer = client.get(address)
            assert answer["Content-Security-Policy"] == POLICY, (role, address)
            assert answer["X-Frame-Options"] == "DENY" and answer["X-Content-Type-Options"] == "nosniff"
            assert answer["Referrer-Policy"] == "same-origin"
            assert "Access-Control-Allow-Origin" not in answer
            if not answer.get("Content-Type", "").startswith("text/html") or answer.streaming or not answer.content:
                continue
            page = Reader()
            page.feed(answer.content.decode())
            pages += 1
            for tag, attributes in page.tags:
                assert tag not in ("style", "base", "object", "embed", "iframe"), (address, tag)
                assert "style" not in attributes and not [name for name in attributes if name.startswith("on")], address
                assert tag != "script" or (attributes.get("src") or "").startswith("/static/"), address
                assert "javascript:" not in str(attributes).lower()
                assert attributes.get("target") != "_blank" or "noopener" in (attributes.get("rel") or "")
    assert pages > 100


def test_post_refusals_have_the_policy_too(cast: Cast) -> None:
    """A bad host, a missing token, a wrong method."""
    client = Client(enforce_csrf_checks=True)
    for answer in (
        client.get("/", headers={"Host": "evil.example"}), client.post(SIGN_IN), client.post("/livez"),
        client.get("/sign-out/"), client.generic("PROPFIND", "/"),
    ):  # fmt: skip
        assert answer["Content-Security-Policy"] == POLICY and answer["X-Frame-Options"] == "DENY"


def test_session_fixation(cast: Cast) -> None:
    """A session that somebody gave a victim is worth nothing once the victim has signed in, nor after signing out."""
    attacker, victim = Client(), Client()
    attacker.get(reverse("open-invitation", args=["x" * 20]))  # has a session before anybody is signed in
    planted = attacker.cookies["session"].value
    victim.cookies["session"] = planted
    assert victim.post(SIGN_IN, {"username": "alice", "password": PASSWORD}).status_code == 302
    signed_in = victim.cookies["session"].value
    assert signed_in != planted
    assert attacker.get("/domains/").status_code == 302
    assert victim.get("/domains/").status_code == 200
    victim.post(reverse("logout"))
    stolen = Client()
    stolen.cookies["session"] = signed_in
    assert stolen.get("/domains/").status_code == 302
    made_up = Client()
    made_up.cookies["session"] = "a" * 32
    made_up.post(SIGN_IN, {"username": "alice", "password": PASSWORD})
    assert made_up.cookies["session"].value != "a" * 32


ELSEWHERE: Final = (
    "https://evil.example/", "//evil.example", "/\\evil.example", "\\\\evil.example", "///evil.example",
    "http:evil.example", "javascript:alert(1)", "https://localhost@evil.example", "\t//evil.example",
    "https:/evil.example", "//evil.example/\\@localhost", "data:text/html,x",
)  # fmt: skip


@pytest.mark.parametrize("elsewhere", ELSEWHERE)
def test_nobody_is_sent_elsewhere(elsewhere: str, cast: Cast, sign_in: Callable[[str], Client]) -> None:
    """After signing in, signing out, choosing a language: always a page of ours."""
    mark = reverse("panel:message-mark", args=[cast.acme.domain.pk, cast.acme.objects["message_uuid"]])
    answers = [
        Client().post(SIGN_IN, {"username": "alice", "password": PASSWORD, "next": elsewhere}),
        sign_in("admin").get(SIGN_IN, {"next": elsewhere}),
        sign_in("admin").post(reverse("logout"), {"next": elsewhere}),
        Client().post(reverse("set_language"), {"language": "en", "next": elsewhere}),
        Client().post(reverse("set_language"), {"language": "en"}, headers={"Referer": elsewhere.strip()}),
        sign_in("admin").post(mark, {"next": elsewhere, "read": "1"}),
    ]
    for answer in answers:
        assert answer.status_code in (302, 204)
        where = answer.get("Location", "/")
        assert re.fullmatch(r"/(?![/\\]).*", where) and "\t" not in where, where


def test_secrets_stay_out_of_the_log(
    cast: Cast, sign_in: Callable[[str], Client], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Passwords, keys, tokens, sessions and webhooks' secrets, used rightly and wrongly, at the most talkative level.

    A failure inside a view is among it: no local variable, no body, no header is written down.
    """
    domain = cast.acme.domain.pk
    secrets = ["esl-passw0rd-1", "wrong-passw0rd-2", PASSWORD, "vsi_" + "x" * 10 + "_" + "y" * 43]
    with caplog.at_level(logging.DEBUG):
        key = domain_key(domain)
        secrets.append(key)
        api = bearer(key)
        api.put(f"domains/{domain}/esl-credential", {"host": "10.0.0.1", "password": secrets[0]})
        api.put(f"domains/{domain}/esl-credential", {"host": "10.0.0.1", "password": secrets[0], "port": "x"})
        made = api.post(f"domains/{domain}/api-keys", {"name": "k", "scopes": ["calls:read"]}).json()
        hook = api.post(f"domains/{domain}/webhooks", {"url": "https://crm.example.com/h", "events": ["*"]}).json()
        shown = [
            value for answer in (made, hook) for name, value in answer.items() if name in ("key", "token", "secret")
        ]
        assert len(shown) == 2 and all(shown)
        secrets += shown
        bearer(secrets[3]).get("me")
        browser = Client()
        browser.post(SIGN_IN, {"username": "alice", "password": secrets[1]})
        browser.post(SIGN_IN, {"username": "alice", "password": PASSWORD})
        secrets.append(browser.cookies["session"].value)
        browser.get("/domains/")
        browser.get("/nothing/here/")

        def broken(request: HttpRequest, *_: object, **__: object) -> None:
            password = secrets[0]
            raise RuntimeError(len(password))

        from secretary.panel import pages

        monkeypatch.setattr(pages, "render", broken)
        browser.raise_request_exception = False
        assert browser.get("/account/").status_code == 500
    assert "RuntimeError" in caplog.text
    formatted = caplog.text + "".join(str(record.__dict__) for record in caplog.records)
    for secret in secrets:
        assert secret not in formatted, secret
