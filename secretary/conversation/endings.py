"""How a conversation ends: with a last sentence where one can be heard, always in time, and only once."""

from __future__ import annotations

from collections.abc import Callable

from secretary.conversation import actions as act
from secretary.conversation.messages import Messages
from secretary.conversation.scene import Scene
from secretary.conversation.state import State
from secretary.conversation.voice import Voice

LAST_SENTENCE_MS = 8_000
"""How long the last sentence may take, from asking for it to its end."""
LAST_VOICE_MS = 2_000
"""How long its first sound may take."""

Ending = Callable[[], list[act.Action]]


class Endings:
    """The ways out: to the fallback, or hanging up."""

    def __init__(self, scene: Scene, voice: Voice, messages: Messages) -> None:
        self._scene, self._voice, self._messages = scene, voice, messages
        self._ending: Ending | None = None
        self._outcome, self._detail = "completed", ""

    def leave(self, reason: str, sentence: str) -> None:
        """Give the caller to the fallback, after `sentence` if any."""
        self._say_last(sentence, lambda: [act.Leave(reason)], outcome="fallback", detail=reason)

    def hang_up(self, reason: str, sentence: str) -> None:
        """Say `sentence`, then hang up."""
        self._say_last(sentence, lambda: [act.HangUp()], outcome="completed", detail=reason)

    def hang_up_now(self, reason: str) -> None:
        """Everything has been said."""
        self._messages.keep_begun()
        self._scene.do(act.HangUp())
        self.close("message" if self._messages.left else "completed", reason)

    def call_ended(self, cause: str) -> None:
        self._voice.cut()
        self._messages.keep_begun()
        self.close("message" if self._messages.left else "caller_hung_up", cause)

    def call_left(self, reason: str) -> None:
        self._voice.cut()
        self._messages.keep_begun()
        self.close("transferred", reason)

    def _say_last(self, sentence: str, ending: Ending, *, outcome: str, detail: str) -> None:
        """Stop whatever is said, say `sentence` if any, then do `ending`; with a deadline, so that it always ends."""
        scene = self._scene
        if scene.state is State.LEAVING and sentence:
            return
        self._messages.keep_begun()
        if scene.playout.open:
            scene.do(act.StopVoice())
        self._voice.cut()
        scene.resume_recording()
        scene.state = State.LEAVING
        scene.speaking = None
        scene.watch.only("leave", scene.now + LAST_SENTENCE_MS)
        self._ending, self._outcome, self._detail = ending, outcome, detail
        if sentence:
            scene.watch.set("answer", scene.now + LAST_VOICE_MS)
            self._voice.say(sentence)
        else:
            self.finish()

    def settle(self) -> None:
        """The last sentence has been heard: end."""
        if not self._scene.watch.pending("answer"):
            self.finish()

    def finish(self) -> None:
        ending, self._ending = self._ending, None
        if ending is not None:
            self._voice.cut()
            self._scene.do(*ending())
            saved = self._messages.left and self._outcome == "completed"
            self.close("message" if saved else self._outcome, self._detail)

    def close(self, outcome: str, detail: str) -> None:
        self._scene.resume_recording()
        self._scene.state = State.ENDED
        self._scene.watch.none()
        self._scene.note("ended", outcome=outcome, detail=detail)
        self._scene.do(act.Close(outcome, detail))
