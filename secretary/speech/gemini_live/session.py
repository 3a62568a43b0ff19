"""Gemini Live in one call.

The caller's 8,000 Hz go up to 16,000 and the model's 24,000 down to 8,000, both by a filter that delays by 1.5 ms and
holds nothing back. Turns are the platform's (`activityStart`, `activityEnd`) unless the access says `turns=provider`.

A connection lives some ten minutes: the server says `goAway` before, and the session goes on over another one by the
handle that it has given. A handle that it does not take any more is replaced by what was said so far.

It cannot be told how much of an answer was heard, and has no way to say a sentence but to be asked to.
"""

from __future__ import annotations

from base64 import b64decode
from collections import deque
from typing import Any, Final

import orjson
from websockets.asyncio.client import ClientConnection

from eslbridge.media.contract import BYTES_PER_MS
from eslbridge.media.resample import Decimator, Interpolator
from secretary.speech.contract import Access, Briefing, ProviderError
from secretary.speech.gemini_live import errors, messages, usage
from secretary.speech.realtime import prompt
from secretary.speech.realtime.session import RealtimeSession
from secretary.speech.realtime.voice import Utterance
from secretary.speech.realtime.wire import Message, Wire

OLD_S: Final = 540.0
"""A connection of this age that is cut off has come to its end, whatever is said."""
WORDS_S: Final = 1.5
"""How long after the answer began the caller's words may still come."""
VOID_S: Final = 1.0
"""How long the end of a turn that was cut off may take."""
SILENT_S: Final = 1.2
"""So long after it has decided to say nothing the model is told that the caller waits."""
NUDGE: Final = (
    "You have said nothing, and the caller waits for an answer on the telephone. Answer what they said last; if there "
    "was nothing to understand, ask in one short sentence what they said."
)
MOST_SENTENCES: Final = 8
MOST_PIECES: Final = 500
"""Of the words of one turn."""
PIECE: Final = 100 * BYTES_PER_MS
Part = dict[str, Any]


class GeminiSession(RealtimeSession):
    """Implements `SpeechSession`."""

    verbatim = False
    asides = False
    renew_late_s = 5.0

    def __init__(self, briefing: Briefing, access: Access) -> None:
        super().__init__(briefing, access)
        self.detects_turns = access.option("turns", "platform") != "platform"
        self._up = Interpolator(messages.IN_RATE)
        self._rate, self._down = messages.OUT_RATE, Decimator(messages.OUT_RATE)
        self._odd = b""
        self._handle = ""
        self._since = 0.0
        self._calls: dict[str, str] = {}
        """Tools that were called and have no result, by name."""
        self._forgotten: dict[str, str] = {}
        self._heard: list[str] = []
        """Pieces of the caller's words."""
        self._generating = False
        self._complete = False
        """The model has generated all of its turn; only late words still come."""
        self._void = False
        """The turn under way was cut off: what still comes of it is not wanted."""
        self._last: Utterance | None = None
        self._sentences: deque[tuple[str, bool]] = deque(maxlen=MOST_SENTENCES)
        self._saying = False
        self._sounded = False
        self._nudged = False
        """It has been told that the caller waits, since they spoke last."""
        self._sentence = ("", True)
        """The one that is being said, or was said last; and whether it is to be kept in mind."""

    # The connection -----------------------------------------------------------------------------------------------

    def _url(self) -> str:
        return messages.url_of(self.access)

    def _headers(self) -> dict[str, str]:
        return {"x-goog-api-key": self.access.api_key} if self.access.api_key else {}

    async def _establish(self) -> Wire:
        if self._handle:
            try:
                return await super()._establish()
            except ProviderError as error:
                if error.kind in ("auth", "rate_limited"):
                    raise
                self._handle = ""
        return await super()._establish()

    async def _handshake(self, connection: ClientConnection) -> None:
        lines = self.memory.lines()
        await connection.send(messages.setup(self.briefing, self.access, handle=self._handle, lines=lines))
        while "setupComplete" not in orjson.loads(await connection.recv(decode=False)):
            pass

    def _began(self) -> None:
        super()._began()
        self._since = self._loop.time()

    def _explain(self, error: BaseException) -> ProviderError:
        return errors.explain(error, self._host)

    def _explain_end(self, error: ProviderError) -> ProviderError:
        if error.kind == "unreachable" and self._loop.time() - self._since > OLD_S:
            return ProviderError(str(error), kind="expired")
        return error

    def _encode(self, frame: bytes) -> Message:
        return messages.audio(self._up.push(frame))

    def _busy(self) -> bool:
        return self._generating or self._saying or bool(self._calls) or bool(self._sentences)

    def _renewed(self, *, answering: bool) -> None:
        if not self._handle:
            self._forgotten |= self._calls
            self._calls.clear()
        if self._saying and not self._sounded:
            self._sentences.appendleft(self._sentence)
        self._generating = self._complete = self._void = self._saying = False
        self._heard.clear()
        self._never("void")
        if answering:
            self._order("The connection was lost for a moment. Answer what the caller said last.")
        self._next_sentence()

    # The caller ---------------------------------------------------------------------------------------------------

    def _turn_begins(self) -> None:
        self._never("silent")
        self._release_words()
        self._send(messages.ACTIVITY_START)

    def _turn_ends(self, pcm: bytes | None) -> None:
        if pcm is not None:
            self._send(messages.ACTIVITY_START)
            for at in range(0, len(pcm), PIECE):
                self._send(messages.audio(self._up.push(pcm[at : at + PIECE])))
        self._send(messages.ACTIVITY_END)
        self._nudged = False
        self._turn_over()
        self._await_answer()

    def _says_nothing(self) -> None:
        """The model has decided that what it heard needs no answer; a caller on the telephone needs one."""
        if not self._never("answer") or not self._thinks:
            return
        if self._nudged:
            self._refuse("has nothing to say", "unreachable")
        else:
            self._after("silent", SILENT_S, self._nudge)

    def _nudge(self) -> None:
        self._nudged = True
        self._order(NUDGE)

    def _pressed(self, digits: str) -> None:
        self._order(prompt.keys(digits))

    def _order(self, words: str) -> None:
        self._send(messages.text(words, self.access))
        self._await_answer()

    def _input(self, words: Part) -> None:
        """A piece of what the caller says."""
        if len(self._heard) < MOST_PIECES:
            self._heard.append((words.get("text") or "")[:MOST_PIECES])
        if words.get("languageCode"):
            self._speaks(prompt.language_of(words["languageCode"]))
        if self.detects_turns:
            self._caller_begins()
        if self._caller_speaks:
            self._hears("".join(self._heard))
        if words.get("finished") and self._turns.waiting:
            self._release_words()

    def _caller_begins(self) -> None:
        self._never("silent")
        if not self._caller_speaks and self._listener is not None:
            self._caller_speaks = True
            self._listener.on_speech_started()

    def _caller_ends(self) -> None:
        if self._caller_speaks and self._listener is not None:
            self._caller_speaks = self._nudged = False
            self._turn_over()
            self._listener.on_speech_stopped()

    def _release_words(self) -> None:
        """The words of the oldest turn are as complete as they will be."""
        self._never("heard")
        if self._turns.waiting:
            text = "".join(self._heard)
            self._heard.clear()
            self._turns.words(text)
            self._watch_words()

    def _words_late(self) -> None:
        self._release_words()

    # What is asked of the model -----------------------------------------------------------------------------------

    def say(self, text: str, *, keep: bool = True) -> None:
        if self._generating and not self._saying:
            self._supersede()
        self._sentences.append((text, keep))
        self._await_answer(model=False)
        self._next_sentence()

    def _supersede(self) -> None:
        """The platform speaks now: what the model is saying is over."""
        self._end_voice()
        self._voided()

    def _next_sentence(self) -> None:
        if self._sentences and not self._saying and self._wire is not None:
            self._sentence = self._sentences.popleft()
            self._saying, self._sounded = True, False
            self._send(messages.text(prompt.sentence(self._sentence[0]), self.access))

    def interrupted(self, utterance_id: str, heard_text: str, heard_ms: int) -> None:
        self._cut(utterance_id, heard_text)

    def tool_result(self, tool_call_id: str, outcome: str, detail: str = "") -> None:
        forgotten = self._forgotten.pop(tool_call_id, None)
        name = self._calls.pop(tool_call_id, None)
        if forgotten is not None:
            self._order(prompt.outcome(forgotten, outcome, detail))
        elif name is not None:
            self._send(messages.tool_response(tool_call_id, name, outcome, detail))
            if outcome != "interrupted" and not self._calls:
                self._await_answer()

    # What the model gives -----------------------------------------------------------------------------------------

    def _take(self, message: Message) -> None:
        part: Part = orjson.loads(message)
        if (content := part.get("serverContent")) is not None:
            self._content(content)
        if (call := part.get("toolCall")) is not None:
            self._tools(call)
        if (cancelled := part.get("toolCallCancellation")) is not None:
            for call_id in cancelled.get("ids") or ():
                self._calls.pop(call_id, None)
        if (used := part.get("usageMetadata")) is not None:
            for unit, quantity in usage.counts(used):
                self._use(unit, quantity)
        if (update := part.get("sessionResumptionUpdate")) is not None and update.get("resumable"):
            self._handle = update.get("newHandle") or self._handle
        if (going := part.get("goAway")) is not None:
            self._ends_in(_duration(going.get("timeLeft")), 0.0)
        if (activity := part.get("voiceActivity")) is not None and self.detects_turns:
            self._activity(activity.get("voiceActivityType"))

    def _activity(self, kind: object) -> None:
        if kind == "ACTIVITY_START":
            self._caller_begins()
        elif kind == "ACTIVITY_END":
            self._caller_ends()

    def _content(self, content: Part) -> None:
        if content.get("interrupted"):
            if self.detects_turns:
                self._caller_begins()
            self._interrupted()
        if (heard := content.get("inputTranscription")) is not None:
            self._input(heard)
        if (turn := content.get("modelTurn")) is not None:
            for part in turn.get("parts") or ():
                data = part.get("inlineData")
                if data is not None and (data.get("mimeType") or "").startswith("audio/"):
                    self._audio(data)
        if (said := content.get("outputTranscription")) is not None and said.get("text"):
            self._said(said["text"])
        if content.get("waitingForInput"):
            self._says_nothing()
        if content.get("generationComplete"):
            self._generated()
        if content.get("turnComplete"):
            self._turn_complete(more=content.get("interactionStatus") == "IN_PROGRESS")

    def resumed(self, utterance_id: str) -> None:
        self._never("silent")
        super().resumed(utterance_id)

    def _model_begins(self) -> Utterance:
        self._never("silent")
        if not self._generating:
            self._generating, self._complete = True, False
            self._caller_ends()
            self._answer_comes()
            if self._turns.waiting:
                self._after("heard", WORDS_S, self._release_words)
        return self._voice or self._begin_voice(kept=self._sentence[1] or not self._saying)

    def _audio(self, data: Part) -> None:
        if self._void:
            return
        self._model_begins()
        rate = _rate(data.get("mimeType") or "")
        if rate != self._rate:
            self._rate, self._down = rate, Decimator(rate)
        pcm = self._odd + b64decode(data["data"])
        even = len(pcm) & ~1
        self._odd = pcm[even:]
        self._sounded = True
        self._sound(self._down.push(pcm[:even]))

    def _said(self, text: str) -> None:
        if self._void:
            return
        last = self._last
        if self._complete and last is not None:
            if not last.muted and self._listener is not None:  # words that come after their sound
                last.words.add(text)
                self._listener.on_voice(last.utterance_id, last.words.rest(), b"", True)
                if last.kept and not self.memory.heard(last.utterance_id, last.words.text):
                    self.memory.secretary(last.utterance_id, last.words.text)
            return
        self._model_begins().words.add(text)

    def _tools(self, call: Part) -> None:
        self._never("silent")
        self._caller_ends()
        self._answer_comes()
        self._release_words()
        self._end_voice()  # what was said before it is complete
        for function in call.get("functionCalls") or ():
            call_id, name = function.get("id") or "", function.get("name") or ""
            self._calls[call_id] = name
            self._tool(call_id, name, dict(function.get("args") or {}))

    def _generated(self) -> None:
        if self._void:
            return
        self._last, voice = self._voice, self._voice
        self._complete = voice is not None
        self._generating = False
        self._end_voice()
        if self._heard:
            self._release_words()

    def _interrupted(self) -> None:
        """The server heard the caller speak into its turn; a `turnComplete` is still to come of it."""
        self._end_voice()
        if not self._void:
            self._saying = False
            self._voided()

    def _voided(self) -> None:
        """Nothing more is wanted of the turn under way."""
        self._void, self._generating = True, False
        self._after("void", VOID_S, self._turn_complete)

    def _turn_complete(self, *, more: bool = False) -> None:
        """`more`: it goes on thinking, and will say more."""
        self._never("void")
        self._end_voice()
        if not self._void:
            self._saying = False
            if not self._sentences and not more:
                self._says_nothing()
        self._generating = self._complete = self._void = False
        self._last = None
        if self._heard:
            self._release_words()
        self._next_sentence()


def _duration(text: object) -> float:
    """`"9.5s"` as seconds."""
    try:
        return max(0.0, float(str(text).removesuffix("s")))
    except ValueError:
        return 10.0


def _rate(mime: str) -> int:
    """`audio/pcm;rate=24000` -> 24000."""
    _kind, _, given = mime.partition("rate=")
    return int(given) if given.isdecimal() else messages.OUT_RATE
