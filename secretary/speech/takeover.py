"""What the next provider must know of the conversation so far: who said what and was heard, and what is still owed.

Bounded: the oldest lines go first, and of a caller's turn the last minute is kept.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import Final

import structlog

from secretary.speech.contract import ProviderError, Said, SpeechSession, ToolCall

MOST_LINES: Final = 200
MOST_TURN: Final = 60 * 16_000
"""Bytes of a turn that waits for its answer: 60 s."""
MOST_TOOLS: Final = 32
MOST_UTTERANCES: Final = 16
"""The last ones, of which more may come, or less may have been heard."""
FRAME: Final = 320
CLOSE_S: Final = 1.0
BEFORE_ONSET: Final = 25
"""Frames before the moment at which a provider tells that it heard the caller begin: 500 ms."""
MOST_HEARD: Final = 750
"""Frames of a turn that a provider detects by itself: 15 s."""

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Line:
    who: str
    text: str
    whole: str = ""
    """What it would have been, had the caller not cut it off."""


@dataclass(slots=True)
class Memory:
    """The conversation as a provider's `Briefing.history` tells it."""

    lines: deque[Line] = field(default_factory=lambda: deque(maxlen=MOST_LINES))
    turn: bytes | None = None
    """The caller's last turn, as long as it has no whole answer."""
    worded: bool = False
    """The words of that turn are told already: they are the last of the caller's lines."""
    tools: dict[str, ToolCall] = field(default_factory=dict)
    """Called and not answered, by the conversation's id."""
    results: list[str] = field(default_factory=list)
    """How tools ended whose provider was gone by then, for the next one's instructions."""
    speaking: str = ""
    """The utterance that has begun and not ended."""
    sayings: list[tuple[str, bool]] = field(default_factory=list)
    """Sentences of the platform that were asked for and not begun: text and `keep`."""
    _by_id: OrderedDict[str, Line] = field(default_factory=OrderedDict)

    def caller_said(self, text: str) -> None:
        if text.strip():
            self.lines.append(Line("caller", text.strip()))
        self.worded = self.turn is not None

    def secretary_says(self, utterance_id: str, text: str, last: bool) -> bool:
        """A part of an utterance; whether it is the first one."""
        line = self._by_id.get(utterance_id)
        if line is None:
            line = self._by_id[utterance_id] = Line("secretary", text)
            self.lines.append(line)
            if len(self._by_id) > MOST_UTTERANCES:
                self._by_id.popitem(last=False)
            first = True
        else:
            first = False
            if text:
                glued = not line.text or text[0].isspace() or line.text[-1].isspace()
                line.text += text if glued else f" {text}"
        self.speaking = "" if last else utterance_id
        return first

    def heard_only(self, utterance_id: str, heard: str) -> None:
        """The caller cut this off after these words."""
        if (line := self._by_id.get(utterance_id)) is not None:
            line.whole = line.whole or line.text
            line.text = heard
        if self.speaking == utterance_id:
            self.speaking = ""

    def heard_all(self, utterance_id: str) -> None:
        """It was not cut off after all."""
        if (line := self._by_id.get(utterance_id)) is not None:
            line.text, line.whole = line.whole or line.text, ""

    def called(self, call: ToolCall) -> None:
        """A tool is an answer, too: the turn is not given to another provider, which would call it again."""
        self.tools[call.tool_call_id] = call
        if len(self.tools) > MOST_TOOLS:
            del self.tools[next(iter(self.tools))]
        self.answered()

    def ended(self, call: ToolCall, outcome: str, detail: str) -> None:
        """How a tool of a provider that is gone ended."""
        self.results.append(f"The tool {call.name} ended: {outcome}. {detail[:500]}".strip())
        del self.results[:-MOST_TOOLS]

    def instructions(self, given: str) -> str:
        """What a model that takes over is told beside the history."""
        news = [*self.results, *(f"The tool {call.name} is still running." for call in self.tools.values())]
        return "\n".join([given, "", *news]) if given and news else given

    def turn_over(self, pcm: bytes) -> None:
        """A turn waits for its answer, with the one before it where that had none."""
        before = self.turn if self.turn is not None and not self.worded else b""
        self.turn, self.worded = (before + pcm)[-MOST_TURN:], False

    def answered(self) -> None:
        self.turn, self.worded = None, False

    def history(self) -> tuple[Said, ...]:
        """Without the words of a turn that the next provider is given to hear."""
        lines = list(self.lines)
        if self.turn is not None and self.worded:
            last = next((n for n in range(len(lines) - 1, -1, -1) if lines[n].who == "caller"), None)
            if last is not None:
                del lines[last]
        return tuple(Said(line.who, line.text) for line in lines if line.text.strip())


class Heard:
    """The caller's audio of the turn under way: for a provider that takes over in the middle of it."""

    def __init__(self) -> None:
        self._frames: deque[bytes] = deque(maxlen=BEFORE_ONSET)

    def add(self, frame: bytes) -> None:
        self._frames.append(frame)

    def began(self) -> None:
        self._frames = deque(self._frames, maxlen=MOST_HEARD)

    @property
    def so_far(self) -> bytes:
        return b"".join(self._frames)

    def ended(self) -> bytes:
        pcm = self.so_far
        self._frames = deque(maxlen=BEFORE_ONSET)
        return pcm


def as_failure(error: Exception) -> ProviderError:
    """Why a provider did not take the call."""
    if isinstance(error, ProviderError):
        return error
    if isinstance(error, TimeoutError):
        return ProviderError("it did not take the call in time", kind="unreachable")
    log.error("speech_provider_raised", exc_info=error)
    return ProviderError(f"internal error: {type(error).__name__}")


async def closed(session: SpeechSession) -> None:
    """Close it, whatever it does, in time."""
    try:
        async with asyncio.timeout(CLOSE_S):
            await session.close()
    except Exception as error:
        log.warning("speech_session_not_closed", error=repr(error))
