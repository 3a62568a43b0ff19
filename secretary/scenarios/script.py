"""What a scenario says, out of its YAML: who answers, what the caller does, how the line is, what must hold.

Wrong or unknown words raise `ScriptError`, which names the file, the place and what would be right.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final, TypeVar

import yaml

FOLDER: Final = Path(__file__).parent
T = TypeVar("T")


class ScriptError(Exception):
    """A scenario's file cannot be used; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Who:
    """The secretary of the scenario."""

    greeting: str = ""
    places: tuple[str, ...] = ()
    rules: Mapping[str, Any] = field(default_factory=dict)
    """Fields of `conversation.state.Rules` by name."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that the caller does. First the wait, then the deed."""

    after: str = "silence"
    """What to wait for: `silence` (the secretary has spoken and stopped), `voice` (it speaks), `at_once`."""
    wait_ms: int = 0
    """How long to wait beyond that."""
    say: str = ""
    play: str = ""
    """A WAV beside the scenario, or one of the built-in sounds: see `sound.py`."""
    for_ms: int = 0
    """How long a built-in sound lasts."""
    press: str = ""
    hang_up: bool = False
    language: str = ""
    voice: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """What the telephone network does to the caller's voice."""

    noise_dbfs: float | None = None
    loss_percent: float = 0.0
    echo_db: float | None = None
    """How much weaker than the secretary's voice it comes back, such as -20."""
    echo_ms: int = 80
    level_db: float = 0.0


@dataclass(frozen=True, slots=True)
class Part:
    """One answer of the stand-in provider: given once, to the first turn (or event) that fits."""

    hears: str = ""
    """A regular expression that the caller's words must match; empty: any."""
    key: str = ""
    """The key that must have been pressed."""
    result: str = ""
    """The tool result that must have come: `transfer=no_answer`, or `transfer` for any."""
    says: str = ""
    calls: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Tools by name, with their arguments."""
    language: str = ""
    fails: str = ""
    """How the provider breaks instead of answering: `error`, `silent`, `refused`."""
    again: bool = False
    """May be given more than once."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How quick the stand-in is (ms)."""

    opens_ms: int = 100
    understands_ms: int = 150
    first_token_ms: int = 250
    first_audio_ms: int = 350
    """All from the end of the caller's turn."""
    interim: bool = True
    """It writes down what it hears as it hears it."""


@dataclass(frozen=True, slots=True)
class Expect:
    """What must hold. Whatever is left out is not judged."""

    outcome: str = ""
    detail: str = ""
    destination: str = ""
    within_s: float = 0.0
    """The call is over by then."""
    tools: tuple[str, ...] = ()
    """Called, in this order; others may lie between."""
    no_tools: tuple[str, ...] = ()
    message_contains: tuple[str, ...] = ()
    message_complete: bool | None = None
    said: tuple[str, ...] = ()
    never_said: tuple[str, ...] = ()
    caller_said: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    """Kinds of timeline entries that must be there."""
    no_notes: tuple[str, ...] = ()
    interruptions: int | None = None
    """How many of the secretary's lines were cut."""
    voice_stopped_within_ms: int = 0
    """From the caller's onset to silence, for every step that speaks into the secretary's voice."""
    longest_silence_s: float = 0.0
    """While the call runs: neither side makes a sound for longer than this nowhere."""
    keys: str = ""
    """The keys that the provider was told of."""
    sent_keys: str | None = None
    """Exactly these were sent on the line."""
    provider: str = ""
    """Which of the providers held the call at its end."""


@dataclass(frozen=True, slots=True)
class Script:
    """One scenario."""

    name: str
    says: str
    language: str = "en"
    covers: tuple[str, ...] = ()
    secretary: Who = field(default_factory=Who)
    caller: tuple[Step, ...] = ()
    line: Line = field(default_factory=Line)
    pace: Pace = field(default_factory=Pace)
    provider: tuple[Part, ...] = ()
    providers: tuple[tuple[Part, ...], ...] = ()
    """More of them, in the order in which they take over."""
    office: Mapping[str, Any] = field(default_factory=dict)
    """How tools end: `transfer: no_answer`, `lookup: {outcome: ok, detail: …, takes_ms: 900}`."""
    expect: Expect = field(default_factory=Expect)
    price_per_token: float = 0.0
    """What a token of the stand-in costs; an answer has forty."""
    patience_s: float = 90.0
    """When the caller gives up and hangs up, whatever happens."""
    standin_only: bool = False
    """Of no use against a real provider: it rehearses a failure."""


def load(path: Path) -> Script:
    """Read one scenario. Raises ScriptError."""
    try:
        given = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ScriptError(f"{path.name}: {error}") from error
    if not isinstance(given, dict):
        raise ScriptError(f"{path.name}: a scenario is a map of words such as says, caller, expect")
    return _script(path.stem, given)


def every(folder: Path = FOLDER) -> list[Script]:
    """All scenarios of a folder, by name. Raises ScriptError."""
    return [load(path) for path in sorted(folder.glob("*.yaml"))]


def _script(name: str, given: Mapping[str, Any]) -> Script:
    made = dict(given)
    made["name"] = name
    made["secretary"] = _build(Who, made.get("secretary"), f"{name}: secretary")
    made["line"] = _build(Line, made.get("line"), f"{name}: line")
    made["pace"] = _build(Pace, made.get("pace"), f"{name}: pace")
    made["expect"] = _build(Expect, made.get("expect"), f"{name}: expect")
    made["caller"] = _each(Step, made.get("caller"), f"{name}: caller")
    made["provider"] = _each(Part, made.get("provider"), f"{name}: provider")
    more = made.get("providers") or ()
    if not isinstance(more, Sequence) or isinstance(more, str):
        raise ScriptError(f"{name}: providers: a list of lists of answers")
    made["providers"] = tuple(_each(Part, one, f"{name}: providers: {n}") for n, one in enumerate(more, 1))
    script = _build(Script, made, name)
    if not script.says:
        raise ScriptError(f"{name}: says: one sentence about what happens is missing")
    return script


def _each(kind: type[T], given: Any, where: str) -> tuple[T, ...]:
    if given is None:
        return ()
    if not isinstance(given, list):
        raise ScriptError(f"{where}: a list is expected, not {type(given).__name__}")
    return tuple(_build(kind, one, f"{where}: {number}") for number, one in enumerate(given, 1))


def _build(kind: type[T], given: Any, where: str) -> T:
    if given is None:
        return kind()
    if not isinstance(given, Mapping):
        raise ScriptError(f"{where}: a map is expected, not {type(given).__name__}")
    known = {one.name: one for one in fields(kind)}  # type: ignore[arg-type]
    if unknown := sorted(set(map(str, given)) - set(known)):
        raise ScriptError(f"{where}: there is no {', '.join(unknown)}; there are {', '.join(known)}")
    values = {name: _value(value, str(known[name].type), f"{where}: {name}") for name, value in given.items()}
    try:
        return kind(**values)
    except TypeError as error:
        raise ScriptError(f"{where}: {error}") from error


def _value(value: Any, wanted: str, where: str) -> Any:
    """`value` as the field wants it: lists become tuples, and a number is no text."""
    if wanted == "tuple[str, ...]":
        if isinstance(value, str):
            value = [value]
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise ScriptError(f"{where}: a list of texts is expected")
        return tuple(value)
    simple: dict[str, tuple[type, ...]] = {
        "str": (str,),
        "int": (int,),
        "bool": (bool,),
        "float": (int, float),
        "float | None": (int, float, type(None)),
        "int | None": (int, type(None)),
        "str | None": (str, type(None)),
        "bool | None": (bool, type(None)),
    }
    if (types := simple.get(wanted)) is not None:
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
            raise ScriptError(f"{where}: {wanted.removesuffix(' | None')} is expected, not {value!r}")
    elif wanted.startswith("Mapping") and not isinstance(value, Mapping):
        raise ScriptError(f"{where}: a map is expected, not {value!r}")
    return value
