"""Deepgram's Voice Agent in one call.

Audio is mu-law in binary messages both ways: a table look-up and nothing else. It detects turns itself. The platform's
sentences are spoken word by word (`InjectAgentMessage`). It stops by itself when it hears the caller; it cannot be told
to, nor how much of an answer was heard, so what still comes of an answer that the platform cut off is dropped here.
"""

from __future__ import annotations

from collections import deque
from typing import Any, Final

import orjson
import structlog
from websockets.asyncio.client import ClientConnection

from eslbridge.media.codec import decode, encode
from secretary.speech.contract import Access, Briefing
from secretary.speech.deepgram_agent import errors, messages
from secretary.speech.realtime import prompt
from secretary.speech.realtime.session import RealtimeSession, seconds
from secretary.speech.realtime.wire import Message

LIFETIME_S: Final = 7_200.0
LAST_S: Final = 300.0
"""What is left of it when a warning comes."""
KEEP_S: Final = 4.0
"""Without a message from us for longer it ends the conversation."""
PAUSE_S: Final = 1.5
"""A pause in the sound that ends an utterance whose end was not told, where a tool waits for it."""
VOID_S: Final = 1.5
AGAIN_S: Final = 0.3
MOST_TRIES: Final = 5
Event = dict[str, Any]
log = structlog.get_logger(__name__)


class DeepgramSession(RealtimeSession):
    """Implements `SpeechSession`."""

    detects_turns = True
    verbatim = True
    asides = True
    time_unit = "second"
    decode = None

    def __init__(self, briefing: Briefing, access: Access) -> None:
        super().__init__(briefing, access)
        self.lifetime_s = seconds(access, "session_s", LIFETIME_S)
        self._calls: dict[str, str] = {}
        self._forgotten: dict[str, str] = {}
        self._void = False
        """What still comes was cut off, or superseded by a sentence of the platform."""
        self._sentences: deque[tuple[str, bool]] = deque(maxlen=8)
        """Sentences of the platform that have not begun to sound."""
        self._tries = 0
        self._warned: set[str] = set()
        self._does = {
            "ConversationText": self._text,
            "UserStartedSpeaking": self._user_started,
            "AgentThinking": self._thinking,
            "AgentAudioDone": self._audio_done,
            "FunctionCallRequest": self._functions,
            "FunctionCallCancelled": self._functions_cancelled,
            "InjectionRefused": self._refused,
            "Error": self._error,
            "Warning": self._warning,
        }

    # The connection -----------------------------------------------------------------------------------------------

    def _url(self) -> str:
        return messages.url_of(self.access)

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Token {self.access.api_key}"} if self.access.api_key else {}

    async def _handshake(self, connection: ClientConnection) -> None:
        settings = messages.settings(self.briefing, self.access, self.memory.lines())
        await connection.send(settings)
        while True:
            message = await connection.recv()
            if isinstance(message, bytes):
                continue
            event = orjson.loads(message)
            if event["type"] == "Error":
                raise errors.error_of(event, self._host)
            if event["type"] == "SettingsApplied":
                return

    def _began(self) -> None:
        super()._began()
        self._after("keep", KEEP_S, self._keep_alive)

    def _keep_alive(self) -> None:
        if self._wire is not None and self._wire.idle_s >= KEEP_S / 2:
            self._send(messages.KEEP_ALIVE)
        self._after("keep", KEEP_S, self._keep_alive)

    def _encode(self, frame: bytes) -> Message:
        return encode(frame, "PCMU")

    def _take(self, message: Message) -> None:
        if isinstance(message, bytes):
            self._audio(message)
            return
        event = orjson.loads(message)
        do = self._does.get(event["type"])
        if do is not None:
            do(event)

    def _busy(self) -> bool:
        return bool(self._calls) or bool(self._sentences)

    def _renewed(self, *, answering: bool) -> None:
        self._forgotten |= self._calls
        self._calls.clear()
        self._void = False
        if self._sentences:
            for text, _keep in self._sentences:
                self._send(messages.say(text, "queue"))
        elif answering:
            self._order("The connection was lost for a moment. Answer what the caller said last.")

    # The caller ---------------------------------------------------------------------------------------------------

    def _pressed(self, digits: str) -> None:
        self._order(prompt.keys(digits))

    def _order(self, words: str) -> None:
        self._send(messages.order(words))
        self._await_answer()

    def _user_started(self, event: Event) -> None:
        self._void = False
        self._end_voice()  # the rest of it does not come any more
        self._caller_begins()

    def _caller_begins(self) -> None:
        if not self._caller_speaks and self._listener is not None:
            self._caller_speaks = True
            self._listener.on_speech_started()

    def _text(self, event: Event) -> None:
        if event["role"] == "user":
            self._caller_said(event)
        else:
            self._agent_says(event["content"])

    def _caller_said(self, event: Event) -> None:
        if event["content"].startswith(prompt.MARK) or self._listener is None:
            return  # what we asked for ourselves
        self._caller_begins()
        self._caller_speaks = False
        self._listener.on_speech_stopped()
        self._turn_over()
        self._turns.words(event["content"])
        self._watch_words()
        for language in event.get("languages") or ():
            self._speaks(prompt.language_of(language))
            break
        self._await_answer()

    # The agent ----------------------------------------------------------------------------------------------------

    def say(self, text: str, *, keep: bool = True) -> None:
        behavior = "queue"
        if self._voice is not None and not self._sentences:
            behavior = "interrupt"  # the platform speaks now
            self._end_voice()
            self._cut_off()
        self._sentences.append((text, keep))
        self._tries = 0
        self._send(messages.say(text, behavior))
        self._await_answer(model=False)

    def interrupted(self, utterance_id: str, heard_text: str, heard_ms: int) -> None:
        voice = self._cut(utterance_id, heard_text)
        if voice is not None and voice is self._voice:
            self._cut_off()

    def _cut_off(self) -> None:
        self._void = True
        self._after("void", VOID_S, self._wanted_again)

    def _wanted_again(self) -> None:
        self._never("void")
        self._void = False

    def _refused(self, event: Event) -> None:
        """Somebody was speaking: the sentence is tried again, and then it interrupts."""
        self._tries += 1
        if self._sentences and self._tries <= MOST_TRIES:
            self._after("again", AGAIN_S, self._say_again)

    def _say_again(self) -> None:
        if self._sentences:
            self._send(messages.say(self._sentences[0][0], "interrupt"))

    def _thinking(self, event: Event) -> None:
        self._answer_comes()

    def _agent_says(self, text: str) -> None:
        kept = True
        if self._sentences and _same(text, self._sentences[0][0]):
            kept = self._sentences.popleft()[1]
            self._end_voice()
            self._wanted_again()
        if self._void:
            return
        self._answer_comes()
        voice = self._voice or self._begin_voice(kept=kept)
        voice.words.add(f" {text}")

    def _audio(self, data: bytes) -> None:
        if self._void:
            return
        self._answer_comes()
        if self._voice is None:
            self._begin_voice()
        self._sound(decode(data, "PCMU"))
        if self._waiting:
            self._after("pause", PAUSE_S, self._end_voice)

    def _audio_done(self, event: Event) -> None:
        self._never("pause")
        if not self._void or not self._sentences:
            self._wanted_again()
        self._end_voice()

    def _functions(self, event: Event) -> None:
        self._answer_comes()
        for function in event["functions"]:
            if not function.get("client_side", True):
                continue
            call_id, name = function["id"], function["name"]
            self._calls[call_id] = name
            try:
                arguments = orjson.loads(function.get("arguments") or "{}")
            except orjson.JSONDecodeError:
                arguments = None
            if isinstance(arguments, dict):
                self._tool_after_voice(call_id, name, arguments)
                self._after("pause", PAUSE_S, self._end_voice)
            else:
                self.tool_result(call_id, "failed", "The arguments were no JSON object. Call the tool again.")

    def _functions_cancelled(self, event: Event) -> None:
        for function in event["functions"]:
            self._calls.pop(function["id"], None)

    def tool_result(self, tool_call_id: str, outcome: str, detail: str = "") -> None:
        forgotten = self._forgotten.pop(tool_call_id, None)
        name = self._calls.pop(tool_call_id, None)
        if forgotten is not None:
            self._order(prompt.outcome(forgotten, outcome, detail))
        elif name is not None:
            self._send(messages.function_response(tool_call_id, name, outcome, detail))
            if outcome != "interrupted" and not self._calls:
                self._await_answer()

    def _error(self, event: Event) -> None:
        self._ended(errors.error_of(event, self._host))

    def _warning(self, event: Event) -> None:
        word = str(errors.error_of(event, self._host))
        if "INJECT_AGENT_MESSAGE_DURING" in word:
            self._refused(event)
        elif "MAXIMUM_SESSION_LENGTH_APPROACHING" in word:
            self._ends_in(LAST_S, 0.0)
        if word not in self._warned and len(self._warned) < 8:
            self._warned.add(word)
            log.warning("speech_provider_warns", call_uuid=self.briefing.call_uuid, warning=word)


def _same(one: str, other: str) -> bool:
    return "".join(one.split()).casefold() == "".join(other.split()).casefold()
