"""The local secretary's mind: what was understood goes in, what to say and do comes out. No I/O, no clock of its own.

```
            place ───────────────▶ TRANSFERRING ──not reached──▶ OFFERING
LISTENING ─ not sure of it ─▶ CONFIRMING ─yes─▲                     │ yes, or not understood twice
   ▲      ─ message ────────────────────────────▶ RECORDING ◀───────┘
   │      ─ not understood: list, then ─▶ OFFERING      │ pause, # or too long
   └──────────── MORE ("anything else?") ◀── SAVING ◀───┘
                   └─ no, goodbye ─▶ ENDING
```

Every state can be left by saying a destination, asking for a message, or saying goodbye: nobody is held in a question.
A silent caller is not this module's business: the conversation asks again and finds a human.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from secretary.speech.contract import Place
from secretary.speech.local.carriers import OPERATOR_NAMES
from secretary.speech.local.intents import Intent, Understood
from secretary.speech.local.phones import words_of
from secretary.speech.local.phrases import CUT_OFF, NOT_PUT_THROUGH, OVER, Phrase, language_of, sentence

SURE: Final = 0.5
"""From this confidence on a caller is put through without being asked back."""
CLEAR: Final = 0.9
MESSAGE_PAUSE_MS: Final = 2000
"""Silence that ends a message: long enough to remember one's own number."""
MESSAGE_MAX_MS: Final = 120_000
HARDLY_HEARD_MS: Final = 900
"""An apology cut off before this was talked into by a caller who had only paused, and is not counted."""


class State(StrEnum):
    """What the secretary is waiting for."""

    LISTENING = "listening"
    CONFIRMING = "confirming"
    OFFERING = "offering"
    RECORDING = "recording"
    SAVING = "saving"
    MORE = "more"
    TRANSFERRING = "transferring"
    ENDING = "ending"


@dataclass(frozen=True, slots=True)
class Say:
    """Speak this; with `tone`, a short tone follows it."""

    text: str
    tone: bool = False


@dataclass(frozen=True, slots=True)
class Do:
    """Call a tool when what was said before has been heard."""

    name: str
    arguments: dict[str, object]


@dataclass(frozen=True, slots=True)
class Collect:
    """The message is over: gather its text, then call `Dialogue.collected`."""


@dataclass(frozen=True, slots=True)
class Fail:
    """Hand the call to somebody else: this secretary cannot help it any more."""

    reason: str


Action = Say | Do | Collect | Fail


class Dialogue:
    """One call. Times are milliseconds on any clock that never goes back."""

    def __init__(self, language: str, places: Sequence[Place]) -> None:
        self._language = language_of(language)
        self._places = tuple(places)
        self.state = State.LISTENING
        self._misses = 0
        self._miss_said = False
        """The last thing said was an apology for not understanding."""
        self._last: str = ""
        self._asked: int | None = None
        """The place in question: to be confirmed, or just tried."""
        self._recording_since: int | None = None
        self._quiet_since: int | None = None
        self._speaking = False
        self._message_turns = 0
        self._invited = False

    @property
    def wants_intent(self) -> bool:
        """Whether a turn is to be matched with the grammar now."""
        return self.state not in (State.SAVING, State.TRANSFERRING, State.ENDING) and (
            self.state is not State.RECORDING or self._message_turns == 0
        )

    @property
    def wants_answer(self) -> bool:
        """Whether the last thing said was a yes/no question."""
        return self.state in (State.CONFIRMING, State.OFFERING, State.MORE) or not self._places

    @property
    def wants_dictation(self) -> bool:
        """Whether a turn is part of a message now."""
        return self.state is State.RECORDING

    def spoken(self, text: str) -> None:
        """The platform said this (greeting, reprompt): what "could you repeat that" means."""
        self._last = text

    def came_back(self, destination_uuid: str, outcome: str) -> None:
        """The caller was sent there, is here again, and is being asked what to do now."""
        uuids = [place.destination_uuid for place in self._places]
        self._asked = uuids.index(destination_uuid) if destination_uuid in uuids else None
        self.state = {OVER: State.MORE, CUT_OFF: State.LISTENING}.get(outcome, State.OFFERING)

    # What the caller does

    def heard(self, what: Understood) -> list[Action]:
        """A turn was recognised, or could not be."""
        if not self.wants_intent:
            return []
        if self.state is State.RECORDING:
            return self._before_message(what)
        match what.intent:
            case Intent.PLACE if what.place is not None and what.place < len(self._places):
                return self._place(what.place, what.confidence)
            case Intent.MESSAGE:
                return self._record()
            case Intent.GOODBYE:
                return self._goodbye("caller_said_goodbye")
            case Intent.REPEAT if self._last:
                return [self._say(self._last)]
            case Intent.OPERATOR:
                return self._operator(what.confidence)
            case Intent.YES | Intent.NO:
                return self._answer(what.intent is Intent.YES)
            case _:
                return self._miss()

    def key(self, digit: str) -> list[Action]:
        """A key: 1-9 the destination in that place of the list, 0 a person, * again, # ends a message."""
        if self.state is State.RECORDING:
            return self._finish_message() if digit == "#" else []
        if not self.wants_intent:
            return []
        if digit == "*":
            return [self._say(self._last)] if self._last else []
        if digit == "0":
            return self._operator(1.0)
        if digit in "123456789" and digit and int(digit) <= len(self._places):
            return self._place(int(digit) - 1, 1.0)
        return []

    def speech_started(self, now_ms: int) -> None:
        """The caller has begun to speak."""
        self._speaking = True
        self._quiet_since = None

    def speech_ended(self, now_ms: int) -> None:
        """The caller paused. Call before the turn's recognition is asked for."""
        self._speaking = False
        if self.state is State.RECORDING:
            self._quiet_since = now_ms

    def message_turn(self) -> None:
        """The turn that just ended belongs to the message."""
        self._message_turns += 1

    def interrupted(self, heard_ms: int) -> None:
        """The caller cut off the secretary's last utterance."""
        if self._miss_said and heard_ms < HARDLY_HEARD_MS and self.state in (State.LISTENING, State.OFFERING):
            self._misses = max(0, self._misses - 1)
            self.state = State.LISTENING
            self._miss_said = False

    def tick(self, now_ms: int) -> list[Action]:
        """Time has passed. Cheap: called for every frame."""
        if self.state is not State.RECORDING:
            return []
        if self._recording_since is None:
            self._recording_since = now_ms
        if now_ms - self._recording_since >= MESSAGE_MAX_MS:
            return self._finish_message()
        quiet = self._quiet_since
        if quiet is not None and not self._speaking and self._message_turns and now_ms - quiet >= MESSAGE_PAUSE_MS:
            return self._finish_message()
        return []

    # What the platform answers

    def collected(self, text: str) -> list[Action]:
        """The message's text is as good as it gets."""
        return [Do("take_message", {"text": text, "complete": True})] if self.state is State.SAVING else []

    def tool_result(self, name: str, outcome: str) -> list[Action]:
        """A tool ended with `ok` or with the reason why not."""
        if outcome == "ok":
            if name == "take_message" and self.state is State.SAVING:
                self.state = State.MORE
                return [self._phrase(Phrase.MESSAGE_KEPT)]
            return []
        if outcome == "interrupted":  # the caller spoke into the sentence before it: that turn comes next
            self.state = State.LISTENING
            return []
        if name == "transfer" and self.state is State.TRANSFERRING:
            self.state = State.OFFERING
            return [self._phrase(NOT_PUT_THROUGH.get(outcome, Phrase.TRANSFER_FAILED), place=self._asked)]
        if name in ("take_message", "record_message"):
            self.state = State.ENDING
            return [self._phrase(Phrase.MESSAGE_NOT_KEPT), Fail(f"{name} ended with {outcome}")]
        return []

    # What follows from it

    def _place(self, place: int, confidence: float) -> list[Action]:
        self._asked = place
        if confidence < SURE:
            self.state = State.CONFIRMING
            return [self._phrase(Phrase.CONFIRM, place=place)]
        self.state = State.TRANSFERRING
        uuid = self._places[place].destination_uuid
        return [self._phrase(Phrase.TRANSFERRING, place=place), Do("transfer", {"destination_uuid": uuid})]

    def _answer(self, yes: bool) -> list[Action]:
        match self.state, yes:
            case State.CONFIRMING, True if self._asked is not None:
                return self._place(self._asked, 1.0)
            case State.CONFIRMING, False:
                return self._miss()
            case State.OFFERING, True:
                return self._record()
            case State.OFFERING, False:
                self.state = State.MORE
                return [self._phrase(Phrase.ANYTHING_ELSE)]
            case State.MORE, True:
                self.state = State.LISTENING
                self._misses = 0
                return self._who()
            case State.MORE, False:
                return self._goodbye("nothing_else")
            case _ if not self._places and yes:  # "Shall I take a message?" is all there was to ask
                return self._record()
            case _:
                return self._miss()

    def _operator(self, confidence: float) -> list[Action]:
        names = OPERATOR_NAMES[self._language]
        for index, place in enumerate(self._places):
            if any(" ".join(words_of(way)) in names for way in (place.name, *place.aliases)):
                # "A person" is what strangers' names are mistaken for, so it must have been clear.
                return self._place(index, confidence if confidence >= CLEAR else 0.0)
        if self._misses:
            return self._offer()
        self._misses += 1  # asked twice for anybody at all: a message reaches somebody
        return self._who()

    def _who(self) -> list[Action]:
        if not self._places:
            return self._offer()
        return [self._phrase(Phrase.WHO)]

    def _miss(self) -> list[Action]:
        self._misses += 1
        if self.state is State.OFFERING:
            # The second answer that made no sense: a recording needs no understanding.
            return [self._phrase(Phrase.OFFER_AGAIN)] if self._misses < 4 else self._record()
        if self.state is State.MORE:
            self._misses = 2
        if self._misses >= 2:
            return self._offer()
        self.state = State.LISTENING
        said = self._phrase(Phrase.NOT_CAUGHT if self._places else Phrase.NOT_CAUGHT_NO_PLACES)
        self._miss_said = True
        return [said]

    def _offer(self) -> list[Action]:
        self.state = State.OFFERING
        said = self._phrase(Phrase.OFFER if self._misses else Phrase.OFFER_AGAIN)
        self._miss_said = True
        return [said]

    def _record(self) -> list[Action]:
        self.state = State.RECORDING
        self._misses = 0
        self._message_turns = 0
        self._invited = False
        self._recording_since = self._quiet_since = None
        return [
            Say(self._remember(sentence(Phrase.AFTER_TONE, self._language)), tone=True),
            Do("record_message", {}),
        ]

    def _before_message(self, what: Understood) -> list[Action]:
        """A short first turn while recording: "yes, please" is an answer to the invitation, all else is the message."""
        if what.intent is Intent.YES and not self._invited:
            self._invited = True
            self._quiet_since = None
            return [self._phrase(Phrase.GO_AHEAD)]
        self._message_turns += 1
        return []

    def _finish_message(self) -> list[Action]:
        self.state = State.SAVING
        return [Collect()]

    def _goodbye(self, reason: str) -> list[Action]:
        self.state = State.ENDING
        return [self._phrase(Phrase.GOODBYE), Do("end_call", {"reason": reason})]

    def _phrase(self, phrase: Phrase, *, place: int | None = None) -> Say:
        name = "" if place is None else self._places[place].name
        return self._say(sentence(phrase, self._language, place=name, places=[p.name for p in self._places]))

    def _say(self, text: str) -> Say:
        return Say(self._remember(text))

    def _remember(self, text: str) -> str:
        self._last = text
        self._miss_said = False
        return text
