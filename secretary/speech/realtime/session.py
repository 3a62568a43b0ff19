"""What the realtime providers do alike in a call: turns, utterances, transcripts, keys, tools and deadlines.

A provider's own session says how to connect (`_url`, `_headers`, `_handshake`), how a frame looks (`_encode`), and what
its messages mean (`_take`).

A turn that the platform detects is streamed from its onset: `hear` keeps a second, `turn_started` sends it, and
what follows goes out frame by frame, so that nothing is left to send when the turn is over and nobody pays for silence.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Final

from secretary.speech.contract import Access, Briefing, ProviderError, ToolCall
from secretary.speech.realtime.lasting import Lasting
from secretary.speech.realtime.memory import Memory
from secretary.speech.realtime.turns import CallerTurns
from secretary.speech.realtime.voice import Utterance
from secretary.speech.realtime.wire import Message, Wire
from secretary.speech.realtime.words import Pace, Words

ANSWER_S: Final = 5.0
"""For the first sign of an answer; the conversation itself gives up a second later."""
BEFORE_ONSET: Final = 55
"""Frames kept from before a turn is told: 300 ms before its onset, and 800 ms for the proof that it is one."""
HELD: Final = 100
"""Frames kept while there is no connection: 2 s."""
DIGITS_S: Final = 1.5
"""The pause after a key that ends a number."""
MOST_TOOLS: Final = 40
"""Tools that are called between two turns of the caller; a model that calls more goes in circles."""
PATIENCE_S: Final = 4.0
"""How long the words of a turn may take."""
USAGE_S: Final = 10.0
"""Time that costs money is told so often."""


class RealtimeSession(Lasting):
    """Implements what `SpeechSession` asks and no provider does differently."""

    detects_turns = False
    verbatim = False
    asides = False
    time_unit = ""
    """What `on_usage` is told the session's time in; empty: it does not cost."""

    def __init__(self, briefing: Briefing, access: Access) -> None:
        super().__init__(briefing, access)
        self.memory = Memory(briefing.history)
        self._answer_s = seconds(access, "answer_s", ANSWER_S)
        self._ring: deque[bytes] = deque(maxlen=BEFORE_ONSET)
        self._held: deque[bytes] = deque(maxlen=HELD)
        """The caller's audio while there is no connection, of a provider that detects turns."""
        self._caller_speaks = False
        self._starting = False
        """A turn began in this very moment."""
        self._whole_turn = False
        """The turn under way began on another connection: it is sent whole when it ends."""
        self._late_turn: bytes | None = None
        """A turn that ended while there was no connection."""
        self._turns = CallerTurns(self._tell_caller_text, patience_s=PATIENCE_S)
        self._pace = Pace()
        self._voice: Utterance | None = None
        self._utterances: OrderedDict[str, Utterance] = OrderedDict()
        self._serial = 0
        self._language = briefing.language
        self._digits = ""
        self._thinks = False
        self._called = 0
        """Tools called since the caller spoke last."""
        self._waiting: list[tuple[str, str, dict[str, object]]] = []
        """Tools that were called while the sentence before them was still coming."""
        self._paid_until = 0.0

    # What a provider says of itself -------------------------------------------------------------------------------

    def _encode(self, frame: bytes) -> Message:
        """20 ms of L16 as the provider's message."""
        raise NotImplementedError

    def _busy(self) -> bool:
        """Whether an answer or a tool is under way."""
        return False

    def _turn_begins(self) -> None:
        """The platform noticed that the caller speaks; the audio follows."""

    def _turn_ends(self, pcm: bytes | None) -> None:
        """The platform holds the turn to be over. `pcm`: what was not sent yet, the whole turn; None: all was."""

    def _hear_rest(self, voice: Utterance, heard: str) -> None:
        """The provider was told that no more than these words of an utterance were heard; now all of it is."""

    def _pressed(self, digits: str) -> None:
        """The caller pressed these keys, and then no more."""

    def _renewed(self, *, answering: bool) -> None:
        """Names from before mean nothing any more. `answering`: the caller still waits for an answer."""

    # SpeechSession ------------------------------------------------------------------------------------------------

    def hear(self, frame: bytes) -> None:
        wire = self._wire
        if not (self.detects_turns or self._caller_speaks) or self._starting:
            self._ring.append(frame)
        elif self._whole_turn:
            pass  # it is sent when it is over
        elif wire is not None:
            wire.send_audio(self._encode(frame))
        elif self.detects_turns:
            self._held.append(frame)

    def turn_started(self) -> None:
        if self.detects_turns or self._caller_speaks:
            return
        self._caller_speaks = True
        self._whole_turn = self._wire is None
        if not self._whole_turn:
            # A turn may be noticed only when it is over; then it is sent as a whole, and not its end alone.
            self._starting = True
            self._loop.call_soon(self._turn_runs)

    def _turn_runs(self) -> None:
        wire = self._wire
        if not self._starting or wire is None:
            return
        self._starting = False
        self._turn_begins()
        if self._ring:
            wire.send_audio(self._encode(b"".join(self._ring)))
            self._ring.clear()

    def turn_ended(self, pcm: bytes) -> None:
        if self.detects_turns:
            return
        whole = self._whole_turn or self._starting or not self._caller_speaks
        self._caller_speaks = self._whole_turn = self._starting = False
        if whole:
            self._ring.clear()
        if self._wire is None:
            self._late_turn = pcm
        else:
            self._turn_ends(pcm if whole else None)

    def dtmf(self, digit: str) -> None:
        self._digits += digit
        self._after("digits", 0.0 if digit == "#" else DIGITS_S, self._digits_over)

    # Turns of the caller ------------------------------------------------------------------------------------------

    def _turn_over(self, key: str = "") -> None:
        """A turn's words are owed to the conversation from now on."""
        self._called = 0
        self.memory.turn()
        self._turns.ended(self._loop.time(), key)
        self._watch_words()

    def _watch_words(self) -> None:
        due = self._turns.due
        if due is None:
            self._never("words")
        else:
            self._after("words", max(0.0, due - self._loop.time()), self._words_late)

    def _words_late(self) -> None:
        self._turns.expire(self._loop.time())
        self._watch_words()

    def _tell_caller_text(self, text: str) -> None:
        text = " ".join(text.split())
        self.memory.caller(text)
        if self._listener is not None:
            self._listener.on_caller_text(text)

    def _hears(self, text: str) -> None:
        """What was understood of a turn that is not over."""
        if text and self._listener is not None:
            self._listener.on_caller_interim(" ".join(text.split()))

    def _digits_over(self) -> None:
        digits, self._digits = self._digits, ""
        if digits:
            self._pressed(digits)

    def _speaks(self, language: str | None) -> None:
        """The caller was heard to speak this language of ours, or another one."""
        if language is not None and language != self._language:
            self._language = language
            if self._listener is not None:
                self._listener.on_language(language)

    # Utterances of the secretary ----------------------------------------------------------------------------------

    def _begin_voice(self, key: str = "", *, response: str = "", index: int = 0, kept: bool = True) -> Utterance:
        self._end_voice()
        self._serial += 1
        utterance_id = f"{type(self).__module__.split('.')[2]}-{id(self):x}-{self._serial}"
        voice = Utterance(utterance_id, Words(self._pace), key, response, index, kept)
        self._voice = self._utterances[utterance_id] = voice
        if len(self._utterances) > 16:
            self._utterances.popitem(last=False)
        return voice

    def _sound(self, pcm: bytes, text: str | None = None) -> None:
        """More of the utterance; `text` where the provider says exactly what sounds in it."""
        voice = self._voice
        if voice is None or voice.muted or not pcm:
            return
        voice.size += len(pcm)
        voice.told = True
        part = voice.words.until(voice.sound_ms) if text is None else text
        if self._listener is not None:
            self._listener.on_voice(voice.utterance_id, part, pcm, False)

    def _end_voice(self) -> None:
        voice, self._voice = self._voice, None
        if voice is None or voice.over:
            return
        voice.over = True
        if voice.muted:
            self._tools_now()
            return
        rest = voice.words.rest()
        self._pace.learn(len(voice.words.text), voice.sound_ms)
        if voice.kept:
            self.memory.secretary(voice.utterance_id, voice.words.text)
        if self._listener is not None and (voice.told or rest):
            self._listener.on_voice(voice.utterance_id, rest, b"", True)
        self._tools_now()

    def _cut(self, utterance_id: str, heard_text: str) -> Utterance | None:
        """The caller heard no more than this of an utterance; gives it back, if it is known."""
        voice = self._utterances.get(utterance_id)
        if voice is None:
            return None
        voice.heard = heard_text
        if voice.over:
            self.memory.heard(utterance_id, heard_text)
        elif not voice.muted:
            voice.muted = True
            if voice.kept:
                self.memory.secretary(utterance_id, heard_text)
        return voice

    def resumed(self, utterance_id: str) -> None:
        """What the memory says was heard, was heard whole. No answer is due."""
        self._never("answer")
        voice = self._utterances.get(utterance_id)
        if voice is not None and voice.heard is not None and voice.kept and voice.over and not voice.muted:
            self._hear_rest(voice, voice.heard)
            voice.heard = None
            if not self.memory.heard(utterance_id, voice.words.text):
                self.memory.secretary(utterance_id, voice.words.text)

    # Answers ------------------------------------------------------------------------------------------------------

    def _await_answer(self, *, model: bool = True) -> None:
        """Something must be heard soon; `model`: something it has to think of."""
        self._thinks = model
        self._after("answer", self._answer_s, self._no_answer)

    def _answer_comes(self) -> None:
        """The first sign of it."""
        if self._never("answer") and self._thinks and self._listener is not None:
            self._listener.on_thinking()

    def _no_answer(self) -> None:
        if self._voice is not None:
            self._await_answer(model=self._thinks)  # it still speaks; the answer comes after that
            return
        self._fail(ProviderError(f"{self._host} did not answer in {self._answer_s:g} s", kind="unreachable"))

    def _tool(self, tool_call_id: str, name: str, arguments: dict[str, object]) -> None:
        self._called += 1
        if self._called > MOST_TOOLS:
            self._refuse("calls tools without end", "protocol")
        elif self._listener is not None:
            self._listener.on_tool(ToolCall(tool_call_id, name, arguments))

    def _tool_after_voice(self, tool_call_id: str, name: str, arguments: dict[str, object]) -> None:
        """The same, when the utterance under way is complete."""
        if self._voice is not None:
            self._waiting.append((tool_call_id, name, arguments))
        else:
            self._tool(tool_call_id, name, arguments)

    def _tools_now(self) -> None:
        waiting, self._waiting = self._waiting, []
        for tool_call_id, name, arguments in waiting:
            self._tool(tool_call_id, name, arguments)

    def _use(self, unit: str, quantity: float, model: str = "") -> None:
        if quantity > 0 and self._listener is not None:
            self._listener.on_usage(unit, quantity, model)

    def _account(self) -> None:
        """Tell the time that was used since the last telling; of providers that are paid by the minute."""
        if self.time_unit and self._paid_until:
            now = self._loop.time()
            self._use(self.time_unit, round(now - self._paid_until, 3))
            self._paid_until = now
            self._after("usage", USAGE_S, self._account)

    # The connection -----------------------------------------------------------------------------------------------

    def _quiet(self) -> bool:
        return not (self._caller_speaks or self._voice or self._turns.waiting or self._digits or self._busy())

    def _began(self) -> None:
        self._paid_until = self._paid_until or self._loop.time()
        if self.time_unit:
            self._after("usage", USAGE_S, self._account)

    def _ends(self) -> None:
        self._account()

    def _taken_over(self, wire: Wire) -> None:
        self._end_voice()
        self._turns.abandon()
        self._watch_words()
        self._whole_turn, self._starting = self._caller_speaks, False
        self._renewed(answering=self._never("answer") and self._thinks)
        for frame in self._held:
            wire.send_audio(self._encode(frame))
        self._held.clear()
        late, self._late_turn = self._late_turn, None
        if late is not None:
            self._turn_ends(late)


def seconds(access: Access, name: str, default: float) -> float:
    """An option in seconds; the default for one that is no number."""
    try:
        return float(access.option(name) or default)
    except ValueError:
        return default
