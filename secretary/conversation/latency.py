"""How long each stage of a conversation took, in ms: small lists while the call lives, a summary when it ends."""

from __future__ import annotations

from statistics import median

MOST_TURNS = 500
"""Bound on the figures kept for one stage of one call; later ones are dropped, the summary says how many were kept."""


class Latency:
    """Figures by stage.

    Stages: `greeting` (switch connected → first voice queued), `end_of_turn` (caller's last sound → turn decided),
    `understanding` (turn decided → caller's words known), `answer` (turn decided → first voice queued),
    `response` (caller's last sound → first voice queued), `stop` (caller's onset → voice stopped).
    """

    def __init__(self) -> None:
        self._stages: dict[str, list[int]] = {}

    def add(self, stage: str, ms: int) -> None:
        values = self._stages.setdefault(stage, [])
        if len(values) < MOST_TURNS:
            values.append(max(ms, 0))

    def summary(self) -> dict[str, int]:
        """Per stage the median, and where there was more than one turn also the worst as `<stage>_max`, in ms."""
        figures: dict[str, int] = {}
        for stage, values in self._stages.items():
            figures[stage] = round(median(values))
            if len(values) > 1:
                figures[f"{stage}_max"] = max(values)
        return figures
