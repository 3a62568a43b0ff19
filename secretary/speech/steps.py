"""One step of a secretary's chain of speech providers, as a call carries it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from secretary.speech.contract import NO_ACCESS, Access
from secretary.speech.usual import model_of


@dataclass(frozen=True, slots=True)
class Step:
    """Who speaks, and how they are reached. The secret parts are never shown."""

    provider: str
    access: Access = field(default=NO_ACCESS, repr=False)
    owner: str = ""
    """The UUID of the domain's credential, `installation`, or empty where none is needed."""
    voice: str = ""
    """Instead of the secretary's; empty: the secretary's."""

    @property
    def model(self) -> str:
        """For the record and the price; empty where the provider has none to choose."""
        return model_of(self.provider, self.access)

    @property
    def patience_s(self) -> float | None:
        """How long its first sign of an answer may take, where that was said (`answer_s`)."""
        try:
            return min(MOST_PATIENCE_S, max(1.0, float(self.access.option("answer_s"))))
        except ValueError:
            return None


MOST_PATIENCE_S: Final = 15.0
LAST: Final = Step("local")
"""What every chain ends with."""


def ending_locally(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """The steps with the local secretary at the end, once."""
    last = next((step for step in steps if step.provider == LAST.provider), LAST)
    return (*(step for step in steps if step.provider != LAST.provider), last)
