"""What an installation allows, and how it says so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from tenants.checks import outgoing_requests
from tenants.egress.errors import BlockedError, UnreachableError
from tenants.egress.policy import Allowed, EgressPolicy, check_url, parse_allowed, parse_networks
from tenants.egress.target import parse_target

WEB = frozenset({80, 443})


def verdict(policy: EgressPolicy, url: str, *addresses: str) -> str:
    """`ok`, or why not."""
    target = parse_target(url)
    try:
        policy.check_target(target)
        policy.judge(target, addresses or [target.host])
    except (BlockedError, UnreachableError) as error:
        return error.reason
    return "ok"


def test_public_and_usual() -> None:
    """Public addresses at the usual ports, and nothing else."""
    policy = EgressPolicy(WEB)
    assert verdict(policy, "https://example.com/", "93.184.216.34", "2606:2800:220:1::1") == "ok"
    assert verdict(policy, "https://example.com:5432/", "93.184.216.34") == "port"
    assert verdict(policy, "https://example.com/", "10.0.0.1") == "address"
    assert verdict(policy, "https://127.0.0.1/") == "address"
    assert verdict(policy, "https://[::ffff:10.0.0.1]/") == "address"
    assert verdict(policy, "https://example.com/") == "address"  # "example.com" is no address: never taken for one
    with pytest.raises(UnreachableError):
        policy.judge(parse_target("https://example.com/"), [])


@given(st.integers(min_value=0, max_value=3), st.permutations(["93.184.216.34", "1.1.1.1", "8.8.8.8"]))
def test_one_bad_address_condemns_the_name(position: int, addresses: list[str]) -> None:
    """A name with one internal address among public ones is refused, wherever it stands."""
    mixed = [*addresses[:position], "192.168.0.1", *addresses[position:]]
    assert verdict(EgressPolicy(WEB), "https://example.com/", *mixed) == "address"


def test_allowed_network() -> None:
    """A network without a port opens the usual ports, with a port that one alone."""
    policy = EgressPolicy(WEB, parse_allowed(["10.1.0.0/16", "127.0.0.1:9000", "[fd00::5]:8080"]))
    assert verdict(policy, "http://10.1.2.3/") == "ok"
    assert verdict(policy, "http://10.1.2.3:6379/") == "port"
    assert verdict(policy, "http://10.2.0.1/") == "address"
    assert verdict(policy, "http://127.0.0.1:9000/") == "ok"
    assert verdict(policy, "http://127.0.0.1:9001/") == "port"
    assert verdict(policy, "http://127.0.0.1/") == "address"
    assert verdict(policy, "http://[::ffff:127.0.0.1]:9000/") == "ok"
    assert verdict(policy, "http://crm.example:9000/", "127.0.0.1") == "ok"
    assert verdict(policy, "http://crm.example:9000/", "93.184.216.34") == "port"
    assert verdict(policy, "http://[fd00::5]:8080/") == "ok"


def test_allowed_name() -> None:
    """A name may have any address, but only this name."""
    policy = EgressPolicy(WEB, parse_allowed(["crm.internal", "api.internal:8080"]))
    assert verdict(policy, "http://crm.internal/", "10.0.0.1") == "ok"
    assert verdict(policy, "http://crm.internal:8080/", "10.0.0.1") == "port"
    assert verdict(policy, "http://api.internal:8080/", "10.0.0.1") == "ok"
    assert verdict(policy, "http://x.crm.internal/", "10.0.0.1") == "address"


def test_denied() -> None:
    """The installation's own public addresses, also wrapped."""
    policy = EgressPolicy(WEB, denied=parse_networks(["93.184.216.0/24"]))
    assert verdict(policy, "http://93.184.216.34/") == "address"
    assert verdict(policy, "http://[64:ff9b::5db8:d822]/") == "address"
    assert verdict(policy, "http://1.1.1.1/") == "ok"


@pytest.mark.parametrize(
    "text", ["", ":80", "x:", "10.0.0.1/8", "[::1", "a:b:c", "x:0", "x:99999", "x y", "user@host", "x/y", "127.1"]
)
def test_entries_that_are_none(text: str) -> None:
    """A slip in the settings is told, with the entry."""
    with pytest.raises(ValueError):
        Allowed.parse(text)


@given(st.text(max_size=40))
def test_any_entry(text: str) -> None:
    """Any text is an entry or a ValueError."""
    try:
        entry = Allowed.parse(text)
    except ValueError:
        return
    assert (entry.network is None) == bool(entry.name)


def test_settings_are_checked(settings: Settings) -> None:
    """`manage.py check` names a setting that cannot be understood."""
    assert outgoing_requests(None) == []
    for name, value in {"EGRESS_ALLOW": ["a b"], "EGRESS_PORTS": ["https"], "EGRESS_DENY": ["x"]}.items():
        old = getattr(settings, name)
        setattr(settings, name, value)
        assert [error.id for error in outgoing_requests(None)] == ["tenants.E003"]
        setattr(settings, name, old)
    settings.EGRESS_PORTS = ["0"]
    assert outgoing_requests(None)
    settings.EGRESS_PORTS = ["443"]
    settings.EGRESS_CA_BUNDLE = "/nowhere.pem"
    assert outgoing_requests(None)


def test_check_url(settings: Settings) -> None:
    """What is wrong with a URL is told when it is stored, without resolving anything."""
    assert check_url("https://hooks.example/x").host == "hooks.example"
    for url, reason in {
        "https://127.0.0.1/": "address",
        "https://hooks.example:22/": "port",
        "x": "bad_url",
    }.items():
        with pytest.raises(BlockedError) as caught:
            check_url(url)
        assert caught.value.reason == reason
