"""Which speech providers there are. Adding one is a folder beside this file and a line in PROVIDERS."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, Protocol

from secretary.speech.contract import Briefing, SpeechSession
from secretary.speech.local.provider import LocalProvider


class Provider(Protocol):
    """What a node keeps of one provider; its calls get sessions from it."""

    async def start(self) -> None:
        """Before the first call. Raises `ProviderError`."""

    async def prepare(self, briefing: Briefing) -> None:
        """Make ready what a call of this secretary would otherwise wait for. Idempotent; never raises."""

    def session(self, briefing: Briefing) -> SpeechSession:
        """A new session, not yet open."""
        ...

    async def close(self) -> None:
        """Release everything, within 1 s. Idempotent."""


PROVIDERS: Final[Mapping[str, Callable[[Path], Provider]]] = {"local": LocalProvider}
"""Name in `Secretary.provider` to a factory that takes the data folder."""


def create(name: str, data_dir: Path) -> Provider:
    """The provider of this name. Raises KeyError for an unknown one."""
    return PROVIDERS[name](data_dir)
