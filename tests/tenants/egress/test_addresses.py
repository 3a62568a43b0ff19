"""Public or not, in whatever form an address is written."""

from __future__ import annotations

import ipaddress
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.egress.addresses import is_public, parse_address

PUBLIC = ("1.1.1.1", "8.8.8.8", "93.184.216.34", "172.15.255.255", "172.32.0.0", "2606:2800:220:1::1", "2a00::1")
INSIDE = (
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.254",
    "168.63.129.16", "169.254.169.254", "169.254.170.2", "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1",
    "192.168.1.1", "198.18.0.1", "203.0.113.9", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::10.0.0.1",
    "64:ff9b:1::808:808", "100::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1", "2001:db8::1",
    "2001::1", "2002:7f00:1::", "3fff::1", "5f00::1",
)  # fmt: skip


@pytest.mark.parametrize("text", PUBLIC)
def test_public(text: str) -> None:
    """Addresses of the internet."""
    assert is_public(parse_address(text))


@pytest.mark.parametrize("text", INSIDE)
def test_not_public(text: str) -> None:
    """Loopback, private, link-local, carriers' NAT, multicast, metadata, and IPv4 wrapped into IPv6."""
    assert not is_public(parse_address(text))


@given(st.ip_addresses())
def test_never_laxer_than_python(address: IPv4Address | IPv6Address) -> None:
    """What Python calls private, loopback, link-local, multicast or reserved is never public."""
    if is_public(address) and not address.is_global:
        # NAT64 leads to a public IPv4 address; Python calls the prefix itself global or not, by its release.
        assert address in ipaddress.ip_network("64:ff9b::/96") or getattr(address, "ipv4_mapped", None)


@given(st.ip_addresses(v=4))
def test_wrapping_changes_nothing(address: IPv4Address) -> None:
    """Mapped into IPv6 or behind NAT64, an IPv4 address is judged as itself."""
    mapped = IPv6Address(int(IPv6Address("::ffff:0:0")) | int(address))
    translated = IPv6Address(int(IPv6Address("64:ff9b::")) | int(address))
    assert is_public(mapped) == is_public(translated) == is_public(address)


@given(st.ip_addresses(v=4))
def test_six_to_four_is_never_public(address: IPv4Address) -> None:
    """6to4 and IPv4-compatible addresses carry any IPv4 address past a filter."""
    assert not is_public(IPv6Address((0x2002 << 112) | (int(address) << 80)))
    assert not is_public(IPv6Address(int(address)))


def test_zones_are_refused() -> None:
    """An address with an interface's name is a local one."""
    with pytest.raises(ValueError):
        parse_address("fe80::1%eth0")
