"""Reading a URL: one reading, and a strict one."""

from __future__ import annotations

import contextlib
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.egress.addresses import is_public
from tenants.egress.errors import BlockedError
from tenants.egress.target import parse_target

WELL = {
    "https://example.com": ("https", "example.com", 443, "/"),
    "http://Example.COM.:8080/a?b=c#d": ("http", "example.com", 8080, "/a?b=c"),
    "https://bücher.example/ä?ö=1": ("https", "xn--bcher-kva.example", 443, "/%C3%A4?%C3%B6=1"),
    "https://[2606:2800:220:1::1]:8443/x": ("https", "2606:2800:220:1::1", 8443, "/x"),
    "https://93.184.216.34/": ("https", "93.184.216.34", 443, "/"),
    "https://93.184.216.34./": ("https", "93.184.216.34", 443, "/"),
    "https://hooks.example/%2e%2e/?u=http://x": ("https", "hooks.example", 443, "/%2e%2e/?u=http://x"),
}
REFUSED = (
    "", "example.com", "//example.com/", "ftp://example.com/", "file:///etc/passwd", "gopher://example.com/",
    "javascript:alert(1)", "https://", "https:///x", "https://user@example.com/", "https://user:pw@example.com/",
    "https://example.com@127.0.0.1/", "https://127.0.0.1\\@example.com/", "https://exa mple.com/",
    "https://example.com/\r\nX: y", "https://example.com/\x00", "https://example.com/a b", "https://example..com/",
    "https://.example.com/", "https://example.com../", "https://-a.example/", "https://exam%70le.com/",
    "https://example.com:0/", "https://example.com:99999/", "https://example.com:abc/", "https://[::1/",
    "https://[fe80::1%25eth0]/", "https://[fe80::1%eth0]/", "https://[v1.x]/", "https://" + "a" * 64 + ".com/",
    "https://example.com/" + "a" * 2000,
    # All of these are 127.0.0.1 to a C library.
    "http://2130706433/", "http://0x7f000001/", "http://017700000001/", "http://127.1/", "http://127.0.1/",
    "http://0177.0.0.1/", "http://0x7f.0.0.1/", "http://127.0.0.0x1/", "http://0/", "http://0x/", "http://127.0.0.01/",
)  # fmt: skip


@pytest.mark.parametrize("url", WELL)
def test_taken_apart(url: str) -> None:
    """Scheme, host in ASCII, port, and path with query; the fragment is for browsers."""
    target = parse_target(url)
    assert (target.scheme, target.host, target.port, target.path) == WELL[url]


@pytest.mark.parametrize("url", REFUSED)
def test_refused(url: str) -> None:
    """What is no plain address on the web."""
    with pytest.raises(BlockedError) as caught:
        parse_target(url)
    assert caught.value.reason == "bad_url"


def test_host_header() -> None:
    """The port is named where it is not the scheme's own."""
    assert parse_target("https://example.com/").host_header == "example.com"
    assert parse_target("http://example.com:443/").host_header == "example.com:443"
    assert parse_target("https://[2606::1]:8443/").host_header == "[2606::1]:8443"


WIDE = "".join(chr(ord(letter) + 0xFEE0) for letter in "127") + "。" + ("\uff10。" * 2) + "\uff11"
"""127.0.0.1 in full-width digits."""


@pytest.mark.parametrize("url", ["http://①②⑦.⓪.⓪.①/", f"http://{WIDE}/", "http://127。0。0。1/"])
def test_other_digits_are_seen_through(url: str) -> None:
    """Digits and dots of other scripts become plain ones before anything is judged."""
    target = parse_target(url)
    assert target.host == "127.0.0.1" and target.address is not None and not is_public(target.address)


PARTS = st.sampled_from(
    ["127", "0x7f", "0177", "0", "1", "10", "192", "0xA", "256", "2130706433", "-1", "1e3", "٣", "a"]
)


@given(st.lists(PARTS, min_size=1, max_size=5).map(".".join), st.sampled_from(["", ".", ":80"]))
def test_no_number_is_read_differently_later(host: str, end: str) -> None:
    """Whatever looks like an address is read as the same one by the C library, or refused."""
    try:
        target = parse_target(f"http://{host}{end}/")
    except BlockedError:
        return
    with contextlib.suppress(OSError):
        as_c_reads_it = socket.inet_ntoa(socket.inet_aton(target.host))
        assert target.address is not None and str(target.address) == as_c_reads_it


@given(st.text(max_size=60))
def test_anything(text: str) -> None:
    """Any text is taken apart or refused, and what is taken is printable ASCII."""
    for url in (text, f"https://{text}", f"https://example.com/{text}", f"https://{text}@example.com/"):
        try:
            target = parse_target(url)
        except BlockedError:
            continue
        whole = target.host + target.path
        assert whole.isascii() and whole.isprintable() and " " not in whole and "@" not in target.host
