"""What remains of a conversation."""

from __future__ import annotations

import pytest

from secretary.conversation import actions as act
from secretary.conversation import record
from secretary.conversation.record import Record


def test_lines_are_in_the_order_of_speaking() -> None:
    """Words that a model writes down late stand before the answer to them."""
    kept = Record()
    for text, start_ms in (("Good morning.", 0), ("Certainly.", 3_000), ("Sales, please.", 1_500), ("Thanks.", 5_000)):
        kept.add_line(act.Line("", text, start_ms, start_ms + 500))
    assert [line.text for line in kept.lines] == ["Good morning.", "Sales, please.", "Certainly.", "Thanks."]


def test_there_is_an_end_to_what_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is too much is counted, and the lines before stay."""
    monkeypatch.setattr(record, "MOST_LINES", 1)
    kept = Record()
    kept.add_line(act.Line("caller", "one", 500, 600))
    kept.add_line(act.Line("caller", "two", 0, 100))
    assert [line.text for line in kept.lines] == ["one"] and kept.dropped == 1
