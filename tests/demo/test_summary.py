"""What the demo shows and keeps of a call."""

from __future__ import annotations

import io
import json
from pathlib import Path

from eslbridge.simulator import Caller
from eslbridge.simulator.caller import Span
from secretary.demo.scenarios import Result
from secretary.demo.screen import STAGES, Screen
from secretary.demo.summary import Line, Summary, telephone_latency
from secretary.panel import words

LINES = (
    Line("secretary", "Hello, this is Clara.", 120, 2400),
    Line("caller", "the sales department please", 3100, 4800),
    Line("secretary", "I am putting you", 5300, 6100, interrupted=True),
)
SUMMARY = Summary(
    call_uuid="0" * 8,
    domain="acme.example",
    secretary="Clara",
    scenario="sales",
    transport="direct-udp",
    transcript=LINES,
    events=((0, "answered"),),
    outcome="transferred",
    outcome_detail="",
    destination="Sales (1001)",
    destination_number="1001",
    recording="recordings/call.wav",
    latency_ms={"response": 900, "response_max": 1200, "greeting": 80},
    result=Result("transferred", "Sales", True, False, True),
    expected=True,
)


def test_the_shape_of_the_file(tmp_path: Path) -> None:
    """The keys that others rely on, and lines without anything more than who, text and times."""
    path = tmp_path / "demo" / "summary.json"
    SUMMARY.write(path)
    kept = json.loads(path.read_text())
    wanted = {"call_uuid", "domain", "secretary", "transcript", "outcome", "destination", "recording", "latency_ms"}
    assert wanted <= set(kept)
    assert kept["transcript"][0] == {
        "who": "secretary",
        "text": "Hello, this is Clara.",
        "start_ms": 120,
        "end_ms": 2400,
    }
    assert kept["latency_ms"] == {"response": 900, "response_max": 1200, "greeting": 80}
    assert (kept["destination"], kept["destination_number"]) == ("Sales (1001)", "1001")
    assert list(path.parent.iterdir()) == [path]


def test_live_lines_are_not_shown_twice() -> None:
    """What the live view has shown is left out at the end; what it lost is added."""
    out = io.StringIO()
    screen = Screen(out)
    first = LINES[0]
    live = {"type": "call.line", "interrupted": False, "utterance_id": "x", **first.as_json()}
    screen.live(live)
    screen.live({"type": "call.event", "kind": "transfer_asked", "at_ms": 4900, "detail": {"to": "Sales"}})
    screen.live({"type": "call.unknown"})
    screen.outcome(SUMMARY, "transferred")
    text = out.getvalue()
    assert text.count("Hello, this is Clara.") == 1
    assert "00:03.1  Caller     the sales department please" in text
    assert "I am putting you — interrupted" in text
    assert "transfer asked  to=Sales" in text
    assert "transferred to Sales (1001) — as expected" in text
    latencies = [line.split()[1] for line in text.splitlines() if line.startswith("  Latency")]
    assert latencies == ["80", "900", "1200"]  # in the order of a conversation
    assert "\x1b" not in text  # no terminal, no colours


def test_every_stage_has_words() -> None:
    """Whatever a conversation measures is told in people's words, as in the panel."""
    assert set(words.STAGES) <= set(STAGES)


def test_what_the_telephone_measured() -> None:
    """Greeting, answer and stop as the far end heard them."""
    caller = Caller()
    assert telephone_latency(caller) == {}
    caller.heard = [Span(140, 2500), Span(5600, 7000)]
    caller.said = [Span(2300, 4700)]
    assert telephone_latency(caller) == {"heard_greeting": 140, "heard_response": 900, "heard_stop": 200}
