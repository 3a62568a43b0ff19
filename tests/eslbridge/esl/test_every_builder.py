"""Every text that any builder of commands takes: it stays in its place, and nothing else of the command changes.

The builders are found, and not listed: a new one, or a new parameter, is tried as soon as there is an honest value for
it below.
"""

from __future__ import annotations

import importlib
import inspect
import re
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import eslbridge
from eslbridge.esl import commands
from eslbridge.esl.command import Command
from eslbridge.esl.errors import CommandRefused
from eslbridge.work import consulting
from tests.eslbridge.esl import freeswitch_text

CALL = "c0e06181-846d-4979-91c0-29cd8b32c17d"
OTHER = "7be37ce4-0a91-4557-b156-1107d04a11ba"
HONEST: Mapping[str, Any] = {
    "action": "start", "argument": "x", "back_to": "8001", "bugname": "secretary", "call_uuid": CALL,
    "cause": "USER_BUSY", "command": commands.status(), "context": "acme.example", "custom": ["mod_x::play"],
    "delay_s": 8, "destination": "1001", "dial": "user/1001@acme.example", "digits": "1", "domain": "acme.example",
    "event_uuid": OTHER, "everything": True, "group": "wd-1", "header": "Unique-ID", "kind": "var", "leg": "aleg",
    "leg_uuid": CALL, "local_ip": "127.0.0.1", "local_port": 1, "metadata": "x", "mix": "mono", "name": "x",
    "names": ["DTMF"], "native": False, "on": True, "other_uuid": OTHER, "parked_s": 10, "password": "ClueCon",
    "path": "/x.wav", "queue": "700", "rate": 8000, "remote_ip": "127.0.0.1", "remote_port": 1,
    "return_rate": 8000, "seconds": 5, "text": "x", "timeout_s": 5, "tried": OTHER, "url": "ws://h/x", "user": "1001",
    "value": "x", "variables": {"v": "x"},
}  # fmt: skip
OF_ONE: Mapping[str, Mapping[str, Any]] = {
    "execute": {"application": "playback"},
    "originate": {"application": "socket"},
    "queue_agents": {"queue": "700"},
}


def builders() -> Iterator[tuple[str, Callable[..., Command]]]:
    """Every public function of the package that makes a command."""
    package = Path(eslbridge.__path__[0])
    for path in sorted(package.rglob("*.py")):
        if "-> Command:" not in path.read_text() or "simulator" in path.parts:
            continue
        module = importlib.import_module(".".join(("eslbridge", *path.relative_to(package).with_suffix("").parts)))
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ == module.__name__ and not name.startswith("_"):
                if get_type_hints(function).get("return") is Command:
                    yield name, function


BUILDERS = dict(builders())
PLAIN = {"auth", "uuid_audio_stream", "uuid_audio_fork"}
"""Nothing is expanded in their texts: the password goes to the comparison, the rest to a JSON or a WebSocket."""


def honest(name: str) -> dict[str, Any]:
    parameters = get_type_hints(BUILDERS[name])
    own = OF_ONE.get(name, {})
    return {one: own.get(one, HONEST.get(one)) for one in parameters if one != "return" and one in {*own, *HONEST}}


def texts(name: str) -> Iterator[tuple[str, Callable[[str], Command]]]:
    """Each text that the builder takes, and how to build with another one in its place."""
    build, given = BUILDERS[name], honest(name)
    for one, kind in get_type_hints(build).items():
        if one == "return":
            continue
        kinds = set(get_args(kind)) if get_origin(kind) in (Union, types.UnionType) else {kind}
        origins = {get_origin(each) or each for each in kinds}
        if str in kinds or Literal in origins:
            yield one, partial(_with, build, given, one, lambda text: text)
        elif Iterable in origins:
            yield one, partial(_with, build, given, one, lambda text: [text])
        elif Mapping in origins:
            yield f"{one} name", partial(_with, build, given, one, lambda text: {text: "x"})
            yield f"{one} value", partial(_with, build, given, one, lambda text: {"v": text})


def _with(build: Callable[..., Command], given: dict[str, Any], one: str, make: Any, text: str) -> Command:
    return build(**{**given, one: make(text)})


CASES = {f"{name}: {one}": (name, build) for name in BUILDERS for one, build in texts(name)}
NASTY = st.text(st.sampled_from("ab '\"\\,={}[]<>|:_^$&()!;%\n\r\0\tsn1/"), max_size=24)
TEXTS = st.one_of(
    NASTY,
    st.text(max_size=40),
    st.sampled_from([
        "1001 XML public", "x' y 'z", "a\\", "\\'", "^^:a:b", "${system(id)}", "$${x}", "a::b", "-both", "a b c d e f",
        "x}user/1002{a=b", "1001,user/1002", "a,lua:x", "a:_:b", "&system(x)", "%[x]", "\u2028", "\x85", "'",
    ]),
)  # fmt: skip


def arguments(command: Command) -> list[str]:
    """What FreeSWITCH sees: the words of the line, its quotes gone."""
    words: list[str] = freeswitch_text.separate(command.line, " ", 64)
    return words


@pytest.mark.parametrize("case", CASES)
@settings(max_examples=40)
@given(text=TEXTS)
def test_a_text_stays_in_its_place(case: str, text: str) -> None:
    """Whatever the text: nothing is built, or one command with as many arguments, of which one is not as it was."""
    name, build = CASES[case]
    try:
        command = build(text)
    except CommandRefused:
        return
    wire = command.wire()
    assert wire.count(b"\n\n") == 1 and wire.endswith(b"\n\n") and not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]", wire)
    assert len(wire.split(b"\n")) == 3 + len(command.headers)
    if command.name not in PLAIN:
        assert b"${" not in wire and b"$$" not in wire
    if name == "auth" or not text:  # a password is the rest of its line; an empty text may leave its argument out
        return
    expected = BUILDERS[name](**honest(name))
    assert [header for header, _ in command.headers] == [header for header, _ in expected.headers]
    changed = [(was, now) for was, now in zip(arguments(expected), arguments(command), strict=True) if was != now]
    changed += [(was, now) for (_, was), (_, now) in zip(expected.headers, command.headers, strict=True) if was != now]
    assert len(changed) <= 1


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("text", ["a\nb", "a\rb", "a\0b", "1\n\nexit\n\n", "\n", "reload mod_event_socket\n"])
def test_newlines_and_nul_are_refused_everywhere(case: str, text: str) -> None:
    with pytest.raises(CommandRefused):
        CASES[case][1](text)


def test_all_builders_are_among_them() -> None:
    """Each parameter has an honest value, with which its builder builds; and what a worker sends is here."""
    for name, build in BUILDERS.items():
        needed = {one.name for one in inspect.signature(build).parameters.values() if one.default is one.empty}
        assert needed <= set(honest(name)), name
        assert isinstance(build(**honest(name)), Command)
    assert {"originate", "uuid_transfer", "uuid_transfer_and_return", "uuid_bridge", "uuid_broadcast", "uuid_setvar",
            "uuid_kill", "uuid_record", "uuid_send_dtmf", "sofia_contact"} <= set(BUILDERS)  # fmt: skip
    assert len(CASES) > 60


@given(TEXTS, st.sampled_from(["extension", "external", "ring_group"]), st.booleans())
def test_an_endpoint_is_one_of_the_domain(number: str, kind: str, forwarded: bool) -> None:
    """What is dialled for a transfer: one number, in the tenant's own domain."""
    try:
        dial = consulting.dial_string(kind=kind, number=number, domain_name="acme.example", forwarded=forwarded)
    except CommandRefused:
        return
    assert re.fullmatch(r"(user/[^@/,| ]+@|loopback/[^@/,| ]+/)acme\.example", dial)
