"""Between a provider and the conversation: no call of a tool comes through that was not judged.

The conversation knows some tools itself (transfer, take_message, hold, …) and carries them out at the right moment of
the call. What reaches it is judged already: a transfer names one of the secretary's destinations by its UUID, keys are
keys. What is refused is answered at once, in words by which a model can do better.
"""

from __future__ import annotations

from collections.abc import Mapping

from secretary.speech.contract import SpeechListener, SpeechSession, ToolCall
from secretary.tools import names
from secretary.tools.box import PROTOCOL, ToolBox
from secretary.tools.policy import Refused

BY_CONVERSATION = frozenset(
    {
        names.TRANSFER,
        names.TAKE_MESSAGE,
        names.END_CALL,
        names.SEND_DTMF,
        names.HOLD,
        names.RESUME,
        names.PAUSE_RECORDING,
        names.RESUME_RECORDING,
    }
)


class GatedSpeech:
    """A `SpeechSession` whose tools are judged. Everything else goes through untouched, without a step in between."""

    def __init__(self, session: SpeechSession, box: ToolBox) -> None:
        self._session, self._box = session, box
        # Bound once: twenty-five times a second and more, nothing stands in the way.
        self.hear = session.hear
        self.turn_started = session.turn_started
        self.turn_ended = session.turn_ended
        self.say = session.say
        self.interrupted = session.interrupted
        self.resumed = session.resumed
        self.tool_result = session.tool_result
        self.dtmf = session.dtmf
        self.close = session.close

    @property
    def detects_turns(self) -> bool:
        return self._session.detects_turns

    @property
    def verbatim(self) -> bool:
        return self._session.verbatim

    @property
    def asides(self) -> bool:
        return self._session.asides

    async def open(self, listener: SpeechListener) -> None:
        await self._session.open(_Listener(listener, self._session, self._box))


class _Listener:
    """The conversation's ear, behind the gate."""

    def __init__(self, listener: SpeechListener, session: SpeechSession, box: ToolBox) -> None:
        self._listener, self._session, self._box = listener, session, box
        self.on_caller_text = listener.on_caller_text
        self.on_caller_interim = listener.on_caller_interim
        self.on_voice = listener.on_voice
        self.on_thinking = listener.on_thinking
        self.on_speech_started = listener.on_speech_started
        self.on_speech_stopped = listener.on_speech_stopped
        self.on_language = listener.on_language
        self.on_usage = listener.on_usage
        self.on_failed = listener.on_failed

    def on_tool(self, call: ToolCall) -> None:
        if call.name in PROTOCOL or call.name not in BY_CONVERSATION:
            self._listener.on_tool(call)  # the office judges what it runs
            return
        try:
            judged = self._box.judge(call.name, call.arguments)
        except Refused as refusal:
            self._box.refused(call.name, call.arguments, refusal)
            self._session.tool_result(call.tool_call_id, refusal.word, refusal.detail)
            return
        self._box.begun(call.name, _told(judged))
        self._listener.on_tool(ToolCall(call.tool_call_id, call.name, judged))


def _told(arguments: Mapping[str, object]) -> dict[str, object]:
    """As people read it: the destination by its name."""
    return {name: value for name, value in arguments.items() if name != "destination_uuid"}
