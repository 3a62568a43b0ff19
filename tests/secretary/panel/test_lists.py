"""Lists: only one's own rows, filters, pages, and what stands there when there is nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from secretary.models import Call, Destination, ExtensionMapping, Message, Secretary
from tenants.context import tenant_context
from tests.secretary.panel.cast import Cast

LISTS = ("home", "calls", "messages", "secretaries", "destinations", "extensions")


def text(client: Client, name: str, cast: Cast, query: str = "") -> str:
    response = client.get(reverse(f"panel:{name}", args=[cast.acme.domain.pk]) + query)
    assert response.status_code == 200
    return unescape(response.content.decode())


@pytest.mark.parametrize("name", LISTS)
def test_only_own_rows(name: str, cast: Cast, alice: Client) -> None:
    """A list shows acme's row, and nothing of globex."""
    page = text(alice, name, cast)
    assert "acme" in page.split("<main", 1)[1]
    assert "globex" not in page


def test_search_stays_inside(cast: Cast, alice: Client) -> None:
    """Searching for a foreign caller's name finds nothing, and says how to go on."""
    page = text(alice, "calls", cast, "?q=globex")
    assert "No call fits" in page and "Show all calls" in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?q=8765", True),
        ("?q=%2B55+11+98765", True),
        ("?q=(11)+98765-0001", True),
        ("?q=ACME", True),
        ("?q=999", False),
        ("?q=%25", False),
        ("?q=_", False),
        ("?q=%00", True),
        ("?outcome=transferred", True),
        ("?outcome=failed", False),
        ("?outcome=nonsense", True),
        ("?outcome=transferred&q=acme", True),
        ("?before=rubbish&after=%00", True),
    ],
)
def test_filters(query: str, found: bool, cast: Cast, alice: Client) -> None:
    """By a part of the number however it is written, by name, by outcome; rubbish is ignored and breaks nothing."""
    assert ("acme caller" in text(alice, "calls", cast, query)) is found


def test_pages(cast: Cast, alice: Client) -> None:
    """Going to older pages and back shows every call once, in order, also where calls share a moment."""
    with tenant_context(cast.acme.domain.pk):
        Call.objects.all().delete()
        moment = timezone.now() - timedelta(days=1)
        Call.objects.bulk_create(
            Call(
                started_at=moment - timedelta(seconds=i // 3),
                ended_at=moment,
                outcome="completed",
                caller_number=f"2{i:04}",
            )
            for i in range(120)
        )
    pages, query = [], ""
    while True:
        page = text(alice, "calls", cast, query)
        pages.append(re.findall(r">(2\d{4})</a>", page))
        older = re.search(r'href="(\?[^"]*before=[^"]*)"', page)
        if older is None:
            break
        query = older[1]
    numbers = [number for page in pages for number in page]
    assert [len(numbers_of_page) for numbers_of_page in pages] == [50, 50, 20]
    assert len(set(numbers)) == 120
    newer = re.search(r'href="(\?[^"]*after=[^"]*)"', page)
    assert newer is not None
    assert re.findall(r">(2\d{4})</a>", text(alice, "calls", cast, newer[1])) == pages[1]


def test_filter_survives_paging(cast: Cast, alice: Client) -> None:
    """The link to older calls keeps what was searched for."""
    with tenant_context(cast.acme.domain.pk):
        now = timezone.now()
        Call.objects.bulk_create(Call(ended_at=now, outcome="failed", caller_number="300") for _ in range(60))
    page = text(alice, "calls", cast, "?outcome=failed&q=300")
    older = re.search(r'href="(\?[^"]*before=[^"]*)"', page)
    assert older is not None and "outcome=failed" in older[1] and "q=300" in older[1]


def test_empty_lists_tell_what_to_do(cast: Cast, sign_in: Callable[[str], Client]) -> None:
    """A new tenant's administrator is led from page to page; who may only look is not offered what would be refused."""
    with tenant_context(cast.acme.domain.pk):
        for model in (Message, Call, ExtensionMapping, Destination, Secretary):
            model.objects.all().delete()
    alice, vera = sign_in("admin"), sign_in("viewer")
    words = {
        "home": "Until a caller can be answered",
        "calls": "No calls yet",
        "messages": "No messages yet",
        "secretaries": "No secretary yet",
        "destinations": "No destination yet",
        "extensions": "First, a secretary",
    }
    for name, headline in words.items():
        assert headline in text(alice, name, cast)
        page = text(vera, name, cast)
        assert headline in page and "/new/" not in page
    assert "/secretaries/new/" in text(alice, "extensions", cast)


def test_unread_messages_are_counted(cast: Cast, alice: Client) -> None:
    """Marking a message moves it between read and unread, everywhere it is counted."""
    message = cast.acme.objects["message_uuid"]
    mark = reverse("panel:message-mark", args=[cast.acme.domain.pk, message])
    assert 'class="count"' in text(alice, "home", cast)
    inbox = reverse("panel:messages", args=[cast.acme.domain.pk])
    assert alice.post(mark, {"read": "1", "next": inbox + "?show=unread"})["Location"] == inbox + "?show=unread"
    assert 'class="count"' not in text(alice, "home", cast)
    assert "Everything is read" in text(alice, "messages", cast, "?show=unread")
    with tenant_context(cast.acme.domain.pk):
        first = Message.objects.get(pk=message).read_at
    alice.post(mark, {"read": "1"})
    with tenant_context(cast.acme.domain.pk):
        assert Message.objects.get(pk=message).read_at == first
    alice.post(mark, {"read": "0"})
    assert "acme friend" in text(alice, "messages", cast, "?show=unread")


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "javascript:alert(1)", ""])
def test_never_led_elsewhere(elsewhere: str, cast: Cast, alice: Client) -> None:
    """After marking, one lands on the platform's own pages only."""
    mark = reverse("panel:message-mark", args=[cast.acme.domain.pk, cast.acme.objects["message_uuid"]])
    response = alice.post(mark, {"next": elsewhere})
    assert response["Location"] == reverse("panel:messages", args=[cast.acme.domain.pk])


def test_start_leads_on(cast: Cast, sign_in: Callable[[str], Client]) -> None:
    """One domain: straight there. Several: the choice. None: told whom to ask."""
    home = reverse("panel:home", args=[cast.acme.domain.pk])
    assert sign_in("admin").get("/")["Location"] == home
    operator = sign_in("operator")
    assert operator.get("/")["Location"] == reverse("panel:domains")
    page = operator.get(reverse("panel:domains")).content.decode()
    assert "acme.example" in page and "globex.example" in page
    assert "Change domain" in operator.get(home).content.decode()
    from django.contrib.auth.models import User

    client = Client()
    client.force_login(User.objects.create_user("nobody"))
    assert "You belong to no domain yet" in client.get("/", follow=True).content.decode()
