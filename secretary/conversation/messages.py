"""The message that a caller leaves: nothing of it is lost once its first word is spoken.

Two ways lead to one. The local secretary asks for it (`record_message`), listens, and takes it. A model calls
`take_message` as soon as it knows anything, and again when it knows more: as long as there is no message in it, what
it gave is kept as incomplete, and the caller's audio is kept from then on. Whatever ends the call in between, what has
come so far is saved.
"""

from __future__ import annotations

from collections.abc import Mapping

from secretary.conversation import actions as act
from secretary.conversation.scene import Scene
from secretary.conversation.state import Message
from secretary.speech.contract import ToolCall

GIVEN = ("name", "number", "reason", "urgency")
MOST_CHARACTERS = 4_000
"""Of a message's text; of anything else given, a twentieth."""


class Messages:
    """How far the caller's message has come, and whether one was left at all."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._stage = Message.NONE
        self._text = ""
        self._given: dict[str, str] = {}
        self._asked_by_model = False
        self.left = False
        """The call has left a message, complete or not."""

    @property
    def begun(self) -> bool:
        return self._stage is Message.BEGUN

    @property
    def dictating(self) -> bool:
        """The caller has been asked for a message: pauses are longer, and turns may be."""
        return self._stage in (Message.OPEN, Message.BEGUN)

    def open(self) -> None:
        """The caller is asked to speak: keep the audio from now on."""
        self.keep_begun()
        self._stage, self._asked_by_model = Message.OPEN, False
        self._scene.watch.set("message", self._scene.now + self._scene.rules.message_ms)
        self._scene.do(act.StartMessage())

    def caller_speaks(self) -> None:
        if self._stage is Message.OPEN:
            self._stage = Message.BEGUN
            self._scene.do(act.MessageBegun())

    def take(self, call: ToolCall) -> bool:
        """The provider gives a message, or the beginning of one; False when there is no message in it yet."""
        text = str(call.arguments.get("text") or "")[:MOST_CHARACTERS]
        self._text = text or self._text
        self._given |= _given(call.arguments)
        if not self.dictating and not text:
            self.open()
            self._asked_by_model = True
            if self._given:
                self.caller_speaks()  # what is given is part of the message: from here on it is kept
            return False
        self._stage, self.left = Message.SAVED, True
        self._scene.watch.clear("message")
        complete = call.arguments.get("complete", True) is not False
        self._save(call.tool_call_id, text, complete)
        return True

    def too_long(self) -> bool:
        """The longest message is reached: whether the call is to end. A model may be about something else by now."""
        if self._asked_by_model:
            self.keep_begun()
            self._stage = Message.SAVED if self.left else Message.NONE
        return not self._asked_by_model

    def keep_begun(self) -> None:
        """Save a message that the caller has begun and cannot finish, if there is one."""
        if self._stage is Message.BEGUN:
            self._stage, self.left = Message.SAVED, True
            self._save("", self._text, complete=False)

    def _save(self, tool_call_id: str, text: str, complete: bool) -> None:
        given, self._given, self._text = self._given, {}, ""
        self._scene.do(act.SaveMessage(tool_call_id, text, complete, given))


def _given(arguments: Mapping[str, object]) -> dict[str, str]:
    values = ((name, arguments.get(name)) for name in GIVEN)
    return {name: str(value)[: MOST_CHARACTERS // 20] for name, value in values if value not in (None, "")}
