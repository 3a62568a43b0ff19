"""A port belongs to one call at a time, and rests before the next."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eslbridge.media.ports import NoPortError, PortPool


def test_each_port_is_given_once():
    """The whole range, no port twice, then a clear error."""
    pool = PortPool(20000, 20009)
    assert {pool.take(0) for _ in range(10)} == set(range(20000, 20010))
    with pytest.raises(NoPortError, match="10 ports in use"):
        pool.take(0)


def test_a_port_rests_after_its_call():
    """Late datagrams of the old call must not reach the new one."""
    pool = PortPool(20000, 20000, quarantine_s=5)
    port = pool.take(0)
    pool.give_back(port, 10)
    pool.give_back(port, 10)
    with pytest.raises(NoPortError, match="1 resting"):
        pool.take(14.9)
    assert pool.take(15) == port


@given(st.lists(st.booleans(), max_size=200))
def test_no_port_is_ever_held_twice(acts):
    """Whatever comes and goes."""
    pool, held, now = PortPool(30000, 30007, quarantine_s=3), [], 0.0
    for take in acts:
        now += 1
        if take:
            try:
                port = pool.take(now)
            except NoPortError:
                continue
            assert port not in held
            held.append(port)
        elif held:
            pool.give_back(held.pop(0), now)
        assert pool.used == len(held)


@pytest.mark.parametrize(("first", "last"), [(0, 10), (10100, 10000), (65000, 70000)])
def test_a_senseless_range_is_refused(first, last):
    """Said at once and not when the first call comes."""
    with pytest.raises(ValueError, match="range"):
        PortPool(first, last)
