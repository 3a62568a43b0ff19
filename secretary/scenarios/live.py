"""Rehearse scenarios with a real secretary, one after the other, in real time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from secretary.scenarios import fair
from secretary.scenarios.against import Rehearsed
from secretary.scenarios.run import Performance, play
from secretary.scenarios.script import Script
from secretary.speech.contract import Providers


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one scenario. `performance` is None where it was left out."""

    script: Script
    performance: Performance | None = None
    failures: tuple[str, ...] = ()
    not_judged: tuple[str, ...] = ()
    """What the scenario expects and a real provider cannot be asked for, or why all of it was left out."""

    @property
    def word(self) -> str:
        """`held`, `failed` or `left out`."""
        if self.performance is None:
            return "left out"
        return "failed" if self.failures else "held"

    @property
    def cost(self) -> float:
        """In the installation's currency; 0 for what has no price."""
        return self.performance.record.cost if self.performance is not None else 0.0

    @property
    def spoke(self) -> tuple[str, ...]:
        """The providers that had the call, each with its model."""
        if self.performance is None:
            return ()
        used = self.performance.answering.chain.metered.used()
        return tuple(dict.fromkeys(" ".join(filter(None, (one.provider, one.model))) for one in used))


async def rehearse(
    scripts: Sequence[Script], rehearsed: Rehearsed, providers: Providers, folder: Path
) -> AsyncIterator[Result]:
    """Each as soon as it is over. Raises ScriptError, ProviderError."""
    secretary = rehearsed.secretary
    for script in scripts:
        try:
            asked = fair.fair(script, secretary)
        except fair.LeftOut as why:
            yield Result(script, not_judged=(str(why),))
            continue
        performance = await play(asked.script, answer=rehearsed.answer(providers), folder=folder)
        failures, not_come_about = fair.judge(performance)
        yield Result(script, performance, tuple(failures), (*asked.not_judged, *not_come_about))
