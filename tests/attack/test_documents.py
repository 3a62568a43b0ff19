"""What the security documents point to exists: every test by its name, every file, every page."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "SECURITY.md", ROOT / "docs" / "security.md", ROOT / "docs" / "licences.md"]
TEXTS = [pytest.param(page, page.read_text(), id=page.name) for page in PAGES]


def names_in(path: Path) -> set[str]:
    """The names of the test functions of a file."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    tree = ast.parse(path.read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, functions) and node.name.startswith("test_")}


@pytest.mark.parametrize(("page", "text"), TEXTS)
def test_named_tests_exist(page: Path, text: str) -> None:
    """`folder/test_file.py::test_name`, below tests/."""
    for file, _, name in re.findall(r"`((?:\w+/)*test_\w+\.py)(::(\w+))?`", text):
        path = ROOT / "tests" / file
        assert path.is_file(), file
        assert not name or name in names_in(path), f"{file} has no {name}"


@pytest.mark.parametrize(("page", "text"), TEXTS)
def test_links_lead_somewhere(page: Path, text: str) -> None:
    """Pages that are linked, and files of the project that are named."""
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (page.parent / target).resolve().is_file(), target
    for named in re.findall(r"`((?:secretary|tenants|eslbridge)/[\w/]+\.py)`", text):
        if "/test_" not in named:
            assert (ROOT / named).is_file(), named


def test_every_done_item_says_how() -> None:
    """A row of the table has an item, one of five states, and words."""
    rows = re.findall(r"^\| (\d[^|]*) \| ([^|]*) \| ([^|]*) \|", PAGES[1].read_text(), re.MULTILINE)
    rows = [row for row in rows if re.match(r"\d+\.\d", row[0])]
    assert len(rows) > 100
    for item, state, how in rows:
        assert state in ("done", "partly", "not done", "not here", "deployment"), item
        assert len(how.strip()) > 5, item
