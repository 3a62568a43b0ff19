"""ElevenLabs Agents for one node: nothing is shared, each call has a connection of its own."""

from __future__ import annotations

from pathlib import Path

from secretary.speech.contract import Access, Briefing
from secretary.speech.elevenlabs_agent.session import ElevenLabsSession


class ElevenLabsAgentProvider:
    """Implements `Provider`."""

    def __init__(self, data_dir: Path | None = None) -> None:
        """The data folder is not used."""

    async def start(self) -> None: ...

    async def prepare(self, briefing: Briefing, access: Access) -> None: ...

    def session(self, briefing: Briefing, access: Access) -> ElevenLabsSession:
        return ElevenLabsSession(briefing, access)

    async def close(self) -> None: ...
