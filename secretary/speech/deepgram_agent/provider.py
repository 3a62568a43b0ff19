"""Deepgram's Voice Agent for one node: nothing is shared, each call has a connection of its own."""

from __future__ import annotations

from pathlib import Path

from secretary.speech.contract import Access, Briefing
from secretary.speech.deepgram_agent.session import DeepgramSession


class DeepgramAgentProvider:
    """Implements `Provider`."""

    def __init__(self, data_dir: Path | None = None) -> None:
        """The data folder is not used."""

    async def start(self) -> None: ...

    async def prepare(self, briefing: Briefing, access: Access) -> None: ...

    def session(self, briefing: Briefing, access: Access) -> DeepgramSession:
        return DeepgramSession(briefing, access)

    async def close(self) -> None: ...
