"""What a conversation asks of the rest of the platform: things kept, and things done outside the call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from secretary.conversation.actions import Line, Note


@dataclass(frozen=True, slots=True)
class Outcome:
    """How something done outside ended: `ok`, or one word for what went wrong and a sentence for the record."""

    word: str
    detail: str = ""


class CallerSide(Protocol):
    """The caller while somebody puts them through: what may be done with them meanwhile."""

    def music(self, on: bool) -> None:
        """Let them wait with music, or without."""

    async def let_go(self) -> None:
        """Be silent, and wait until the switch has written all there was: before the channel is taken from its leg."""

    async def ask(self, voice: bytes) -> bytes:
        """Play this to them (L16 8 kHz) and give what they say to it; empty where they say nothing in time."""
        ...


NOTHING_GIVEN: Final[Mapping[str, str]] = {}


class Office(Protocol):
    """One call's door to the platform. Nothing here is called per audio frame."""

    def live_line(self, line: Line) -> None:
        """Show this line to whoever is watching the call. Best effort, returns at once."""

    def live_note(self, note: Note) -> None:
        """Show this event to whoever is watching the call. Best effort, returns at once."""

    async def transfer(self, destination_uuid: str, caller: CallerSide) -> Outcome:
        """Put the caller through: `ok` when the call has left, else why they are back. Cancelled when they hang up."""
        ...

    async def run_tool(self, name: str, arguments: Mapping[str, object]) -> Outcome:
        """Run a tool that the provider called; judge its name and arguments first, both are untrusted.

        `detail` is for the model: text or JSON. Must end by itself; the conversation does not wait for ever.
        """
        ...

    async def save_message(
        self, *, text: str, audio: Path | None, complete: bool, given: Mapping[str, str] = NOTHING_GIVEN
    ) -> Outcome:
        """Store what the caller left, as far as it has come: one message for each audio path, the last call wins.

        `given` is what the caller told of themselves: `name`, `number`, `reason`, `urgency`; untrusted.
        Must not lose it: retries inside, and says in the log where the audio lies.
        """
        ...
