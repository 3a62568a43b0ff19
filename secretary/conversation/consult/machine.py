"""The conversation with a colleague as a machine: what happens and the time go in, what to do comes out.

    TELLING ─▶ DECIDING ─ yes, 1 ──▶ ENDING ─▶ accepted
      ▲  ▲        │ └──── no, 2 ───▶ ENDING ─▶ declined
      │  └ who, why, again           silence, a machine's chatter, too long ─▶ no_answer
      │           └ question, 3 ─▶ ASKING ─▶ WAITING (the caller is asked) ─┐
      └─────────────────────────────────────────────────────────────────────┘

Nobody is put through who has not said so. A box that answers speaks, too: so a "yes" by voice counts only if it was
short, clear, and begun after the question had been put; keys always count. Every state has an end in time.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Final

from eslbridge.outcomes import TransferOutcome
from secretary.conversation.consult.sentences import about, consult_sentences, who_is_calling

DECIDE_MS: Final = 8_000
"""How long the colleague may be silent after a question; asked twice, then it is over."""
LONGEST_MS: Final = {False: 60_000, True: 150_000}
"""The whole conversation at most; with questions (attended) longer."""
LONGEST_YES_MS: Final = 2_500
"""A longer turn is no yes: somebody is telling something, or a machine is."""
SURE: Final = 0.5
MOST_MISSES: Final = 3
MOST_QUESTIONS: Final = 3
QUESTION_MS: Final = 6_000
"""How long a question may take to begin."""
ASKED_MS: Final = 45_000
"""How long the caller's answer may take to come back, the question's own length included."""
FAREWELL_MS: Final = 6_000


class Meaning(StrEnum):
    """What a colleague said."""

    YES = "yes"
    NO = "no"
    WHO = "who"
    WHY = "why"
    AGAIN = "again"
    QUESTION = "question"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Case:
    """What the colleague is asked about."""

    secretary: str
    language: str
    caller_name: str = ""
    caller_number: str = ""
    reason: str = ""
    attended: bool = False


# What happens


@dataclass(frozen=True, slots=True)
class Started:
    """The colleague has picked up, and audio flows."""


@dataclass(frozen=True, slots=True)
class Drained:
    """All that was said has been heard."""


@dataclass(frozen=True, slots=True)
class SpeechBegan:
    onset_ms: int


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """The colleague's turn is over; the shell has its audio."""


@dataclass(frozen=True, slots=True)
class Understood:
    """The meaning of the oldest turn that was given to `Understand`."""

    meaning: Meaning
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class Key:
    digit: str


@dataclass(frozen=True, slots=True)
class CallerAnswered:
    """The caller was asked; empty: they said nothing."""

    pcm: bytes


@dataclass(frozen=True, slots=True)
class CallerGone:
    """There is nobody any more to be put through."""


@dataclass(frozen=True, slots=True)
class ColleagueGone:
    """The colleague hung up."""

    cause: str = ""


@dataclass(frozen=True, slots=True)
class Tick:
    """The machine's own deadline has come."""


Colleague = SpeechBegan | SpeechEnded | Understood | Key | ColleagueGone
Event = Started | Drained | Colleague | CallerAnswered | CallerGone | Tick


# What to do


@dataclass(frozen=True, slots=True)
class Say:
    """Speak to the colleague, after what is being said; `tone`: a short tone follows."""

    text: str
    tone: bool = False


@dataclass(frozen=True, slots=True)
class PlayVoice:
    """Play the caller's own voice to the colleague."""

    pcm: bytes


@dataclass(frozen=True, slots=True)
class Hush:
    """Be silent now, and forget what was still to be said."""


@dataclass(frozen=True, slots=True)
class Understand:
    """Give the last turn to the recogniser; comes back as `Understood`."""


@dataclass(frozen=True, slots=True)
class AskCaller:
    """Play the last turn to the caller and bring back what they say: `CallerAnswered`."""


@dataclass(frozen=True, slots=True)
class Finish:
    """It is decided. `ok`: connect them."""

    outcome: TransferOutcome
    detail: str = ""


Action = Say | PlayVoice | Hush | Understand | AskCaller | Finish


class State(Enum):
    TELLING = "telling"
    DECIDING = "deciding"
    ASKING = "asking"
    """The colleague's question is being listened to."""
    WAITING = "waiting"
    """The caller is being asked."""
    ENDING = "ending"
    OVER = "over"


class Consult:
    """One colleague, one caller. Give every event to `receive`, do what it returns, and Tick at `deadline`."""

    def __init__(self, case: Case) -> None:
        self.state = State.TELLING
        self.deadline: int | None = None
        """When to call `receive` with Tick at the latest (ms on the clock of `now`)."""
        self._case = case
        self._words = consult_sentences(case.language)
        self._end = Finish(TransferOutcome.FAILED)
        self._started = False
        self._over_at = 0
        self._turn_at = 0
        self._asked_at: int | None = None
        """When the colleague had heard for the first time what there is to decide; None: not yet."""
        self._turn_counts = False
        """Whether a yes in the present turn would be an answer."""
        self._unread: deque[bool] = deque()
        """Of the turns that were given to `Understand`, oldest first: whether a yes in them is an answer."""
        self._prompts = self._misses = self._questions = 0
        self._speaking = False

    @property
    def language(self) -> str:
        return self._case.language

    def receive(self, event: Event, *, now: int) -> list[Action]:
        if self.state is State.OVER:
            return []
        if not self._over_at:
            self._over_at = now + LONGEST_MS[self._case.attended]
            self._wait(None)
        match event:
            case Started():
                if self._started or self.state is State.ENDING:
                    return []
                self._started = True
                return self._tell(now, self._hello())
            case CallerGone() if self.state is State.ENDING and self._end.outcome is not TransferOutcome.OK:
                return []  # they are being told goodbye already
            case CallerGone():
                # Whatever was being said: the colleague should know, but nobody waits for it.
                return self._farewell(now, self._words.gone, TransferOutcome.CALLER_GONE, "the caller hung up")
            case ColleagueGone(cause):
                if self.state is State.ENDING and self._end.outcome is not TransferOutcome.OK:
                    return self._finish(self._end)
                return self._finish(Finish(TransferOutcome.DECLINED, f"hung up: {cause}" if cause else "hung up"))
        if self.state is State.ENDING:
            over = isinstance(event, Drained) or self._due(event, now)
            return self._finish(self._end) if over else []
        if isinstance(event, Tick) and now >= self._over_at:
            return self._nobody(now, "no decision in time")
        match event:
            case Key(digit):
                return self._key(digit, now)
            case SpeechBegan(onset_ms):
                self._speaking = True
                self._turn_at = onset_ms
                self._turn_counts = self._asked_at is not None and onset_ms >= self._asked_at
                if self.state is not State.WAITING:  # there it is the caller whom we wait for
                    self._wait(None)
                return []
            case SpeechEnded():
                return self._turn_ended(now)
            case Understood(meaning, confidence):
                return self._understood(meaning, confidence, now)
            case Drained():
                return self._heard(now)
            case CallerAnswered(pcm) if self.state is State.WAITING:
                said: list[Action] = [Say(self._words.no_reply)]
                if pcm:
                    said = [Say(self._words.they_say), PlayVoice(pcm)]
                return [*said, *self._tell(now, self._choice())]
            case Tick() if self._due(event, now):
                return self._too_quiet(now)
        return []

    # What the colleague hears

    def _hello(self) -> str:
        case, words = self._case, self._words
        hello = words.hello.replace("{caller}", self._who()).replace("{secretary}", case.secretary)
        return " ".join(part for part in (hello, about(case.language, case.reason), self._choice()) if part)

    def _who(self) -> str:
        return who_is_calling(self._case.language, name=self._case.caller_name, number=self._case.caller_number)

    def _choice(self) -> str:
        return f"{self._words.accept} {self._words.ask_back}" if self._case.attended else self._words.accept

    def _tell(self, now: int, text: str) -> list[Action]:
        self.state = State.TELLING
        self._wait(None)
        return [Say(text)]

    def _heard(self, now: int) -> list[Action]:
        if self.state is State.TELLING and self._started:
            self.state = State.DECIDING
            self._asked_at = now if self._asked_at is None else self._asked_at
            self._wait(now + DECIDE_MS)
        elif self.state is State.ASKING and not self._speaking:
            self._wait(now + QUESTION_MS)
        return []

    # What the colleague does

    def _key(self, digit: str, now: int) -> list[Action]:
        if self.state is State.WAITING and digit not in "12":
            return []
        match digit:
            case "1":
                return self._accept(now)
            case "2":
                return self._decline(now)
            case "3" if self._case.attended:
                return [Hush(), *self._question(now)]
            case "*" | "0" | "9":
                return [Hush(), *self._tell(now, self._hello())]
        return []

    def _turn_ended(self, now: int) -> list[Action]:
        if not self._speaking:
            return []  # it was begun before we asked for the question
        self._speaking = False
        if self.state is State.ASKING:
            self.state = State.WAITING
            self._wait(now + ASKED_MS)
            return [Say(self._words.asking), AskCaller()]
        if self.state is State.DECIDING:
            self._wait(now + DECIDE_MS)
        if self.state is State.WAITING:
            return []
        self._unread.append(self._turn_counts and now - self._turn_at <= LONGEST_YES_MS)
        return [Understand()]

    def _understood(self, meaning: Meaning, confidence: float, now: int) -> list[Action]:
        counts = self._unread.popleft() if self._unread else False
        if self.state not in (State.TELLING, State.DECIDING):
            return []
        match meaning:
            case Meaning.NO if confidence >= SURE:
                return self._decline(now)
            case Meaning.YES if counts and confidence >= SURE:
                return self._accept(now)
            case Meaning.WHO:
                return [Hush(), *self._tell(now, f"{self._who().rstrip(',')}. {self._choice()}")]
            case Meaning.WHY:
                told = about(self._case.language, self._case.reason) or self._words.no_reason
                return [Hush(), *self._tell(now, f"{told} {self._choice()}")]
            case Meaning.AGAIN:
                return [Hush(), *self._tell(now, self._hello())]
            case Meaning.QUESTION if self._case.attended:
                return [Hush(), *self._question(now)]
        if self.state is State.TELLING:
            return []  # "Hello?" into our first sentence: it goes on
        self._misses += 1
        if self._misses >= MOST_MISSES:
            return self._nobody(now, "what answered did not accept")
        return self._tell(now, f"{self._words.which} {self._choice()}")

    def _question(self, now: int) -> list[Action]:
        if self._questions >= MOST_QUESTIONS:
            return self._tell(now, self._choice())
        self._questions += 1
        self.state = State.ASKING
        self._speaking = False
        self._wait(now + 4 * QUESTION_MS)
        return [Say(self._words.question, tone=True)]

    def _too_quiet(self, now: int) -> list[Action]:
        match self.state:
            case State.DECIDING if self._prompts == 0:
                self._prompts += 1
                return self._tell(now, self._choice())
            case State.ASKING:
                return self._tell(now, self._choice())
            case State.WAITING:
                return self._tell(now, f"{self._words.no_reply} {self._choice()}")
        return self._nobody(now, "nobody accepted")

    # How it ends

    def _accept(self, now: int) -> list[Action]:
        return [Hush(), *self._ending(now, self._words.connecting, Finish(TransferOutcome.OK))]

    def _decline(self, now: int) -> list[Action]:
        return self._farewell(now, self._words.declined, TransferOutcome.DECLINED, "declined")

    def _nobody(self, now: int, detail: str) -> list[Action]:
        return self._farewell(now, self._words.goodbye, TransferOutcome.NO_ANSWER, detail)

    def _farewell(self, now: int, text: str, outcome: TransferOutcome, detail: str) -> list[Action]:
        return [Hush(), *self._ending(now, text, Finish(outcome, detail))]

    def _ending(self, now: int, text: str, end: Finish) -> list[Action]:
        self.state = State.ENDING
        self._end = end
        self.deadline = now + FAREWELL_MS
        return [Say(text)]

    def _finish(self, end: Finish) -> list[Action]:
        self.state = State.OVER
        self.deadline = None
        return [end]

    def _wait(self, until: int | None) -> None:
        self.deadline = self._over_at if until is None else min(until, self._over_at)

    def _due(self, event: Event, now: int) -> bool:
        return isinstance(event, Tick) and self.deadline is not None and now >= self.deadline
