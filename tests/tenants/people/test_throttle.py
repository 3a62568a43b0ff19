"""Guessing gets slow: in virtual time, for existing and invented accounts alike, also many at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from tenants.context import platform_context
from tenants.models import Throttle
from tenants.people import throttle
from tests.tenants.people.conftest import Clock

pytestmark = pytest.mark.django_db


def try_it(name: str = "alice", address: str = "192.0.2.1") -> int:
    return throttle.attempt(throttle.sign_in_subjects(name, address))


def test_waits_double(clock: Clock) -> None:
    """Five attempts are free; then 1, 2, 4 … seconds, never more than a quarter of an hour."""
    assert [try_it() for _ in range(5)] == [0] * 5
    waits = []
    for _ in range(14):
        wait = try_it()
        waits.append(wait)
        assert try_it() == wait, "asking again while waiting neither shortens nor lengthens it"
        clock.pass_s(wait)
        assert try_it() == 0
    assert waits[:6] == [1, 2, 4, 8, 16, 32]
    assert max(waits) == 900 == waits[-1]


def test_a_day_of_guessing(clock: Clock) -> None:
    """However patient, a guesser has about a hundred attempts a day at one account from one address."""
    begin, made = clock.now, 0
    while (clock.now - begin).total_seconds() < 24 * 3600:
        wait = try_it()
        made += not wait
        clock.pass_s(max(wait, 0.1))
    assert made <= 115


def test_forgotten_after_a_quiet_day(clock: Clock) -> None:
    """Somebody who comes back the next day starts afresh."""
    for _ in range(6):
        try_it()
    assert try_it() > 0
    clock.pass_s(24 * 3600 + 1)
    assert [try_it() for _ in range(5)] == [0] * 5


def test_owner_is_not_locked_out_by_one_stranger(clock: Clock) -> None:
    """A stranger's guesses from elsewhere slow the stranger down, not the owner at their own address."""
    for _ in range(12):
        try_it(address="203.0.113.9")
        clock.pass_s(1)
    assert try_it(address="203.0.113.9") > 0
    assert try_it(address="192.0.2.1") == 0


def test_many_addresses_are_counted_together(clock: Clock) -> None:
    """One account from a botnet: after twenty attempts from anywhere everybody waits."""
    assert [try_it(address=f"198.51.100.{i}") for i in range(20)] == [0] * 20
    assert try_it(address="198.51.100.99") > 0


def test_many_accounts_are_counted_together(clock: Clock) -> None:
    """One address that tries a name after another, invented or not: after thirty it gets one each two minutes."""
    assert [try_it(name=f"user{i}") for i in range(30)] == [0] * 30
    assert try_it(name="somebody else") == 120
    clock.pass_s(119)
    assert try_it(name="somebody else") == 1
    clock.pass_s(1)
    assert try_it(name="somebody else") == 0 and try_it(name="yet another") == 120
    assert try_it(name="somebody else", address="192.0.2.200") == 0


def test_success_forgives_the_account_not_the_address(clock: Clock) -> None:
    """An attacker with an account of their own cannot wash the address clean by signing in with it."""
    for i in range(29):
        try_it(name=f"user{i}")
    for _ in range(5):
        assert try_it(name="mallory") == 0
        throttle.forgive_sign_in("mallory", "192.0.2.1")
    assert try_it(name="user98") == 0
    assert try_it(name="user99") > 0


def test_an_office_behind_one_address(clock: Clock) -> None:
    """Three hundred people who come in at nine, each with the right password, do not slow each other down."""
    for i in range(300):
        assert try_it(name=f"user{i}") == 0
        throttle.forgive_sign_in(f"user{i}", "192.0.2.1")


def test_spelling_does_not_matter(clock: Clock) -> None:
    """Case and spaces around a name make no new account."""
    for name in ("alice", "ALICE", " alice ", "Alice", "aLice"):
        assert try_it(name=name) == 0
    assert try_it(name="alicE") > 0


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        (None, "unknown"),
        ("x" * 5000, "unknown"),
    ],
)
def test_places(address: str | None, place: str) -> None:
    """A customer's whole IPv6 network is one place."""
    assert throttle.network(address) == place


def test_table_is_no_list_of_accounts(clock: Clock) -> None:
    """Names and addresses are not in it."""
    try_it(name="alice", address="192.0.2.1")
    with platform_context(), connection.cursor() as cursor:
        cursor.execute("select string_agg(t::text, ' ') from tenants_throttle t")
        text = cursor.fetchone()[0]
    assert "alice" not in text and "192.0.2.1" not in text


def test_sweep(clock: Clock) -> None:
    """Old rows go."""
    try_it()
    clock.pass_s(3 * 24 * 3600)
    assert throttle.sweep() == 3
    with platform_context():
        assert not Throttle.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_hundred_at_once_are_a_hundred() -> None:
    """Attempts in parallel do not slip past the count: five are free, however many come at the same moment."""

    def attempt(_: int) -> int:
        try:
            return throttle.attempt([(throttle.SECOND_FACTOR, "7")])
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        waits = list(pool.map(attempt, range(40)))
    assert waits.count(0) == 5
