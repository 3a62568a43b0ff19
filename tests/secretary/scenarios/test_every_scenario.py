"""Every scenario that we ship holds, in virtual time, with the product's own conversation and voice activity."""

from __future__ import annotations

from collections import Counter

import pytest

from secretary.panel import words
from secretary.scenarios import judge, virtual_time
from secretary.scenarios.run import play
from secretary.scenarios.script import Script, every
from secretary.tools import names

SCRIPTS = every()


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_what_must_hold_holds(script: Script) -> None:
    """The caller gets what they came for, and the record says so."""
    assert judge.failures(virtual_time.run(play(script))) == []


def test_each_scenario_expects_something() -> None:
    """A rehearsal that cannot fail rehearses nothing."""
    assert all(script.expect.outcome and script.covers for script in SCRIPTS)


def test_everything_is_rehearsed() -> None:
    """Each tool, each watchdog and each way in which a provider fails; in both languages."""
    called = {name for script in SCRIPTS for name in script.expect.tools}
    assert set(names.BUILT_IN) | {"order_status"} <= called
    details = {script.expect.detail for script in SCRIPTS} - {""}
    assert details <= set(words.REASONS), "and each has words for people"
    assert details >= {
        "silent_caller", "music_on_line", "recording_on_line", "caller_repeats", "going_in_circles", "time_is_up",
        "turns_used_up", "cost_used_up", "allowance_used_up", "provider_silent", "provider_failed", "caller_ended",
    }  # fmt: skip
    parts = [part for script in SCRIPTS for one in (script.provider, *script.providers) for part in one]
    assert {part.fails for part in parts} >= {"error", "silent", "refused"}
    assert Counter(script.language for script in SCRIPTS)["pt-br"] >= 6 and len(SCRIPTS) >= 50


def test_the_same_rehearsal_goes_the_same_way_twice() -> None:
    """Virtual time leaves nothing to chance: a failure can be looked at again."""
    script = next(script for script in SCRIPTS if script.name == "interrupt-greeting")
    first, second = (virtual_time.run(play(script)).record for _ in range(2))
    assert Counter(map(repr, first.lines)) == Counter(map(repr, second.lines))
    assert first.latency == second.latency
