"""An ElevenLabs agent in one call.

The agent is the tenant's, made at ElevenLabs; prompt, first message, language and voice are overridden where it allows
that, tools are those it has. It detects turns itself and cannot be told otherwise. With `ulaw_8000` for both its input
and its output nothing is resampled.

The greeting is its first message, word by word: it is spoken at once when the conversation opens, kept here, and let
go when the platform says it. Any other sentence it can only be asked for. It does not say when an utterance is over,
so one ends when its sound has paused.
"""

from __future__ import annotations

from base64 import b64decode
from typing import Any, Final

import orjson
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from eslbridge.media.contract import BYTES_PER_MS
from secretary.speech.contract import Access, Briefing, ProviderError
from secretary.speech.elevenlabs_agent import errors, formats, messages
from secretary.speech.net import check_status, http_client
from secretary.speech.realtime import prompt
from secretary.speech.realtime.session import RealtimeSession, seconds
from secretary.speech.realtime.wire import Message, Wire

PAUSE_S: Final = 0.8
"""A pause in the sound that comes which ends an utterance."""
GREETING_BYTES: Final = 30_000 * BYTES_PER_MS
MOST_TOOLS: Final = 8
Event = dict[str, Any]


class ElevenLabsSession(RealtimeSession):
    """Implements `SpeechSession`."""

    detects_turns = True
    verbatim = False
    asides = False
    time_unit = "second"

    def __init__(self, briefing: Briefing, access: Access) -> None:
        super().__init__(briefing, access)
        self.lifetime_s = seconds(access, "session_s", 0.0) or None
        """As long as the agent's own longest duration, for those who know it; else it is followed when it ends."""
        self._encoder: formats.Convert = bytes
        self._decoder: formats.Convert = bytes
        self._greeting: list[tuple[bytes, list[str]]] | None = None
        """The first message's sound, until it is said; None: nothing is kept."""
        self._greeting_size = 0
        self._text = ""
        """Of the response whose sound is coming."""
        self._aligned = False
        self._interrupted_at = -1
        self._void = False
        """The response under way was cut off: what still comes of it is not wanted."""
        self._spoken_id = ""
        self._calls: dict[str, str] = {}
        self._forgotten: dict[str, str] = {}
        self._error: ProviderError | None = None
        self._hung_up = False
        """The connection was closed without a fault."""
        self._does = {
            "audio": self._audio,
            "agent_response": self._response,
            "agent_response_correction": self._correction,
            "agent_response_complete": self._complete,
            "user_transcript": self._transcript,
            "tentative_user_transcript": self._tentative,
            "interruption": self._interruption,
            "client_tool_call": self._tool_call,
            "ping": self._ping,
            "error": self._error_event,
        }

    # The connection -----------------------------------------------------------------------------------------------

    def _url(self) -> str:
        return messages.url_of(self.access)

    async def _address(self) -> tuple[str, dict[str, str]]:
        if not messages.agent_of(self.access):
            raise ProviderError("no agent is named: option agent_id", kind="refused")
        key = {"xi-api-key": self.access.api_key} if self.access.api_key else {}
        if not key or self.access.option("connect") == "key":
            return self._url(), key
        async with http_client(guarded=self.access.guarded, headers=key) as client:
            answer = await client.get(messages.signing_url_of(self.access))
            check_status(answer)
            return str(orjson.loads(answer.content)["signed_url"]), {}

    async def _handshake(self, connection: ClientConnection) -> None:
        lines = self.memory.lines()
        first = "" if lines else self.briefing.greeting
        own = "first_message" not in messages.overridden(self.access)
        await connection.send(messages.initiation(self.briefing, self.access, first=first, lines=lines))
        while True:
            event = orjson.loads(await connection.recv(decode=False))
            if event["type"] == "conversation_initiation_metadata":
                break
            if event["type"] == "error":
                raise errors.error_of(event["error_event"], self._host)
            if event["type"] == "ping":
                await connection.send(messages.pong(event["ping_event"]["event_id"]))
        begun = event["conversation_initiation_metadata_event"]
        self._encoder = formats.to_agent(begun["user_input_audio_format"])
        self._decoder = formats.from_agent(begun["agent_output_audio_format"])
        self._greeting = [] if (first or own) and self.briefing.greeting and not lines else None
        self._greeting_size = 0

    def _explain(self, error: BaseException) -> ProviderError:
        self._hung_up = isinstance(error, ConnectionClosed) and error.rcvd is not None and error.rcvd.code == 1000
        return errors.explain(error, self._host)

    def _lost(self, wire: Wire, error: ProviderError) -> None:
        may_end = any(tool.name == "end_call" for tool in self.briefing.tools)
        if wire is self._wire and self._hung_up and may_end and self._error is None:
            # The agent has said goodbye and hung up by itself; the caller is to hear the end of it first.
            self._wire = None
            self._spawn(wire.close())
            self._tool_after_voice("hung-up", "end_call", {"reason": "the agent ended the conversation"})
        else:
            super()._lost(wire, error)

    def _explain_end(self, error: ProviderError) -> ProviderError:
        return self._error or error

    def _encode(self, frame: bytes) -> Message:
        return messages.audio(self._encoder(frame))

    def _take(self, message: Message) -> None:
        event = orjson.loads(message)
        do = self._does.get(event["type"])
        if do is not None:
            do(event)

    def _busy(self) -> bool:
        return bool(self._calls)

    def _renewed(self, *, answering: bool) -> None:
        self._forgotten |= self._calls
        self._calls.clear()
        self._error, self._interrupted_at, self._void, self._greeting = None, -1, False, None
        if answering:
            self._order("The connection was lost for a moment. Answer what the caller said last.")

    def _ping(self, event: Event) -> None:
        self._send(messages.pong(event["ping_event"]["event_id"]))

    def _error_event(self, event: Event) -> None:
        self._error = errors.error_of(event["error_event"], self._host)
        self._ended(self._error)

    # The caller ---------------------------------------------------------------------------------------------------

    def _pressed(self, digits: str) -> None:
        self._order(prompt.keys(digits))

    def _order(self, words: str, *, model: bool = True) -> None:
        self._send(messages.order(words))
        self._await_answer(model=model)

    def _caller_begins(self) -> None:
        if not self._caller_speaks and self._listener is not None:
            self._caller_speaks = True
            self._listener.on_speech_started()

    def _tentative(self, event: Event) -> None:
        self._caller_begins()
        self._hears(event["tentative_user_transcription_event"]["user_transcript"])

    def _transcript(self, event: Event) -> None:
        text = event["user_transcription_event"]["user_transcript"]
        if text.startswith(prompt.MARK) or self._listener is None:
            return  # what we asked for ourselves
        self._pause()
        self._greeting = None
        self._caller_begins()
        self._caller_speaks = self._void = False
        self._listener.on_speech_stopped()
        self._turn_over()
        self._turns.words(text)
        self._watch_words()
        self._await_answer()

    def _interruption(self, event: Event) -> None:
        self._interrupted_at = max(self._interrupted_at, int(event["interruption_event"]["event_id"]))
        self._greeting = None
        self._pause()
        self._caller_begins()

    # The agent ----------------------------------------------------------------------------------------------------

    def say(self, text: str, *, keep: bool = True) -> None:
        kept, self._greeting = self._greeting, None
        if kept is not None and text == self.briefing.greeting:
            self._await_answer(model=False)
            for pcm, letters in kept:
                self._speak(pcm, letters)
            return
        if kept is not None:
            self._void = True  # it greets, but something else is to be said
        self._pause()
        self._order(prompt.sentence(text), model=False)

    def interrupted(self, utterance_id: str, heard_text: str, heard_ms: int) -> None:
        voice = self._cut(utterance_id, heard_text)
        if voice is not None and voice is self._voice:
            self._void = True
            self._pause()

    def tool_result(self, tool_call_id: str, outcome: str, detail: str = "") -> None:
        name = self._forgotten.pop(tool_call_id, None)
        if name is not None:
            self._order(prompt.outcome(name, outcome, detail))
        elif self._calls.pop(tool_call_id, None) is not None:
            self._send(messages.tool_result(tool_call_id, outcome, detail))
            if outcome != "interrupted" and not self._calls:
                self._await_answer()

    def _response(self, event: Event) -> None:
        """The text of what is being said now, or from now on."""
        text = event["agent_response_event"]["agent_response"].strip()
        if self._greeting:
            self._greeting = None  # nobody said it, and the conversation goes on
        voice = self._voice
        if voice is not None and (self._aligned or voice.words.text):
            self._pause()
        self._text, self._void = text, False
        self._answer_comes()
        if self._voice is not None:
            self._voice.words.add(text)
            self._text = ""

    def _audio(self, event: Event) -> None:
        sound = event["audio_event"]
        if int(sound["event_id"]) <= self._interrupted_at or self._void:
            return
        pcm = self._decoder(b64decode(sound["audio_base_64"]))
        letters = (sound.get("alignment") or {}).get("chars") or []
        if self._greeting is not None:
            self._greeting_size += len(pcm)
            if self._greeting_size <= GREETING_BYTES:
                self._greeting.append((pcm, letters))
        else:
            self._speak(pcm, letters)

    def _speak(self, pcm: bytes, letters: list[str]) -> None:
        voice = self._voice
        if voice is None:
            self._answer_comes()
            voice = self._begin_voice()
            self._spoken_id = voice.utterance_id
            self._aligned = bool(letters)
            if not self._aligned:
                voice.words.add(self._text)
            self._text = ""
        if self._aligned:
            voice.words.add("".join(letters))
            self._sound(pcm, voice.words.whole())
        else:
            self._sound(pcm)
        self._after("pause", PAUSE_S, self._pause)

    def _complete(self, event: Event) -> None:
        if self._greeting is None:
            self._pause()

    def _pause(self) -> None:
        """The utterance is over."""
        self._never("pause")
        self._end_voice()

    def _correction(self, event: Event) -> None:
        """What it takes the caller to have heard; the platform's own count has come before, where there was one."""
        voice = self._utterances.get(self._spoken_id)
        if voice is not None and not voice.muted:
            self.memory.heard(self._spoken_id, event["agent_response_correction_event"]["corrected_agent_response"])

    def _tool_call(self, event: Event) -> None:
        call = event["client_tool_call"]
        call_id, name = call["tool_call_id"], call["tool_name"]
        if len(self._calls) >= MOST_TOOLS:
            self._send(messages.tool_result(call_id, "busy", ""))
            return
        self._answer_comes()
        self._calls[call_id] = name
        self._tool_after_voice(call_id, name, dict(call.get("parameters") or {}))
