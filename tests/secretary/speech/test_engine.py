"""Real pocketsphinx on recorded callers over a telephone line."""

from __future__ import annotations

import pytest

from secretary.speech.local import engine, espeak, render
from secretary.speech.local.dialogue import SURE
from secretary.speech.local.engine import Engine, telephone_to_model
from secretary.speech.local.grammar import GrammarSpec
from secretary.speech.local.intents import NOTHING, Intent, Understood
from tests.secretary.speech import lines

SPEC = GrammarSpec.of(
    "en",
    [("Sales", ["the sales department", "sales team"]), ("Support", ["technical support"]), ("Accounts", ["billing"])],
)
ANSWERS = ("yes", "no", "goodbye")
LINES = pytest.mark.parametrize(
    ("mulaw", "noise_db"), [(False, None), (True, None), (True, 26.0)], ids=["L16", "mu-law", "mu-law with noise"]
)


@pytest.fixture(scope="module")
def ears() -> Engine:
    return Engine()


def heard(ears: Engine, name: str, mulaw: bool, noise_db: float | None) -> Understood:
    pcm = lines.turn(name, mulaw=mulaw, noise_db=noise_db)
    return ears.understand(SPEC, pcm, answer=name in ANSWERS)


@LINES
@pytest.mark.parametrize(
    ("caller", "intent", "place"),
    [
        ("sales", Intent.PLACE, 0),
        ("support", Intent.PLACE, 1),
        ("leave-message", Intent.MESSAGE, None),
        ("yes", Intent.YES, None),
        ("no", Intent.NO, None),
        ("goodbye", Intent.GOODBYE, None),
    ],
)
def test_recorded_callers_are_understood(
    ears: Engine, caller: str, intent: Intent, place: int | None, mulaw: bool, noise_db: float | None
) -> None:
    """Each caller of the demo, on each line, and sure enough to be put through without being asked back."""
    what = heard(ears, caller, mulaw, noise_db)
    assert (what.intent, what.place) == (intent, place)
    assert what.confidence >= 0.5


@LINES
@pytest.mark.parametrize("caller", ["unknown", "unknown-again", "long", "message"])
def test_what_is_not_in_the_grammar_is_refused(ears: Engine, caller: str, mulaw: bool, noise_db: float | None) -> None:
    """A stranger's name, another subject, a story: nobody is put through to the nearest sound."""
    assert heard(ears, caller, mulaw, noise_db) == NOTHING


@pytest.mark.parametrize(
    "sound",
    [
        lines.noise(2.0),
        lines.noise(2.0, level=0.003),
        lines.tone(440, 2.0),
        lines.tone(1000, 0.3),
        bytes(32_000),
        b"",
        b"\0",
    ],
    ids=["noise", "faint noise", "dial tone", "beep", "silence", "nothing", "half a sample"],
)
@pytest.mark.parametrize("answer", [False, True])
def test_sounds_are_no_words(ears: Engine, sound: bytes, answer: bool) -> None:
    """Neither a destination nor an answer is heard in what is no speech."""
    assert ears.understand(SPEC, sound, answer=answer) == NOTHING


def test_only_the_callers_own_tenant_is_understood(ears: Engine) -> None:
    """The same words, in a domain that has no sales department, reach nobody."""
    other = GrammarSpec.of("en", [("Warehouse", []), ("Laboratory", [])])
    assert ears.understand(other, lines.turn("support")).intent is not Intent.PLACE
    assert ears.understand(SPEC, lines.turn("support")).place == 1


def test_a_message_is_written_down(ears: Engine) -> None:
    """Best effort: the words that matter most in a clear message are there."""
    text = ears.dictate(lines.turn("message", mulaw=True))
    assert "five five five" in text
    assert "call me back" in text


def test_decoders_are_bounded(ears: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many tenants do not fill a worker's memory; the latest used stay."""
    monkeypatch.setattr(engine, "DECODERS", 2)
    specs = [GrammarSpec.of("en", [(name, [])]) for name in ("Alpha", "Bravo", "Charlie")]
    for spec in specs:
        ears.prepare(spec)
    assert ears.decoders == 2
    kept = ears.prepare(specs[2])
    assert ears.prepare(specs[2]) is kept


@pytest.mark.parametrize("library", [False, True], ids=["any espeak-ng", "the wheel's library"])
def test_portuguese_is_understood_and_asked_back(ears: Engine, library: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Best effort, and never without a question: the model knows English sounds only."""
    if library:
        monkeypatch.setattr(espeak, "binary", lambda: None)
    spec = GrammarSpec.of("pt-br", [("Vendas", []), ("Financeiro", []), ("João Conceição", ["recepção"])])
    pcm = render.speak("Financeiro.", "espeak:pt-br+f2", "pt-br", deadline_s=10)
    what = ears.understand(spec, bytes(4800) + pcm + bytes(11_200))
    assert (what.intent, what.place) == (Intent.PLACE, 1)
    assert what.confidence < SURE


def test_long_turns_are_cut() -> None:
    """What a turn costs has a limit."""
    assert len(telephone_to_model(lines.noise(40.0), 12.0)) == 12 * 16_000
