"""An argument in an address is one piece of it, whatever it is: no further segment, parameter, host or way up."""

from __future__ import annotations

from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_django import Settings

from secretary.tools.http.template import TemplateError, check, fill
from tenants.egress.target import parse_target

KNOWN = {"order": {"type": "string"}, "count": {"type": "integer"}, "lines": {"type": "array"}}
URL = "https://crm.example/orders/{order}/lines?n={count}"


@pytest.mark.parametrize(
    "url",
    [
        "https://crm.example/orders",
        "https://crm.example/orders/{order}",
        "https://crm.example/orders?o={order}&n={count}",
        "https://crm.example:443/a{order}b",
    ],
)
def test_good(url: str) -> None:
    """Places in the path and behind the question mark."""
    check(url, KNOWN)


@pytest.mark.parametrize(
    "url",
    [
        "https://{order}.example/",
        "https://crm.example:{count}/",
        "{order}://crm.example/",
        "https://crm.example{order}/x",
        "https://user:pass@crm.example/",
        "https://crm.example/{colour}",
        "https://crm.example/{lines}",
        "https://crm.example/{",
        "https://crm.example/{order",
        "https://crm.example/#{order}",
        "http://crm.example/orders",
        "ftp://crm.example/",
        "/orders",
        "https://127.0.0.1/orders",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::1]/",
        "https://2130706433/",
        "https://crm.example:22/",
    ],
)
def test_refused(url: str) -> None:
    """When it is written: places in the host, unknown ones, internal addresses, other ports, no TLS."""
    with pytest.raises(TemplateError):
        check(url, KNOWN)


def test_an_internal_host_of_the_operators(settings: Settings) -> None:
    """What the operator lets through may be plain HTTP."""
    settings.EGRESS_ALLOW = ["127.0.0.1:8123", "crm.internal:8080"]
    check("http://127.0.0.1:8123/orders", KNOWN)
    check("http://crm.internal:8080/orders", KNOWN)
    with pytest.raises(TemplateError):
        check("http://127.0.0.1:8124/orders", KNOWN)


def test_the_rest_in_the_query() -> None:
    """What has no place of its own stands behind the question mark; a list repeats its name."""
    url = fill("https://crm.example/o/{order}?k=1", {"order": "a/b", "count": 2, "lines": [1, 2]}, rest_in_query=True)
    assert url == "https://crm.example/o/a%2Fb?k=1&count=2&lines=1&lines=2"
    assert fill("https://crm.example/o", {"count": True}, rest_in_query=True) == "https://crm.example/o?count=true"
    assert fill("https://crm.example/o", {"count": 1}, rest_in_query=False) == "https://crm.example/o"


@pytest.mark.parametrize("value", ["", ".", "..", "...", None])
def test_no_way_up(value: str | None) -> None:
    """A segment that is none, or leads upwards, is refused in words for the model."""
    with pytest.raises(TemplateError, match="`order`"):
        fill(URL, {} if value is None else {"order": value}, rest_in_query=False)


@settings(max_examples=150, deadline=None)
@given(st.text(min_size=1, max_size=60).filter(lambda text: text.strip(".")), st.integers())
def test_one_piece(order: str, count: int) -> None:
    """Any text at all comes out as the one segment and the one parameter that it went in as."""
    order = order.encode("utf-8", "replace").decode()
    target = parse_target(fill(URL, {"order": order, "count": count}, rest_in_query=False))
    assert target.host == "crm.example"
    parts = urlsplit(target.path)
    segments = parts.path.split("/")
    assert len(segments) == 4 and unquote(segments[2]) == order and segments[3] == "lines"
    assert parse_qs(parts.query) == {"n": [str(count)]}
