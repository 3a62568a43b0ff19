"""What the caller has heard of what was said: the ledger between words and the leg's play-out clock.

The leg counts heard voice in ms on one scale that never goes back (`AudioLeg.heard_ms`). Each utterance occupies a span
of that scale, so at any moment the ledger can tell which words have been heard: the truth for the transcript and for
the provider's memory.
"""

from __future__ import annotations

from dataclasses import dataclass

from eslbridge.media.contract import BYTES_PER_MS
from secretary.conversation.sound import Sound

REWIND_MS = 240
"""How far before the place where it was stopped a voice goes on: a word begun is said again."""


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
        self._held: list[Span] = []
        self._rest: list[bytes | memoryview] = []
        self._held_at = 0
        self._sound = Sound()
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

    @property
    def holding(self) -> bool:
        """Whether a voice was stopped and may go on."""
        return bool(self._held)

    def remaining(self, heard: int) -> int:
        """How much voice is queued and not yet heard (ms)."""
        return max(self._end - heard, 0) if self._spans else 0

    def reference(self, heard: int, ms: int) -> bytes:
        """The last `ms` of voice that the caller heard."""
        return b"".join(self._sound.between(heard - ms, heard))

    def beside(self, pcm: bytes, heard: int) -> None:
        """What is heard from now on and nobody says: music. Empty: it is over."""
        self._sound.forget(heard)
        self._sound.take_from(heard)
        self._sound.add(heard, pcm)

    def queued(self, utterance_id: str, text: str, pcm: bytes, last: bool, *, now: int, heard: int) -> None:
        """Note that `pcm` of this utterance was queued at `now` when `heard` ms had been heard."""
        length = len(pcm) // BYTES_PER_MS
        self._end = max(self._end, heard)
        begins = max(now, self._busy_until)
        span = self._spans[-1] if self._spans and self._spans[-1].utterance_id == utterance_id else None
        if span is None:
            if self._spans:
                self._spans[-1].complete = True  # whatever was to come of it: something else is said now
            span = Span(utterance_id, "", self._end, 0, begins, begins)
            self._spans.append(span)
        span.text = f"{span.text} {text}".strip() if text else span.text
        span.length += length
        span.complete = span.complete or last
        self._sound.forget(heard)
        self._sound.add(self._end, pcm)
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

    def opened(self, *, now: int, heard: int) -> list[Heard]:
        """Of each utterance that is not settled yet: how much of it was heard."""
        return [_heard(span, heard, now) for span in self._spans]

    def cut(self, *, now: int, heard: int) -> list[Heard]:
        """The voice stops now: say of each open utterance how much was heard, and forget the rest."""
        heard_of = self.give_up(now=now) + self.opened(now=now, heard=heard)
        self._spans.clear()
        self._sound.take_from(heard)
        self._end = heard
        self._busy_until = now
        return heard_of

    # A voice that was stopped, and may go on ----------------------------------------------------------------------

    def hold(self, *, now: int, heard: int) -> None:
        """The voice stops now, but is kept: see `resume` and `give_up`."""
        position = max(heard - REWIND_MS, self._spans[0].start if self._spans else heard)
        kept = self._sound.between(position, heard)
        self._rest = [*kept, *self._sound.take_from(heard)]
        back = sum(map(len, kept)) // BYTES_PER_MS
        for span in self._spans:
            # On this scale from now on: where it would have begun, had it been heard without the part said twice.
            span.start += back
        self._held, self._spans = self._spans, []
        self._held_at = heard + back
        self._end = heard
        self._busy_until = now

    def has(self, utterance_id: str) -> bool:
        return any(span.utterance_id == utterance_id for span in self._spans)

    def held_more(self, utterance_id: str, text: str, pcm: bytes, last: bool, *, now: int) -> None:
        """More of a voice that is held arrives."""
        length = len(pcm) // BYTES_PER_MS
        span = self._held[-1] if self._held and self._held[-1].utterance_id == utterance_id else None
        if span is None:
            start = self._end
            if self._held:
                start = self._held[-1].start + self._held[-1].length
                self._held[-1].complete = True
            span = Span(utterance_id, "", start, 0, now, now)
            self._held.append(span)
        span.text = f"{span.text} {text}".strip() if text else span.text
        span.length += length
        span.complete = span.complete or last
        self._rest.append(pcm)

    def resume(self, *, now: int, heard: int) -> bytes:
        """The held voice goes on, from a little before where it was stopped: what is to be played."""
        pcm = b"".join(self._rest)
        self._spans, self._held = self._held, []
        self._rest = []
        on_the_road = heard - self._end  # what was still heard after the stop is said twice, too
        self._sound.add(heard, pcm)
        self._end = heard + len(pcm) // BYTES_PER_MS
        self._busy_until = now
        for span in self._spans:
            span.start += on_the_road
            span.ends_at = now + max(span.start + span.length - heard, 0)
            span.began_at = min(span.began_at, now) if span.start <= heard else now + span.start - heard
            self._busy_until = max(self._busy_until, span.ends_at)
        return pcm

    @property
    def held_is_complete(self) -> bool:
        """Whether all of the held voice is here, so that it can go on without the provider."""
        return all(span.complete for span in self._held)

    def held(self, *, now: int) -> list[Heard]:
        """Of each utterance that is held: how much of it was heard."""
        return [_heard(span, self._held_at, now) for span in self._held]

    def give_up(self, *, now: int) -> list[Heard]:
        """The held voice will not go on: how much of it was heard."""
        heard_of = self.held(now=now)
        self._held, self._rest = [], []
        return heard_of


def _heard(span: Span, heard: int, now: int) -> Heard:
    share = min(max(heard - span.start, 0), span.length)
    whole = span.complete and share == span.length
    text = span.text if whole else words_heard(span.text, share, span.length)
    return Heard(span.utterance_id, text, share, min(span.began_at, now), min(span.began_at + share, now), whole)


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
