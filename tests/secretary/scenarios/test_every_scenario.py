"""Every scenario that we ship holds, in virtual time, with the product's own conversation and voice activity."""

from __future__ import annotations

from collections import Counter

import pytest

from secretary.scenarios import judge, virtual_time
from secretary.scenarios.run import play
from secretary.scenarios.script import Script, every

SCRIPTS = every()


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_what_must_hold_holds(script: Script) -> None:
    """The caller gets what they came for, and the record says so."""
    assert judge.failures(virtual_time.run(play(script))) == []


def test_each_scenario_expects_something() -> None:
    """A rehearsal that cannot fail rehearses nothing."""
    assert all(script.expect.outcome and script.covers for script in SCRIPTS)


def test_the_same_rehearsal_goes_the_same_way_twice() -> None:
    """Virtual time leaves nothing to chance: a failure can be looked at again."""
    script = next(script for script in SCRIPTS if script.name == "interrupt-greeting")
    first, second = (virtual_time.run(play(script)).record for _ in range(2))
    assert Counter(map(repr, first.lines)) == Counter(map(repr, second.lines))
    assert first.latency == second.latency
