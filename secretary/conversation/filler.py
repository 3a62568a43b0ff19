"""What the caller hears while a tool takes long: a short sentence, so that silence is not taken for the end."""

from __future__ import annotations

from secretary.conversation.scene import Scene
from secretary.conversation.state import State
from secretary.conversation.voice import FILLER, Voice


class Filler:
    """One sentence after `filler_ms` of silence, another after `filler_again_ms`; not the same twice in a row."""

    def __init__(self, scene: Scene, voice: Voice) -> None:
        self._scene, self._voice = scene, voice
        self._next = 0

    def expect(self) -> None:
        """A tool begins, or the voice over it has ended."""
        scene = self._scene
        if scene.rules.filler_ms and not scene.watch.pending(FILLER):
            scene.watch.set(FILLER, scene.now + scene.rules.filler_ms)

    def forget(self) -> None:
        """Nothing runs any more."""
        self._scene.watch.clear(FILLER)

    def due(self) -> None:
        scene = self._scene
        if (
            scene.playout.open
            or scene.playout.holding
            or scene.speaking is not None
            or scene.on_hold
            or scene.state is State.TRANSFERRING
        ):
            scene.watch.set(FILLER, scene.now + scene.rules.filler_ms)  # somebody speaks, or there is music: look again
            return
        choice = scene.say.fillers
        sentence = choice[self._next % len(choice)]
        self._next += 1
        scene.watch.set(FILLER, scene.now + scene.rules.filler_again_ms)
        scene.note(FILLER, text=sentence)
        self._voice.say(sentence, FILLER, keep=False)
