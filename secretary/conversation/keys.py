"""Keys that the caller presses, at any time: the secretary's menu, or digits for the provider.

A key interrupts what is said, except what must be heard. A digit of the menu acts when no other digit follows at once:
"0" is a person, "055…" is the number of one. After a digit that went to the provider, `#` ends the number and is no key
of the menu.
"""

from __future__ import annotations

from secretary.conversation import actions as act
from secretary.conversation.endings import Endings
from secretary.conversation.floor import Floor
from secretary.conversation.scene import Scene
from secretary.conversation.state import Key, State
from secretary.conversation.tools import MENU, Tools
from secretary.conversation.voice import Voice
from secretary.speech.contract import ToolCall

ALONE_MS = 700
"""A digit that is alone for so long is a key of the menu."""
NUMBER_MS = 3_000
"""Digits that follow each other within this time are one number."""


class Keys:
    """One call's keypad."""

    def __init__(self, scene: Scene, voice: Voice, floor: Floor, tools: Tools, endings: Endings) -> None:
        self._scene, self._voice, self._floor = scene, voice, floor
        self._tools, self._endings = tools, endings
        self._menu = dict(scene.rules.menu)
        self._waiting = ""
        self._number_until = -1
        self._serial = 0

    def pressed(self, digit: str) -> None:
        scene = self._scene
        if scene.state in (State.LEAVING, State.TRANSFERRING):
            return
        scene.note("dtmf", **({} if scene.recording_paused else {"digit": digit}))
        scene.watch.calm()
        self._floor.key_pressed()
        in_number = self._waiting != "" or scene.now < self._number_until
        if digit in self._menu and not in_number:
            if digit.isdigit():
                self._waiting = digit
                scene.watch.set("key", scene.now + ALONE_MS)
            else:
                self._do(digit)
            return
        waiting, self._waiting = self._waiting, ""
        scene.watch.clear("key")
        self._number_until = -1 if digit == "#" else scene.now + NUMBER_MS
        for one in waiting + digit:
            scene.do(act.PassDigit(one))
        scene.arm_silence()

    def alone(self) -> None:
        """No other digit followed."""
        digit, self._waiting = self._waiting, ""
        if digit:
            self._do(digit)

    def _do(self, digit: str) -> None:
        scene, key = self._scene, self._menu[digit]
        scene.note("menu", name=key.do, **({} if scene.recording_paused else {"digit": digit}))
        match key.do:
            case "transfer":
                self._serial += 1
                arguments: dict[str, object] = {"destination_uuid": key.destination_uuid}
                self._tools.called(ToolCall(f"{MENU}{self._serial}", "transfer", arguments))
            case "repeat":
                self._repeat()
            case "end":
                self._endings.hang_up("caller_ended", scene.say.goodbye)
            case "fallback":
                self._endings.leave("caller_asked", scene.say.passing_on)

    def _repeat(self) -> None:
        if self._voice.last_said:
            self._scene.expect_answer()
            self._voice.say(self._voice.last_said, keep=False)
        else:
            self._scene.arm_silence()


def menu_of(value: object) -> tuple[tuple[str, Key], ...]:
    """A menu as it is stored: `{"0": {"do": "transfer", "destination_uuid": "…"}, "*": {"do": "repeat"}}`.

    What makes no sense is left out: a menu that was valid when it was saved may name what is gone.
    """
    if not isinstance(value, dict):
        return ()
    keys = []
    for digit, what in value.items():
        if isinstance(what, dict) and digit in DIGITS and what.get("do") in DOINGS:
            keys.append((digit, Key(str(what["do"]), str(what.get("destination_uuid") or ""))))
    return tuple(key for key in keys if key[1].do != "transfer" or key[1].destination_uuid)


DIGITS = frozenset("0123456789*#")
DOINGS = ("transfer", "repeat", "end", "fallback")
