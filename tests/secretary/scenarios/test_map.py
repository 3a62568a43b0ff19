"""docs/scenarios.md says which test and scenario shows what; the names it gives are those of tests and scenarios."""

from __future__ import annotations

import re
from pathlib import Path

from secretary.scenarios.script import every

ROOT = Path(__file__).parents[3]


def test_every_name_is_somebodys() -> None:
    """A test that is renamed is renamed there, too; every scenario of the table is played."""
    table = (ROOT / "docs" / "scenarios.md").read_text(encoding="utf-8").partition("## What shows what")[2]
    rows = [line.strip("|").split("|") for line in table.splitlines() if line.startswith("|")][2:]
    files = {path: path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py")}
    named = re.findall(r"`(test_\w+)::(test_\w+)`", table)
    for file, test in named:
        assert any(path.stem == file and f"def {test}(" in text for path, text in files.items()), f"{file}::{test}"
    scenarios = {name.strip() for row in rows for name in row[2].split(",") if name.strip()}
    assert scenarios <= {script.name for script in every()}
    assert len(rows) > 30 and len(named) > 45 and len(scenarios) > 40
