"""The conversation as the caller heard it: what the language model is given to go on from.

What the secretary wanted to say and was cut off from saying is not in it, so the model never refers to words that
nobody heard. Bounded: the oldest lines go first, and a tool's result is cut.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from secretary.speech.contract import Said, ToolSpec
from secretary.speech.pipeline.llm.contract import Call, FromCaller, FromSecretary, Message, Prompt, Result

MOST_LINES: Final = 200
MOST_CHARACTERS: Final = 40_000
"""Of the conversation that goes to the model: about 10,000 tokens, more than an hour's talk."""
MOST_RESULT: Final = 4_000
"""Characters of one tool's result."""
CUT: Final = "…"
"""Behind what the caller cut off."""
RUNNING: Final = "still running; its result will follow"
LOST: Final = "interrupted by the caller; it was not done"


@dataclass(slots=True)
class Line:
    """Something the secretary said in one go, and the tools it used then."""

    utterances: dict[str, str] = field(default_factory=dict)
    """What was given to the voice, by utterance, in order; an utterance that was cut is what was heard of it."""
    whole: dict[str, str] = field(default_factory=dict)
    """What those that were cut would have been."""
    calls: list[Call] = field(default_factory=list)
    results: dict[str, Result] = field(default_factory=dict)
    cut: bool = False

    @property
    def text(self) -> str:
        text = " ".join(part for part in self.utterances.values() if part)
        return text + CUT if self.cut and text else text

    @property
    def empty(self) -> bool:
        return not self.calls and not self.text


class Memory:
    """One call's."""

    def __init__(self, history: Iterable[Said] = ()) -> None:
        self._lines: list[str | Line] = []
        for said in history:
            if said.who == "caller":
                self.caller_said(said.text)
            else:
                self.began().utterances[""] = said.text

    def caller_said(self, text: str) -> None:
        self._add(text)

    def began(self) -> Line:
        """A new line of the secretary's, still without words; they are added as they are spoken."""
        line = Line()
        self._add(line)
        return line

    def spoke(self, utterance_id: str, text: str) -> None:
        """These words of the utterance were given to the conversation."""
        line = self._line_of(utterance_id)
        if line is not None and text:
            line.utterances[utterance_id] = f"{line.utterances[utterance_id]} {text}".strip()

    def interrupted(self, utterance_id: str, heard_text: str) -> None:
        """Only so much of the utterance was heard; what the line would have said after it was not heard at all."""
        line = self._line_of(utterance_id)
        if line is not None:
            said = line.utterances[utterance_id]
            if heard_text.split() != said.split():
                line.cut = True
                line.whole.setdefault(utterance_id, said)
            line.utterances[utterance_id] = heard_text

    def went_on(self, utterance_id: str) -> None:
        """It was no interruption: the rest of this utterance is heard after all."""
        line = self._line_of(utterance_id)
        if line is not None and line.cut:
            line.utterances |= line.whole
            line.whole.clear()
            line.cut = False

    def result(self, call_id: str, outcome: str, detail: str) -> bool:
        """Keep how a tool ended; whether there was such a call."""
        for line in reversed(self._lines):
            if isinstance(line, Line) and any(call.call_id == call_id for call in line.calls):
                text = f"{outcome}: {detail}" if detail else outcome
                line.results[call_id] = Result(call_id, text[:MOST_RESULT], failed=outcome != "ok")
                return True
        return False

    @property
    def was_cut_off(self) -> bool:
        """Whether the secretary spoke last, and was cut off."""
        last = self._last
        return isinstance(last, Line) and last.cut

    @property
    def awaits_tool(self) -> bool:
        """Whether a tool that the secretary used last is still at work."""
        last = self._last
        return isinstance(last, Line) and any(call.call_id not in last.results for call in last.calls)

    @property
    def awaits_answer(self) -> bool:
        """Whether the caller's words, or a tool's result, came last: the secretary has to say something."""
        last = self._last
        return isinstance(last, str) or (last is not None and bool(last.calls) and not last.cut)

    @property
    def _last(self) -> str | Line | None:
        return next((line for line in reversed(self._lines) if isinstance(line, str) or not line.empty), None)

    def _line_of(self, utterance_id: str) -> Line | None:
        lines = (line for line in reversed(self._lines) if isinstance(line, Line))
        return next((line for line in lines if utterance_id in line.utterances), None)

    def prompt(self, system: str, tools: tuple[ToolSpec, ...]) -> Prompt:
        messages: list[Message] = []
        size = 0
        for line in reversed(self._lines):
            if isinstance(line, str):
                size += len(line)
                message: Message = FromCaller(line)
            elif line.empty:
                continue
            else:
                results = tuple(
                    line.results.get(call.call_id, Result(call.call_id, LOST if line.cut else RUNNING, failed=line.cut))
                    for call in line.calls
                )
                size += len(line.text) + sum(len(result.text) for result in results)
                message = FromSecretary(line.text, tuple(line.calls), results)
            if messages and size > MOST_CHARACTERS:
                break
            messages.append(message)
        messages.reverse()
        return Prompt(system, tuple(messages), tools)

    def _add(self, line: str | Line) -> None:
        self._lines.append(line)
        if len(self._lines) > MOST_LINES:
            del self._lines[0]
