"""What the caller has heard of what was said: the ledger between words and the leg's play-out clock.

The leg counts heard voice in ms on one scale that never goes back (`AudioLeg.heard_ms`). Each utterance occupies a span
of that scale, so at any moment the ledger can tell which words have been heard: the truth for the transcript and for
the provider's memory.
"""

from __future__ import annotations

from dataclasses import dataclass

from eslbridge.media.contract import BYTES_PER_MS


@dataclass(slots=True)
class Span:
    """One utterance on the play-out scale and on the call's clock, all in ms."""

    utterance_id: str
    text: str
    start: int
    """Where on the leg's heard scale it begins."""
    length: int
    began_at: int
    """When its first sound left, on the call's clock."""
    ends_at: int
    """When its last sound so far will have left, on the call's clock."""
    complete: bool = False


@dataclass(frozen=True, slots=True)
class Heard:
    """As much of an utterance as the caller heard."""

    utterance_id: str
    text: str
    heard_ms: int
    began_at: int
    ended_at: int
    whole: bool


class Playout:
    """The utterances queued and not yet settled. Bounded by the leg's own bound on queued voice."""

    def __init__(self) -> None:
        self._spans: list[Span] = []
        self._end = 0
        self._busy_until = 0

    @property
    def end(self) -> int:
        """Where the queued voice ends on the leg's heard scale (ms)."""
        return self._end

    @property
    def open(self) -> bool:
        """Whether something said is not yet settled: heard to its end, or cut."""
        return bool(self._spans)

    @property
    def unfinished(self) -> bool:
        """Whether more of the newest utterance is still to come from the provider."""
        return bool(self._spans) and not self._spans[-1].complete

    def queued(self, utterance_id: str, text: str, pcm_bytes: int, last: bool, *, now: int, heard: int) -> None:
        """Note that `pcm_bytes` of this utterance were queued at `now` when `heard` ms had been heard."""
        length = pcm_bytes // BYTES_PER_MS
        self._end = max(self._end, heard)
        begins = max(now, self._busy_until)
        span = self._spans[-1] if self._spans and self._spans[-1].utterance_id == utterance_id else None
        if span is None:
            span = Span(utterance_id, "", self._end, 0, begins, begins)
            self._spans.append(span)
        span.text = f"{span.text} {text}".strip() if text else span.text
        span.length += length
        span.complete = span.complete or last
        self._end += length
        self._busy_until = begins + length
        span.ends_at = self._busy_until

    def settled(self, *, now: int, heard: int) -> list[Heard]:
        """Take out the complete utterances that have been heard to their end."""
        done = []
        while self._spans and self._spans[0].complete and self._spans[0].start + self._spans[0].length <= heard:
            span = self._spans.pop(0)
            end = min(span.ends_at, now) if span.length else span.began_at
            done.append(Heard(span.utterance_id, span.text, span.length, span.began_at, end, True))
        return done

    def cut(self, *, now: int, heard: int) -> list[Heard]:
        """The voice stops now: say of each open utterance how much was heard, and forget the rest."""
        heard_of = []
        for span in self._spans:
            share = min(max(heard - span.start, 0), span.length)
            whole = span.complete and share == span.length
            text = span.text if whole else words_heard(span.text, share, span.length)
            heard_of.append(
                Heard(span.utterance_id, text, share, min(span.began_at, now), min(span.began_at + share, now), whole)
            )
        self._spans.clear()
        self._end = heard
        self._busy_until = now
        return heard_of


def words_heard(text: str, heard_ms: int, length_ms: int) -> str:
    """The words of `text` that fit into the first `heard_ms` of its `length_ms` of voice.

    Without times for each word, voice is taken to run evenly over the letters; a word counts once more than half of it
    was heard. Never more than was said.
    """
    if length_ms <= 0 or heard_ms <= 0:
        return ""
    letters = len(text) * heard_ms / length_ms
    kept: list[str] = []
    position = 0
    for word in text.split():
        if position + len(word) / 2 > letters:
            break
        kept.append(word)
        position += len(word) + 1
    return " ".join(kept)
