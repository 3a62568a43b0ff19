"""The message that a caller leaves: nothing of it is lost once its first word is spoken."""

from __future__ import annotations

from secretary.conversation import actions as act
from secretary.conversation.scene import Scene
from secretary.conversation.state import Message
from secretary.speech.contract import ToolCall


class Messages:
    """How far the caller's message has come, and whether one was left at all."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._stage = Message.NONE
        self.left = False
        """The call has left a message, complete or not."""

    @property
    def begun(self) -> bool:
        return self._stage is Message.BEGUN

    def open(self) -> None:
        """The caller is asked to speak: keep the audio from now on."""
        self.keep_begun()
        self._stage = Message.OPEN
        self._scene.watch.set("message", self._scene.now + self._scene.rules.message_ms)
        self._scene.do(act.StartMessage())

    def caller_speaks(self) -> None:
        if self._stage is Message.OPEN:
            self._stage = Message.BEGUN
            self._scene.do(act.MessageBegun())

    def take(self, call: ToolCall) -> None:
        """The provider holds the message to be complete."""
        self._stage, self.left = Message.SAVED, True
        self._scene.watch.clear("message")
        complete = call.arguments.get("complete", True) is not False
        self._scene.do(act.SaveMessage(call.tool_call_id, str(call.arguments.get("text", "")), complete))

    def keep_begun(self) -> None:
        """Save a message that the caller has begun and cannot finish, if there is one."""
        if self._stage is Message.BEGUN:
            self._stage, self.left = Message.SAVED, True
            self._scene.do(act.SaveMessage("", "", complete=False))
