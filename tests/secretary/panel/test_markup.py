"""What every page of the panel owes its reader, in both languages: words, labels, headings, and nothing inline."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import cache
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from django.urls import reverse

from tests.secretary.panel.cast import Cast
from tests.secretary.panel.test_access import IN_A_DOMAIN, INSIDE, expected

# Pages only: neither sounds nor tables, nor what answers POST alone.
FILES = ("panel:recording", "panel:message-audio", "panel:record-export", "panel:data-download", "panel:quotas")
PAGES = [route for route in INSIDE if route.name not in FILES and not IN_A_DOMAIN[route.name].get.startswith("405")]
OUTSIDE_PAGES = (
    "panel:domains", "panel:account", "panel:password", "panel:second-factor", "panel:everybody", "panel:person",
    "panel:operators", "panel:operator-invite", "panel:installation-record", "panel:platform-services",
    "panel:platform-service",
)  # fmt: skip
NAMED = frozenset({"a", "button", "label", "legend", "summary", "th", "caption", "option", "h1", "h2", "h3"})
"""What a screen reader says by the words inside."""
LANGUAGES = ("en", "pt-br")


class Reader(HTMLParser):
    """Collects what the tests below ask about."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.nameless: list[str] = []
        self._open: list[tuple[str, int, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.tags.append((tag, attributes))
        if tag in NAMED:
            self._open.append((tag, len(self.text), bool(attributes.get("aria-label"))))

    def handle_endtag(self, tag: str) -> None:
        if self._open and self._open[-1][0] == tag:
            _tag, since, named = self._open.pop()
            if not named and not "".join(self.text[since:]).strip():
                self.nameless.append(f"{tag} after {' '.join(self.text[-3:])!r}")

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def all(self, *names: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag in names]


def read(client: Client, address: str, language: str) -> Reader:
    response = client.get(address, headers={"Accept-Language": language})
    assert response.status_code == 200
    reader = Reader()
    reader.feed(response.content.decode())
    return reader


@cache
def there_is(address: str) -> bool:
    """Whether a static file is there, and the picture in it that stands behind the `#`."""
    path, _, part = address.removeprefix("/static/").partition("#")
    file = finders.find(path)
    return isinstance(file, str) and (not part or f'id="{part}"' in Path(file).read_text())


def check(page: Reader, language: str, where: str) -> None:
    """The rules themselves."""
    assert [attributes["lang"] for attributes in page.all("html")] == [language], where
    assert len(page.all("h1")) == 1 and len(page.all("main")) == 1 and len(page.all("title")) == 1, where
    ids = Counter(attributes["id"] for _, attributes in page.tags if attributes.get("id"))
    assert not [name for name, times in ids.items() if times > 1], where
    assert not page.nameless, where
    levels = [int(tag[1]) for tag, _ in page.tags if tag in ("h1", "h2", "h3", "h4")]
    assert all(after <= before + 1 for before, after in pairwise(levels)), f"{where}: {levels}"
    for tag, attributes in page.tags:
        assert "style" not in attributes and tag != "style", where
        assert not [name for name in attributes if name.startswith("on")], where
        assert tag != "script" or attributes.get("src", "").startswith("/static/panel/"), where  # type: ignore[union-attr]
        assert not (attributes.get("tabindex") or "0").startswith(("1", "2", "3")), where
        for name in ("src", "href"):
            assert not (attributes.get(name) or "").startswith(("http", "//", "data:", "javascript:")), where
        for name in ("aria-labelledby", "aria-describedby", "popovertarget"):
            assert all(target in ids for target in (attributes.get(name) or "").split()), (where, attributes)
    for attributes in page.all("script", "link", "img", "use"):
        assert there_is(attributes.get("src") or attributes.get("href") or ""), (where, attributes)
    labelled = {attributes.get("for") for attributes in page.all("label")}
    for field in page.all("input", "select", "textarea"):
        assert field.get("type") == "hidden" or field.get("id") in labelled or field.get("aria-label"), (where, field)
    for picture in page.all("img"):
        assert "alt" in picture
    for form in page.all("form"):
        assert form.get("method") in ("post", "get")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("role", ["admin", "viewer"])
def test_pages(role: str, language: str, cast: Cast, sign_in: Callable[[str], Client]) -> None:
    """One heading, unique ids, every field with its label, every table column and button with its name, nothing
    inline, nothing from elsewhere; also for who may only look.
    """
    client = sign_in(role)
    for route in PAGES:
        if role == "admin" or expected(route.name, "get")[role] == 200:
            check(read(client, route.address(cast.acme), language), language, route.name)


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_outside_a_domain(language: str, cast: Cast, sign_in: Callable[[str], Client]) -> None:
    """The same for signing in, for one's account and for the operator's pages."""
    for name in ("login", "forgotten"):
        check(read(sign_in("anonymous"), reverse(name), language), language, name)
    operator = sign_in("operator")
    for name in OUTSIDE_PAGES:
        args = {"panel:person": [cast.people["viewer"].pk], "panel:platform-service": ["gemini-live"]}.get(name, [])
        check(read(operator, reverse(name, args=args), language), language, name)


def test_policy(cast: Cast, alice: Client) -> None:
    """The content security policy allows own files and nothing inline."""
    response = alice.get(reverse("panel:home", args=[cast.acme.domain.pk]))
    policy = response["Content-Security-Policy"]
    assert "default-src 'self'" in policy and "unsafe" not in policy
    assert response["Cache-Control"] == "private, no-store"
    assert response["X-Frame-Options"] == "DENY"


def test_error_pages(cast: Cast, alice: Client) -> None:
    """What does not exist is said in the panel's own words and looks."""
    response = alice.get("/d/nothing/")
    assert response.status_code == 404 and "There is nothing here" in response.content.decode()
    response = alice.get("/", headers={"Host": "evil.example"})
    assert response.status_code == 400 and "We could not understand that request" in response.content.decode()
