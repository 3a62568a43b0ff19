"""From the provider that has the call to the conversation: passed on, remembered, and watched for silence."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from secretary.speech import chain_metrics as metrics
from secretary.speech.contract import SpeechListener, ToolCall
from secretary.speech.metered import Metered
from secretary.speech.platform_voice import bridges
from secretary.speech.takeover import Heard, Memory
from secretary.speech.watch import Watch

SIGN_S: Final = 3.5
"""For the first sign of an answer. Less than the conversation's own patience, which would end the call."""
VOICE_S: Final = 4.0
"""From its first token on, for its sound or for a tool."""
HUNG_S: Final = 1.9
"""Without a token for so long it may well be broken: the caller is told that it takes a moment."""
MOMENT_S: Final = 3.5
"""Whatever signs there are: a caller who has heard nothing for so long is told so, too."""
OVERDUE_S: Final = 1.5
"""For the first sound of a sentence of the platform; less than the conversation waits for the last one of a call."""
LONGEST_DUE_S: Final = 1.9
"""The same, counted from when it was asked for, whichever provider that was."""
SAY_S: Final = 4.0
"""Without that sound for so long a provider is no good."""
STALL_S: Final = 3.0
"""The longest pause in the sound of one utterance, which comes faster than it is spoken."""
LONGEST_TURN_S: Final = 20.0
AGAIN_S: Final = 5.0
MOST_BRIDGES: Final = 3
"""Sentences in a row while nobody has the call."""

Note = Callable[[str, Mapping[str, object]], None]


class Relay:
    """One call's. `silent` is told for how many seconds the provider that has the call has been silent.

    `answered`: it has given an answer. `instead`: whether what `speak` says of the platform's sentences was asked of a
    provider, too.
    """

    def __init__(
        self,
        *,
        language: str,
        metered: Metered,
        note: Note,
        speak: Callable[[str], None],
        instead: Callable[[], bool],
        answered: Callable[[], None],
        silent: Callable[[float], None],
    ) -> None:
        self.listener: SpeechListener | None = None
        self.memory, self.heard, self.watch = Memory(), Heard(), Watch()
        self.metered = metered
        self.language = language
        self.bridges = bridges(language)
        self._speaks_since: float | None = None
        self.sign_s = SIGN_S
        self.known_words = False
        """The next words are those of a turn that was given to a second provider: the conversation has them."""
        self._note, self._speak, self._silent = note, speak, silent
        self._instead, self._answered = instead, answered
        self.due_at = 0.0
        """When the first of the sentences that wait was asked for."""
        self._covered: list[str] = []
        """Sentences that were asked of the provider, and that the platform's voice has said meanwhile."""
        self._nothing_else_due = False
        """Since then nobody has asked it for anything."""
        self._late = ""
        """The utterance that says such a sentence once more: nobody hears it."""
        self._bridged = 0
        self._owed_at = 0.0
        """When the answer that is waited for fell due."""
        self._saying = ""
        """The utterance that says a sentence of the platform, and answers nothing."""
        self._sentence = ""
        self._last_sound = 0.0

    # What the provider tells (through its `Ear`) ---------------------------------------------------------------------

    def caller_text(self, text: str) -> None:
        if self.known_words:
            self.known_words = False
        else:
            self.memory.caller_said(text)
            if self.listener is not None:
                self.listener.on_caller_text(text)
        if text:
            self._sign(self.sign_s)

    def caller_interim(self, text: str) -> None:
        if self.listener is not None:
            self.listener.on_caller_interim(text)

    def voice(self, utterance_id: str, text: str, pcm: bytes, last: bool) -> None:
        listener = self.listener
        if listener is None:
            return
        self._last_sound = asyncio.get_running_loop().time()
        if (self._covered or self._late) and self._is_late(utterance_id, text):
            return
        if self.memory.secretary_says(utterance_id, text, last):
            self._begun(utterance_id)
        if text and utterance_id == self._saying and self.memory.turn is not None:
            if not self._sentence.startswith(_plain(text)):
                self._saying = ""  # it answers the caller
            self._sentence = self._sentence.removeprefix(_plain(text))
        listener.on_voice(utterance_id, text, pcm, last)
        if last:
            self.watch.clear("stall")
            if utterance_id != self._saying and not self.caller_speaks:
                self.memory.answered()
                self._answered()

    def _is_late(self, utterance_id: str, text: str) -> bool:
        """Whether an utterance says what the platform's voice has said: by its words, or since nothing else is due."""
        if self._covered and utterance_id != self._late and self.memory.speaking != utterance_id:
            said = _plain(text)
            at = next((at for at, one in enumerate(self._covered) if said and one.startswith(said)), None)
            if at is not None or self._nothing_else_due:
                del self._covered[at or 0]
                self._late, self._bridged = utterance_id, 0
                self.watch.clear("saying")
        return utterance_id == self._late

    def tool(self, call: ToolCall) -> None:
        self.watch.clear("sign", *(() if self.memory.sayings else ("bridge",)))
        self.asked_more()
        self.memory.called(call)
        self._answered()
        if self.listener is not None:
            self.listener.on_tool(call)

    def thinking(self) -> None:
        self._sign(VOICE_S)
        if self.watch.pending("bridge") and not (self._bridged or self.memory.sayings):
            waited = asyncio.get_running_loop().time() - self._owed_at
            self.watch.set("bridge", max(0.0, MOMENT_S - waited), self._bridge)
        if self.listener is not None:
            self.listener.on_thinking()

    def speech_started(self) -> None:
        self.caller_began()
        if self.listener is not None:
            self.listener.on_speech_started()

    def speech_stopped(self) -> None:
        self.caller_ended(self.heard.ended())
        self.await_sign()
        if self.listener is not None:
            self.listener.on_speech_stopped()

    def speaks(self, language: str) -> None:
        self.language, self.bridges = language, bridges(language)
        if self.listener is not None:
            self.listener.on_language(language)

    def used(self, unit: str, quantity: float, model: str = "") -> None:
        self.metered.add(unit, quantity, model)
        if self.listener is not None:
            self.listener.on_usage(unit, quantity, model)

    # The caller ------------------------------------------------------------------------------------------------------

    @property
    def caller_speaks(self) -> bool:
        """Not for ever: a beginning may have no end, where the conversation or the provider thought better of it."""
        since = self._speaks_since
        return since is not None and asyncio.get_running_loop().time() - since < LONGEST_TURN_S

    def caller_began(self) -> None:
        if not self.caller_speaks:
            self._speaks_since = asyncio.get_running_loop().time()
            self.heard.began()
        self.watch.clear("sign", "bridge")

    def caller_ended(self, pcm: bytes) -> None:
        """The caller's turn is over, and waits for an answer."""
        self._speaks_since = None
        self.asked_more()
        self.memory.turn_over(pcm)

    def asked_more(self) -> None:
        """The provider was told of something that it may answer."""
        self._nothing_else_due = False

    def nothing_due(self) -> None:
        """The caller's last turn was none, and waits for no answer."""
        self.watch.clear("sign", "bridge")
        self.memory.answered()

    # Deadlines -------------------------------------------------------------------------------------------------------

    def await_sign(self) -> None:
        """The provider owes an answer."""
        seconds = self.sign_s
        self.asked_more()
        self.watch.set("sign", seconds, lambda: self._silent(seconds))
        self._owed_at = asyncio.get_running_loop().time()
        if self.memory.sayings:
            self.bridge_in(HUNG_S)
        else:
            self.watch.set("bridge", HUNG_S, self._bridge)

    def await_saying(self) -> None:
        """The provider owes a sentence of the platform. Once it is overdue, the platform's voice says it."""
        self.asked_more()
        self.watch.set("saying", SAY_S, lambda: self._silent(SAY_S))
        waited = asyncio.get_running_loop().time() - self.due_at
        self.watch.set("bridge", max(0.0, min(OVERDUE_S, LONGEST_DUE_S - waited)), self._bridge)

    def _sign(self, seconds: float) -> None:
        if self.watch.pending("sign"):
            self.watch.set("sign", seconds, lambda: self._silent(seconds))

    def _begun(self, utterance_id: str) -> None:
        """A new utterance: whatever was waited for, here it is."""
        self._bridged = 0
        self.watch.clear("sign", "bridge", "saying")
        self.watch.set("stall", STALL_S, self._stalled)
        self._saying = ""
        sayings = self.memory.sayings
        if sayings:
            # Which of the two it is, an answer or the sentence, its words will say; they may come after the sound.
            self._saying, self._sentence = utterance_id, _plain(sayings.pop(0)[0])
        if sayings:
            self.await_saying()

    def _stalled(self) -> None:
        left = STALL_S - (asyncio.get_running_loop().time() - self._last_sound)
        if left > 0.01:
            self.watch.set("stall", left, self._stalled)
        else:
            self._silent(STALL_S)

    # While nobody has the call ---------------------------------------------------------------------------------------

    def broken_off(self) -> None:
        """The provider is gone: nobody ends what it was saying."""
        self._covered, self._late = [], ""
        self.watch.clear("sign", "saying", "stall")
        memory = self.memory
        if memory.speaking and self.listener is not None:
            self.listener.on_voice(memory.speaking, "", b"", True)
            if memory.turn is None:
                memory.sayings.insert(0, (self.bridges.broken_off, False))
        memory.speaking = ""

    @property
    def bridged(self) -> bool:
        """Whether the caller has been told that it takes a moment, and nothing else since."""
        return self._bridged > 0

    def bridge_in(self, seconds: float) -> None:
        """The caller waits: in so many seconds the platform speaks, if nobody else has by then."""
        self.watch.set("bridge", min(seconds, self.watch.left("bridge", seconds)), self._bridge)

    def _bridge(self) -> None:
        if self.caller_speaks or self._bridged >= MOST_BRIDGES or self.listener is None:
            return
        self._bridged += 1
        texts = [text for text, _ in self.memory.sayings]
        self.memory.sayings.clear()
        if self._instead():
            self._covered = [*self._covered, *map(_plain, texts)][-MOST_BRIDGES:]
            self._nothing_else_due = bool(texts) and self.memory.turn is None
        if not texts:
            texts = [self.bridges.one_moment if self._bridged == 1 else self.bridges.still_there]
        metrics.BRIDGED.inc()
        self._note("provider_bridged", {"text": " ".join(texts)[:300]})
        for text in texts:
            self._speak(text)
        if self.memory.turn is not None:
            self.watch.set("bridge", AGAIN_S, self._bridge)


def _plain(text: str) -> str:
    return "".join(one for one in text.casefold() if one.isalnum())
