"""`manage.py bench transfers` in small: whatever is killed or restarted, every transfer ends and nothing is left."""

from __future__ import annotations

import io
import json

import pytest
from django.core.management import CommandError, call_command

TYPED = {"busy", "caller_gone", "declined", "done", "failed", "no_answer", "unreachable", "unregistered"}


def test_transfers_at_once() -> None:
    """Two dozen over two domains, undisturbed, with the worker killed, and with Redis restarted: typed ends, no channel
    on the switch, no job under way, no caller on the line with nobody."""
    out = io.StringIO()
    call_command("bench", "transfers", "--transfers=24", "--domains=2", "--ring-s=1", "--json", stdout=out)
    result = json.loads(out.getvalue().splitlines()[-1])
    for name in ("undisturbed", "worker_killed", "redis_restarted"):
        part = result[name]
        assert (part["jobs_open"], part["stranded"], part["channels"]) == (0, 0, 0), (name, part)
        assert sum(part["outcomes"].values()) == 24 and set(part["outcomes"]) <= TYPED, (name, part)
    # Half are blind, and done when they are sent; of those that ask first, two meet each of the six colleagues. For
    # one who declines after the answer, it is the worker or the node who says first how the job ended.
    found = result["undisturbed"]["outcomes"]
    assert found["done"] + found["declined"] == 12 + 2 + 4
    assert (found["busy"], found["no_answer"], found["unregistered"]) == (2, 2, 2)
    assert result["worker_killed"]["swept"] >= 1


def test_nothing_is_refused() -> None:
    with pytest.raises(CommandError):
        call_command("bench", "transfers", "--transfers=0")
