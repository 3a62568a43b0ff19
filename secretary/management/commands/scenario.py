"""`manage.py scenario`: rehearse calls by script, in virtual time with a stand-in provider, or with a real secretary.

manage.py scenario                                          # all of them, by stand-ins
manage.py scenario slow-tool -v 2                           # one, with its timeline
manage.py scenario --against acme.example/8001              # in real time, by its own services: costs money
manage.py scenario --against acme.example/8001 --provider openai-realtime transfer-sales cough
"""

from __future__ import annotations

import asyncio
import json
import time
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from secretary.errors import CallRefused
from secretary.scenarios import judge, virtual_time
from secretary.scenarios.against import NobodyThere, Rehearsed
from secretary.scenarios.live import Result, rehearse
from secretary.scenarios.run import Performance, play
from secretary.scenarios.script import FOLDER, Script, ScriptError, every
from secretary.speech.contract import ProviderError
from secretary.speech.registry import Providers


class Command(BaseCommand):
    help = "Rehearse calls: a caller who speaks by script, the product's own conversation, and what must hold."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("names", nargs="*", help="which ones; all where none is named")
        parser.add_argument("--folder", type=Path, default=FOLDER, help="where the YAML files are")
        parser.add_argument("--list", action="store_true", help="only say which there are")
        parser.add_argument("--json", action="store_true", help="one line of JSON for each")
        parser.add_argument(
            "--against",
            metavar="DOMAIN/EXTENSION",
            help="the secretary there takes the calls, in real time, with its own services, prompt, tools and keys",
        )
        parser.add_argument("--provider", default="", help="with --against: this service alone, not the whole chain")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            scripts = _chosen(every(options["folder"]), options["names"])
            if options["list"]:
                for script in scripts:
                    self.stdout.write(f"{script.name:32} {script.says}")
                return
            if options["against"]:
                failed = self._against(scripts, options)
            elif options["provider"]:
                raise CommandError("--provider goes with --against")
            else:
                failed = [script.name for script in scripts if not self._rehearse(script, options)]
        except ScriptError as error:
            raise CommandError(str(error)) from error
        if failed:
            raise CommandError(f"{len(failed)} of {len(scripts)} did not hold: {', '.join(failed)}")

    def _against(self, scripts: list[Script], options: dict[str, Any]) -> list[str]:
        """The names of those that did not hold. Raises CommandError where none could be judged."""
        domain, _, extension = options["against"].partition("/")
        try:
            rehearsed = Rehearsed.of(domain, extension, options["provider"])
            results = asyncio.run(self._live(scripts, rehearsed, options))
        except (NobodyThere, CallRefused, ProviderError) as error:
            raise CommandError(str(error)) from error
        if not options["json"]:
            self._table(results)
        if all(result.performance is None for result in results):
            raise CommandError("none of them could be judged: " + "; ".join(sorted({r.not_judged[0] for r in results})))
        return [result.script.name for result in results if result.failures]

    async def _live(self, scripts: list[Script], rehearsed: Rehearsed, options: dict[str, Any]) -> list[Result]:
        providers, results = Providers(settings.DATA_DIR), []
        await providers.start()
        try:
            async for result in rehearse(scripts, rehearsed, providers, options["folder"]):
                results.append(result)
                self._tell(result, options)
        finally:
            await providers.stop()
        return results

    def _tell(self, result: Result, options: dict[str, Any]) -> None:
        """One call, as soon as it is over."""
        performance = result.performance
        if options["json"]:
            summary = {"name": result.script.name} if performance is None else _summary(performance, result.failures)
            self.stdout.write(
                json.dumps(
                    summary
                    | {
                        "result": result.word,
                        "not_judged": result.not_judged,
                        "cost": round(result.cost, 6),
                        "currency": settings.CURRENCY,
                        "spoke": result.spoke,
                    }
                )
            )
            return
        if performance is None:
            self.stdout.write(f"- {result.script.name}: {result.not_judged[0]}")
            return
        mark = self.style.ERROR("✗") if result.failures else self.style.SUCCESS("✓")
        self.stdout.write(f"{mark} {result.script.name}")
        for sentence in result.failures:
            self.stdout.write(f"    {sentence}")
        for sentence in result.not_judged:
            self.stdout.write(f"    not judged: {sentence}")
        if result.failures or options["verbosity"] > 1:
            for line in timeline(performance):
                self.stdout.write(f"    {line}")

    def _table(self, results: list[Result]) -> None:
        money = settings.CURRENCY
        self.stdout.write(f"\n{'scenario':32} {'result':9} {'outcome':14} {'s':>6} {'answer ms':>9} {money:>9}  spoke")
        for result in results:
            done = result.performance
            if done is None:
                self.stdout.write(f"{result.script.name:32} {result.word}")
                continue
            answer = done.record.latency.get("response", "")
            self.stdout.write(
                f"{result.script.name:32} {result.word:9} {done.record.outcome:14} {done.took_ms / 1000:6.1f}"
                f" {answer:>9} {result.cost:9.4f}  {', '.join(result.spoke)}"
            )
        words = [result.word for result in results]
        self.stdout.write(
            f"{words.count('held')} held, {words.count('failed')} failed, {words.count('left out')} left out;"
            f" {sum(result.cost for result in results):.4f} {money} by the price list (manage.py price)"
        )

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


def _summary(performance: Performance, bad: Sequence[str]) -> dict[str, Any]:
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
