"""OpenAI Realtime in one call.

Audio is G.711 both ways: a table look-up and base64, nothing is resampled. The platform's own turn detection is used
unless the access says `turns=server_vad` or `turns=semantic_vad`; then `detects_turns` is true and the audio flows all
the time. The server is never allowed to interrupt by itself: whether a sound is an interruption, the platform judges.

A session lasts 60 minutes at most; it is renewed in a quiet moment of the five before, with what was said so far.
"""

from __future__ import annotations

import asyncio
import time
from base64 import b64decode
from contextlib import suppress
from typing import Any, Final

import orjson
from websockets.asyncio.client import ClientConnection

from eslbridge.media.codec import decode
from secretary.speech.contract import Access, Briefing
from secretary.speech.openai_realtime import address, errors, events, usage
from secretary.speech.openai_realtime.responses import Response, Responses
from secretary.speech.realtime import prompt
from secretary.speech.realtime.session import RealtimeSession, seconds
from secretary.speech.realtime.voice import Utterance
from secretary.speech.realtime.wire import Message

LIFETIME_S: Final = 3_600.0
CONFIRM_S: Final = 0.8
"""For the confirmation of the set-up, once the server has shown itself."""
CANCEL_S: Final = 1.5
"""A cancelled response that is not over by then is treated as if it were."""
Event = dict[str, Any]


class OpenAISession(RealtimeSession):
    """Implements `SpeechSession`."""

    verbatim = False
    asides = True

    def __init__(self, briefing: Briefing, access: Access) -> None:
        super().__init__(briefing, access)
        self.detects_turns = access.option("turns", "platform") in ("server_vad", "semantic_vad", "provider")
        self.lifetime_s = seconds(access, "session_s", LIFETIME_S)
        self._responses = Responses()
        self._calls: dict[str, Response] = {}
        """Tools that were called and have no result: the response that waits for it."""
        self._names: dict[str, str] = {}
        """Names of tools by the item that calls them; of servers that do not repeat them."""
        self._forgotten: dict[str, str] = {}
        """Tools called in a session that is gone: their names."""
        self._rests: dict[str, str] = {}
        """Utterances that went on after they had been cut off: the words after which they had been."""
        self._does = {
            "response.created": self._created,
            "response.output_item.added": self._item_added,
            "response.output_item.done": self._item_done,
            "response.output_audio.delta": self._audio,
            "response.audio.delta": self._audio,
            "response.output_audio_transcript.delta": self._words,
            "response.audio_transcript.delta": self._words,
            "response.output_audio_transcript.done": self._all_words,
            "response.audio_transcript.done": self._all_words,
            "response.function_call_arguments.done": self._function,
            "response.done": self._done,
            "input_audio_buffer.speech_started": self._speech_started,
            "input_audio_buffer.speech_stopped": self._speech_stopped,
            "input_audio_buffer.committed": self._committed,
            "conversation.item.input_audio_transcription.completed": self._transcribed,
            "conversation.item.input_audio_transcription.failed": self._not_transcribed,
            "error": self._error,
        }

    # The connection -----------------------------------------------------------------------------------------------

    def _url(self) -> str:
        return address.url_of(self.access)

    def _headers(self) -> dict[str, str]:
        return address.headers_of(self.access)

    async def _handshake(self, connection: ClientConnection) -> None:
        await connection.send(events.session_update(self.briefing, self.access))
        shown: Event = {}
        with suppress(TimeoutError):
            while True:
                # A compatible server may never confirm what it was told; that it is there must be enough then.
                async with asyncio.timeout(CONFIRM_S if shown else None):
                    event = orjson.loads(await connection.recv(decode=False))
                if event["type"] == "error":
                    raise errors.error_of(event["error"], self._host)
                if event["type"] in ("session.created", "session.updated"):
                    shown = event.get("session") or {"id": ""}
                if event["type"] == "session.updated":
                    break
        expires = shown.get("expires_at")
        if isinstance(expires, int) and self.lifetime_s is not None:
            left = expires - time.time()
            if 0 < left < self.lifetime_s:
                self.lifetime_s = left
        for line in events.history(self.memory.lines()):
            await connection.send(line)

    def _encode(self, frame: bytes) -> Message:
        return events.append(frame)

    def _take(self, message: Message) -> None:
        event = orjson.loads(message)
        do = self._does.get(event["type"])
        if do is not None:
            do(event)

    def _busy(self) -> bool:
        return self._responses.busy or bool(self._calls)

    def _renewed(self, *, answering: bool) -> None:
        self._forgotten |= {call_id: self._names.get(call_id, "") for call_id in self._calls}
        self._calls.clear()
        self._rests.clear()
        self._responses.clear()
        self._never("cancel")
        if answering:
            self._ask()
        self._next()

    # The caller ---------------------------------------------------------------------------------------------------

    def _turn_ends(self, pcm: bytes | None) -> None:
        if pcm is not None:
            self._send(events.clear())
            self._send(events.append(pcm))
        self._send(events.commit())
        self._turn_over()
        active = self._responses.active
        if active is not None and active.kind == "answer" and not active.sounded:
            self._cancel(active)  # it answers half of what the caller has to say
        self._ask()
        self._next()

    def _pressed(self, digits: str) -> None:
        self._send(events.note(prompt.keys(digits)))
        self._ask()
        self._next()

    def _speech_started(self, event: Event) -> None:
        if self.detects_turns and self._listener is not None:
            self._caller_speaks = True
            self._listener.on_speech_started()

    def _speech_stopped(self, event: Event) -> None:
        if self.detects_turns and self._listener is not None:
            self._caller_speaks = False
            self._turn_over(event["item_id"])
            self._listener.on_speech_stopped()
            if self._responses.active is None:
                self._await_answer()
            elif self._responses.active.kind == "say" or self._responses.active.sounded:
                self._ask()  # the server does not answer while it speaks

    def _committed(self, event: Event) -> None:
        if self.detects_turns:
            if not self._turns.knows(event["item_id"]):
                self._turns.named(event["item_id"])
        else:
            self._turns.named(event["item_id"])
        if events.transcriber_of(self.access) == "none":
            self._turns.words("", event["item_id"])

    def _transcribed(self, event: Event) -> None:
        self._turns.words(event["transcript"], event["item_id"])
        self._watch_words()
        for unit, quantity in usage.written_down(event.get("usage") or {}):
            self._use(unit, quantity, events.transcriber_of(self.access))
        for language in event.get("languages") or ():
            self._speaks(prompt.language_of(language["code"]))
            break

    def _not_transcribed(self, event: Event) -> None:
        self._turns.words("", event["item_id"])
        self._watch_words()

    # What is asked of the model -----------------------------------------------------------------------------------

    def _ask(self) -> None:
        self._responses.want(Response("answer", events.response()))
        self._await_answer()

    def say(self, text: str, *, keep: bool = True) -> None:
        active = self._responses.active
        if active is not None and active.kind == "answer":
            self._cancel(active)  # the platform speaks now
            self._end_voice()
        self._responses.want(Response("say", events.speak(text, keep=keep), keep))
        self._await_answer(model=False)
        self._next()

    def _next(self) -> None:
        if self._wire is None:
            return
        wanted = self._responses.next()
        if wanted is not None:
            self._send(wanted.event)

    def interrupted(self, utterance_id: str, heard_text: str, heard_ms: int) -> None:
        voice = self._cut(utterance_id, heard_text)
        if voice is None:
            return
        active = self._responses.active
        if active is not None and active.response_id == voice.response:
            self._cancel(active)
        if voice.utterance_id in self._rests:
            self._hear_rest(voice, "", heard_text)
        elif voice.kept and (heard_ms < voice.sound_ms or not voice.over):
            self._send(events.truncate(voice.key, voice.index, max(0, min(heard_ms, voice.sound_ms))))

    def resumed(self, utterance_id: str) -> None:
        active = self._responses.active
        if active is not None and active.kind == "answer" and not active.sounded:
            self._cancel(active)  # it answers a cough
        self._responses.hold()
        super().resumed(utterance_id)

    def _hear_rest(self, voice: Utterance, heard: str, until: str | None = None) -> None:
        """The item stays truncated where it was first: what was heard after that follows as text, up to `until`."""
        words, item_id = voice.words.text.split(), f"{voice.key[:24]}-rest"
        last = len(words) if until is None else len(until.split())
        if voice.utterance_id in self._rests:
            self._send(events.delete(item_id))
        first = self._rests.setdefault(voice.utterance_id, heard)
        if text := " ".join(words[len(first.split()) : last]):
            self._send(events.rest(item_id, voice.key, text))

    def _cancel(self, response: Response) -> None:
        if response.cancelled:
            return
        response.cancelled = True
        self._never("answer")
        if response.response_id:
            self._responses.drop(response.response_id)
            self._send(events.cancel(response.response_id))
        # Else it is cancelled as soon as the server names it.
        self._after("cancel", CANCEL_S, self._cancelled_in_vain)

    def _cancelled_in_vain(self) -> None:
        active = self._responses.active
        if active is not None and (active.cancelled or not active.response_id):
            self._responses.active = None
            self._next()

    def tool_result(self, tool_call_id: str, outcome: str, detail: str = "") -> None:
        name = self._forgotten.pop(tool_call_id, None)
        response = self._calls.pop(tool_call_id, None)
        if name is not None:
            self._send(events.note(prompt.outcome(name, outcome, detail)))
        elif response is not None:
            self._send(events.tool_output(tool_call_id, outcome, detail))
            response.calls.discard(tool_call_id)
            self._names.pop(tool_call_id, None)
            if response.calls:
                return
        else:
            return
        if outcome != "interrupted":  # then the caller's turn asks for the next answer
            self._ask()
            self._next()

    # What the model gives -----------------------------------------------------------------------------------------

    def _created(self, event: Event) -> None:
        response = self._responses.began(event["response"]["id"])
        if response.cancelled:
            self._responses.drop(response.response_id)
            self._send(events.cancel(response.response_id))

    def _wanted(self, event: Event) -> bool:
        return not self._responses.is_dropped(event["response_id"])

    def _item_added(self, event: Event) -> None:
        item = event["item"]
        if item.get("type") == "function_call":
            self._names[item.get("call_id") or ""] = item.get("name") or ""
        if self._wanted(event):
            self._answer_comes()

    def _item_done(self, event: Event) -> None:
        if self._voice is not None and self._voice.key == event["item"].get("id"):
            self._end_voice()

    def _of(self, event: Event) -> bool:
        """Whether a piece of an utterance is wanted; the utterance is begun with its first piece."""
        if not self._wanted(event):
            return False
        if self._voice is None or self._voice.key != event["item_id"]:
            active = self._responses.active
            kept = active is None or active.keep
            index = event.get("content_index") or 0
            self._begin_voice(event["item_id"], response=event["response_id"], index=index, kept=kept)
            self._answer_comes()
        return True

    def _audio(self, event: Event) -> None:
        if self._of(event):
            if self._responses.active is not None:
                self._responses.active.sounded = True
            self._sound(decode(b64decode(event["delta"]), "PCMU"))

    def _words(self, event: Event) -> None:
        if self._of(event) and self._voice is not None:
            self._voice.words.add(event["delta"])

    def _all_words(self, event: Event) -> None:
        voice = self._voice
        if voice is not None and voice.key == event["item_id"]:
            voice.words.replace(event["transcript"])

    def _function(self, event: Event) -> None:
        active, call_id = self._responses.active, event["call_id"]
        if not self._wanted(event) or active is None:
            return
        self._answer_comes()
        self._end_voice()  # what was said before it is complete
        name = event.get("name") or self._names.get(call_id, "")
        self._names[call_id] = name
        active.calls.add(call_id)
        active.sounded = True
        self._responses.hold()
        self._calls[call_id] = active
        try:
            arguments = orjson.loads(event["arguments"] or "{}")
        except orjson.JSONDecodeError:
            arguments = None
        if isinstance(arguments, dict):
            self._tool(call_id, name, arguments)
        else:
            self.tool_result(call_id, "failed", "The arguments were no JSON object. Call the tool again.")

    def _done(self, event: Event) -> None:
        response = event["response"]
        for unit, quantity in usage.counts(response.get("usage") or {}):
            self._use(unit, quantity)
        if self._voice is not None and self._voice.response == response["id"]:
            self._end_voice()
        ours = self._responses.over(response["id"])
        if ours is None:
            return
        self._never("cancel")
        if response.get("status") == "failed" and not ours.cancelled:
            self._response_failed(ours, (response.get("status_details") or {}).get("error") or {})
        elif self._said_nothing(ours, response):
            ours.tries += 1
            ours.event = ours.event or events.response()
            self._responses.again(ours)
        elif not self._responses.busy:
            self._never("answer")
        self._next()

    def _said_nothing(self, ours: Response, response: Event) -> bool:
        """It is over and had nothing to say, and the caller waits: once it is asked again."""
        over = response.get("status") in ("completed", "incomplete") and not ours.cancelled
        return over and ours.kind == "answer" and not (ours.sounded or ours.tries or self._responses.busy)

    def _response_failed(self, response: Response, error: Event) -> None:
        """A fault of the moment is tried again, once, if nothing was heard of it."""
        meaning = errors.error_of(error, self._host)
        if meaning.kind in ("unreachable", "protocol") and not response.sounded and not response.tries:
            response.tries += 1
            response.event = response.event or events.response()
            self._responses.again(response)
        else:
            self._fail(meaning)

    def _error(self, event: Event) -> None:
        error = event["error"]
        words = errors.words_of(error)
        if "conversation_already_has_active_response" in words:
            # The server began one by itself: what we asked for comes after it.
            self._responses.put_off()
            self._after("cancel", CANCEL_S, self._cancelled_in_vain)
            return
        if "input_audio_buffer_commit_empty" in words:
            self._turns.words("")
        if errors.HARMLESS.intersection(words) or errors.is_ours(error.get("event_id")):
            return
        meaning = errors.error_of(error, self._host)
        if meaning.kind == "expired":
            self._ended(meaning)
        else:
            self._fail(meaning)
