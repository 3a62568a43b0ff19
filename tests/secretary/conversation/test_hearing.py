"""From judgements of voice activity to events: echoes, pauses, music, and who decides."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import pytest

from eslbridge.media.contract import FRAME_BYTES
from secretary.bench import sounds
from secretary.conversation import events as ev
from secretary.conversation.ear import Ear
from secretary.conversation.hearing import Hearing
from secretary.conversation.state import Rules

W = 32
VOICE = sounds.load("agent")
CALLER = sounds.callers()[0]


@dataclass
class Around:
    """What hearing sees of the leg, the conversation and the provider."""

    queued_ms: int = 0
    heard_ms: int = 0
    detects_turns: bool = False
    listens: bool = False
    said: bytes = b""
    now: int = 0
    events: list[ev.Event] = field(default_factory=list)

    def reference(self, heard: int, ms: int) -> bytes:
        return self.said[-16 * ms :]


def hearing(around: Around, **rules: Any) -> Hearing:
    return Hearing(Rules(**rules), Ear(), around, around)


def judge(ear: Hearing, around: Around, *probabilities: float) -> list[ev.Event]:
    """Windows one after another; the events of these."""
    made = []
    for probability in probabilities:
        around.now += W
        event = ear.judge(probability, around.now, cast(Any, around))
        if event is not None:
            made.append(event)
    around.events += made
    return made


def kinds(events: list[ev.Event]) -> list[str]:
    return [type(event).__name__ for event in events]


def hear(ear: Hearing, pcm: bytes) -> None:
    for at in range(0, len(pcm) - FRAME_BYTES + 1, FRAME_BYTES):
        ear._ear.add(pcm[at : at + FRAME_BYTES])


def test_nobody_is_suspected_while_nothing_is_said() -> None:
    """Outside of the secretary's voice a turn begins and ends; there is nothing to turn down."""
    around = Around()
    ear = hearing(around)
    assert kinds(judge(ear, around, *[0.9] * 20, *[0.0] * 30)) == ["CallerStarted", "CallerEnded"]


def test_all_stages_over_the_secretarys_voice() -> None:
    """Suspected, begun, proven, ended."""
    around = Around(queued_ms=5_000, said=VOICE)
    ear = hearing(around)
    hear(ear, CALLER[-16_000:])
    stages = kinds(judge(ear, around, 0.45, *[0.9] * 22, *[0.0] * 30))
    assert stages == ["CallerLikely", "CallerStarted", "CallerProven", "CallerEnded"]


def test_an_echo_of_ours_is_nobody() -> None:
    """However long it goes on, and counted; the caller who then speaks is heard."""
    around = Around(queued_ms=5_000, said=VOICE[: 16 * 3_000])
    ear = hearing(around)
    back = np.frombuffer(VOICE[: 16 * 2_880], "<i2") // 8
    hear(ear, back.astype("<i2").tobytes())
    assert set(kinds(judge(ear, around, *[0.9] * 30))) <= {"CallerUnlikely"}
    assert ear.echoes > 10
    hear(ear, CALLER[16 * 200 : 16 * 600])
    assert kinds(judge(ear, around, 0.9, 0.9)) == ["CallerStarted"]


def test_what_comes_back_after_the_last_word_is_nobody() -> None:
    """The voice is over, and its echo is not yet; whoever answers is heard."""
    around = Around(queued_ms=100, said=VOICE[: 16 * 3_000])
    ear = hearing(around)
    judge(ear, around, 0.0)
    around.queued_ms = 0
    hear(ear, (np.frombuffer(VOICE[: 16 * 2_960], "<i2") // 8).astype("<i2").tobytes())
    assert kinds(judge(ear, around, 0.0, *[0.9] * 4)) == [] and ear.echoes > 0
    hear(ear, CALLER[16 * 200 : 16 * 600])
    assert kinds(judge(ear, around, *[0.9] * 4)) == ["CallerStarted"]


@pytest.mark.parametrize(
    ("text", "at_least", "at_most"),
    [("I want to talk to", 1_400, 1_500), ("yes please", 400, 500), ("What are your hours?", 480, 560)],
)
def test_the_words_choose_the_pause(text: str, at_least: int, at_most: int) -> None:
    """What was understood so far, where the provider tells it in time."""
    around = Around()
    ear = hearing(around, pause_ms=700)
    judge(ear, around, *[0.9] * 20)
    ear.understood_so_far(text)
    last = around.now
    judge(ear, around, *[0.0] * 60)
    (ended,) = (event for event in around.events if isinstance(event, ev.CallerEnded))
    assert ended.last_sound_ms == last
    around = Around()
    ear = hearing(around, pause_ms=700)
    judge(ear, around, *[0.9] * 20)
    ear.understood_so_far(text)
    quiet = 0
    while not judge(ear, around, 0.0):
        quiet += W
    assert at_least <= quiet + W <= at_most


def test_a_fixed_pause_is_fixed() -> None:
    """Whatever was understood."""
    around = Around()
    ear = hearing(around, turn_mode="fixed", pause_ms=1_200)
    judge(ear, around, *[0.9] * 20)
    ear.understood_so_far("yes")
    assert kinds(judge(ear, around, *[0.0] * 37)) == [] and kinds(judge(ear, around, 0.0)) == ["CallerEnded"]


def test_who_speaks_on_after_an_answer_begins_another_turn() -> None:
    """A turn that was too long has been answered; a voice that never pauses is not taken for silence."""
    around = Around()
    ear = hearing(around)
    assert kinds(judge(ear, around, *[0.9] * 100)) == ["CallerStarted"]
    around.listens = True
    (begun,) = judge(ear, around, *[0.9] * 3)
    assert isinstance(begun, ev.CallerStarted) and begun.onset_ms > 3_000


def test_who_decides_is_told() -> None:
    """A provider with ears of its own is not handed the turn; after its decision the next sound is a new turn."""
    around = Around(detects_turns=True)
    ear = hearing(around)
    judge(ear, around, *[0.9] * 20)
    ear.turn_is_over()
    assert kinds(judge(ear, around, *[0.9] * 4)) == ["CallerStarted"]
    (ended,) = judge(ear, around, *[0.0] * 30)
    assert isinstance(ended, ev.CallerEnded) and ended.provider_decides


def test_music_is_told_and_our_own_voice_is_none() -> None:
    """Fifteen seconds without a pause, while the secretary is silent."""
    around = Around()
    assert kinds(judge(hearing(around), around, *[0.05] * 500)) == ["MusicHeard"]
    around = Around(queued_ms=100)
    assert kinds(judge(hearing(around), around, *[0.05] * 1_000)) == []
