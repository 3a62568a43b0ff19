"""What the demo prints: plain lines, coloured a little on a terminal. With --json they go to standard error."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, TextIO

from secretary.demo.summary import Line, Summary

NAMES = {"caller": "Caller", "secretary": "Secretary"}
WORST = "_max"
STAGES = {
    "greeting": "greeting: call connected → first voice",
    "end_of_turn": "end of turn: last sound → turn decided",
    "understanding": "understanding: turn decided → words known",
    "thinking": "thinking: turn decided → first sign of an answer",
    "voice": "voice: first sign of an answer → its first sound",
    "to_switch": "on the way: first sound → first frame to the switch",
    "answer": "answer: turn decided → first voice",
    "response": "response: last sound → first voice",
    "stop": "stop: caller's onset → voice stopped",
    "heard_greeting": "heard by the caller: answer → greeting",
    "heard_response": "heard by the caller: last sound → answer",
    "heard_stop": "heard by the caller: onset → silence",
}


class Screen:
    """Prints the call while it happens and what came of it."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._colour = self._stream.isatty()
        self._shown: set[tuple[str, int, str]] = set()

    def say(self, text: str = "") -> None:
        self._stream.write(text + "\n")
        self._stream.flush()

    def _dim(self, text: str) -> str:
        return f"\x1b[2m{text}\x1b[0m" if self._colour else text

    def live(self, message: Mapping[str, Any]) -> None:
        """One message of the call's live view, while it happens."""
        if message.get("type") == "call.line":
            self.line(
                Line(
                    str(message.get("who", "")),
                    str(message.get("text", "")),
                    int(message.get("start_ms", 0)),
                    int(message.get("end_ms", 0)),
                    bool(message.get("interrupted", False)),
                )
            )
        elif message.get("type") == "call.event":
            self.event(int(message.get("at_ms", 0)), str(message.get("kind", "")), message.get("detail") or {})

    def line(self, line: Line) -> None:
        """One line of the transcript; a line that was shown is not shown again."""
        key = (line.who, line.start_ms, line.text)
        if key in self._shown:
            return
        self._shown.add(key)
        cut = self._dim(" — interrupted") if line.interrupted else ""
        text = line.text or self._dim("(not understood)")
        self.say(f"  {_clock(line.start_ms)}  {NAMES.get(line.who, line.who):<9}  {text}{cut}")

    def event(self, at_ms: int, kind: str, detail: Mapping[str, Any]) -> None:
        key = ("event", at_ms, kind)
        if key in self._shown:
            return
        self._shown.add(key)
        more = "  ".join(f"{name}={value}" for name, value in detail.items() if value not in ("", None))
        self.say(self._dim(f"  {_clock(at_ms)}  · {kind.replace('_', ' ')}{'  ' + more if more else ''}"))

    def outcome(self, summary: Summary, expects: str) -> None:
        """The end of it: outcome, latency by stage, the recording."""
        for line in summary.transcript:  # what the live view has lost
            self.line(line)
        target = f" to {summary.destination}" if summary.destination else ""
        told = summary.outcome_detail.replace("_", " ")
        detail = f" ({told})" if told and told != summary.outcome else ""
        mark = "as expected" if summary.expected else f"expected: {expects}"
        self.say(f"\n  Outcome    {summary.outcome.replace('_', ' ')}{target}{detail} — {mark}")
        for name, ms in _by_stage(summary.latency_ms):
            self.say(f"  Latency    {ms:>6} ms  {_stage(name)}")
        self.say(f"  Recording  {summary.recording}  (caller left, secretary right)")


def _by_stage(figures: Mapping[str, int]) -> list[tuple[str, int]]:
    """In the order of a conversation; a stage's worst figure after its median."""
    order = {name: place for place, name in enumerate(STAGES)}
    return sorted(figures.items(), key=lambda one: (order.get(one[0].removesuffix(WORST), len(order)), one[0]))


def _stage(name: str) -> str:
    words = STAGES.get(name.removesuffix(WORST), name)
    return f"{words} (worst)" if name.endswith(WORST) else words


def _clock(ms: int) -> str:
    return f"{ms // 60_000:02d}:{ms // 1000 % 60:02d}.{ms % 1000 // 100}"
