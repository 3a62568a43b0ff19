"""Server-sent events out of bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secretary.speech.contract import ProviderError
from secretary.speech.pipeline.sse import MAX_EVENT, Event, EventStream


@given(
    st.lists(st.tuples(st.sampled_from(["", "delta"]), st.text(alphabet="aé😀: {", max_size=12)), max_size=6),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.lists(st.integers(1, 7), max_size=80),
)
def test_cut_anywhere(events: list[tuple[str, str]], ending: str, cuts: list[int]) -> None:
    """Events come out whole and in order, wherever the network cuts them, with any of the three line ends."""
    lines = []
    for name, data in events:
        lines += [": keep-alive", *([f"event: {name}"] if name else []), f"data: {data}", "id: 1", ""]
    raw = "".join(line + ending for line in lines).encode()
    stream, found, at = EventStream(), [], 0
    for cut in cuts:
        found += stream.feed(raw[at : at + cut])
        at += cut
    found += stream.feed(raw[at:]) + stream.end()
    assert found == [Event(name, data) for name, data in events]


def test_lines_of_one_event_and_a_forgotten_end() -> None:
    """Several data lines are one text; a last event without its empty line counts."""
    stream = EventStream()
    assert stream.feed(b"data: a\ndata:b\n\ndata: last") == [Event("", "a\nb")]
    assert stream.end() == [Event("", "last")]


def test_an_event_without_end() -> None:
    """A server that never ends an event does not fill the node's memory."""
    stream = EventStream()
    with pytest.raises(ProviderError):
        for _ in range(100):
            stream.feed(b"x" * (MAX_EVENT // 50))
