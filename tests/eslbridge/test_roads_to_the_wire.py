"""Who has the switch dial: few, and each asks the policy before. A new road must be added here, with its question."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

PROJECT: Final = Path(__file__).resolve().parents[2]
DIALS: Final = {"originate", "uuid_transfer", "uuid_transfer_and_return", "transfer", "deflect", "uuid_deflect"}
BENEATH: Final = (
    "eslbridge/esl/",
    "eslbridge/simulator/",
    "secretary/bench/",
    "secretary/demo/",
    "secretary/scenarios/",
)
"""Who builds and sends commands for others, and what plays the switch."""
ASKS: Final = {
    "eslbridge/work/actions.py": "dialling.ask_for",
    "eslbridge/work/originating.py": "dialling.ask",
    "secretary/services/after_hours.py": "dialling.ask",
}
ROADS: Final = {
    "eslbridge/work/actions.py": "eslbridge/work/actions.py",
    "eslbridge/work/originating.py": "eslbridge/work/originating.py",
    "secretary/voicenode/reception.py": "secretary/services/after_hours.py",
    "secretary/conversation/session.py": "secretary/conversation/session.py",
}
"""Where it is dialled, and where it was asked. A conversation only asks its office, whose transfer is a job."""


WORDED: Final = {"eslbridge/work/telling.py"}


def sources() -> Iterator[tuple[str, ast.Module]]:
    for package in ("eslbridge", "secretary"):
        for path in sorted((PROJECT / package).rglob("*.py")):
            name = str(path.relative_to(PROJECT))
            if not name.startswith(BENEATH):
                yield name, ast.parse(path.read_text(encoding="utf-8"))


def called(node: ast.AST) -> str:
    if not isinstance(node, ast.Call):
        return ""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def test_nobody_else_dials() -> None:
    """No other module has a channel sent somewhere or a telephone rung."""
    assert {name for name, tree in sources() if any(called(node) in DIALS for node in ast.walk(tree))} == set(ROADS)
    assert set(ROADS.values()) == {*ASKS, "secretary/conversation/session.py"}


def test_nobody_else_words_commands() -> None:
    """Commands are built beneath; telling a colleague sends a leg to an extension of our own dialplan, to no number."""
    found = {name for name, tree in sources() if any(called(node) == "Command" for node in ast.walk(tree))}
    assert found == WORDED


@pytest.mark.parametrize("name", sorted(ASKS))
def test_who_dials_asks(name: str) -> None:
    """The question stands where it is said to stand."""
    assert f"{ASKS[name]}(" in (PROJECT / name).read_text(encoding="utf-8")
