"""`manage.py scenario`: rehearse calls by script, in virtual time with a stand-in provider."""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from secretary.scenarios import judge, virtual_time
from secretary.scenarios.run import Performance, play
from secretary.scenarios.script import FOLDER, Script, ScriptError, every


class Command(BaseCommand):
    help = "Rehearse calls: a caller who speaks by script, the product's own conversation, and what must hold."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("names", nargs="*", help="which ones; all where none is named")
        parser.add_argument("--folder", type=Path, default=FOLDER, help="where the YAML files are")
        parser.add_argument("--list", action="store_true", help="only say which there are")
        parser.add_argument("--json", action="store_true", help="one line of JSON for each")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            scripts = _chosen(every(options["folder"]), options["names"])
            if options["list"]:
                for script in scripts:
                    self.stdout.write(f"{script.name:32} {script.says}")
                return
            failed = [script.name for script in scripts if not self._rehearse(script, options)]
        except ScriptError as error:
            raise CommandError(str(error)) from error
        if failed:
            raise CommandError(f"{len(failed)} of {len(scripts)} did not hold: {', '.join(failed)}")

    def _rehearse(self, script: Script, options: dict[str, Any]) -> bool:
        began = time.monotonic()
        performance = virtual_time.run(play(script, folder=options["folder"]))
        took_s = time.monotonic() - began
        bad = judge.failures(performance)
        if options["json"]:
            self.stdout.write(json.dumps(_summary(performance, bad)))
            return not bad
        mark = self.style.SUCCESS("✓") if not bad else self.style.ERROR("✗")
        self.stdout.write(
            f"{mark} {script.name:32} {performance.record.outcome:14} "
            f"{performance.took_ms / 1000:5.1f} s in {took_s:.1f} s"
        )
        for sentence in bad:
            self.stdout.write(f"    {sentence}")
        if bad or options["verbosity"] > 1:
            for line in timeline(performance):
                self.stdout.write(f"    {line}")
        return not bad


def timeline(performance: Performance) -> list[str]:
    """What was said and what happened, in order, a line each."""
    record = performance.record
    entries = [
        (line.start_ms, f"{line.who:9} {line.text}{' [interrupted]' if line.interrupted else ''}")
        for line in record.lines
    ]
    entries += [(note.at_ms, f"          · {note.kind} {dict(note.detail) or ''}") for note in record.notes]
    return [f"{at / 1000:6.1f} {text}" for at, text in sorted(entries, key=lambda entry: entry[0])]


def _chosen(scripts: list[Script], names: list[str]) -> list[Script]:
    if unknown := sorted(set(names) - {script.name for script in scripts}):
        raise ScriptError(f"there is no scenario {', '.join(unknown)}; --list names them")
    return [script for script in scripts if not names or script.name in names]


def _summary(performance: Performance, bad: list[str]) -> dict[str, Any]:
    record = performance.record
    return {
        "name": performance.script.name,
        "held": not bad,
        "failures": bad,
        "outcome": record.outcome,
        "detail": record.detail,
        "took_ms": performance.took_ms,
        "latency_ms": record.latency,
        "transcript": [
            {"who": line.who, "text": line.text, "start_ms": line.start_ms, "end_ms": line.end_ms}
            for line in record.lines
        ],
    }
