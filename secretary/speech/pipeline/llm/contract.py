"""What the session knows of a language model: a conversation goes in, pieces of an answer come out.

A vendor is two pure things, a request out of a prompt and a reader of the answer's events; `stream.py` does the rest.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from secretary.speech.contract import ToolSpec


@dataclass(frozen=True, slots=True)
class Call:
    """A tool that the model wants used; `arguments` is JSON as the model wrote it."""

    call_id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Result:
    """How a call ended, in words for the model."""

    call_id: str
    text: str
    failed: bool = False


@dataclass(frozen=True, slots=True)
class FromCaller:
    text: str


@dataclass(frozen=True, slots=True)
class FromSecretary:
    """What the secretary said, and the tools it used then; every call has its result beside it."""

    text: str
    calls: tuple[Call, ...] = ()
    results: tuple[Result, ...] = ()


Message = FromCaller | FromSecretary


@dataclass(frozen=True, slots=True)
class Prompt:
    system: str
    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()


@dataclass(frozen=True, slots=True)
class Text:
    text: str


@dataclass(frozen=True, slots=True)
class Thinking:
    """A sign of life that is not for the caller: the model reasons, or writes a tool's arguments."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of the whole answer. Later ones replace earlier ones."""

    read: int = 0
    written: int = 0
    cached: int = 0
    """Of those read, how many were cheap."""


StopReason = Literal["end", "tools", "length", "refused"]


@dataclass(frozen=True, slots=True)
class Stopped:
    """The end of an answer, always the last piece."""

    reason: StopReason


Piece = Text | Thinking | Call | Usage | Stopped


class Model(Protocol):
    def answer(self, prompt: Prompt) -> AsyncGenerator[Piece, None]:
        """Raises ProviderError."""
        ...


class Reader(Protocol):
    """Of one answer's events."""

    def take(self, name: str, data: str) -> list[Piece]:
        """One server-sent event. Raises ProviderError, ValueError, KeyError, TypeError for what makes no sense."""
        ...

    def end(self) -> list[Piece]:
        """The answer's bytes are over. Raises ProviderError where more had to come."""
        ...


class Dialect(Protocol):
    """A vendor's way to say all this."""

    path: str

    def headers(self) -> Mapping[str, str]: ...

    def body(self, prompt: Prompt) -> dict[str, object]: ...

    def reader(self) -> Reader: ...


@dataclass(slots=True)
class Draft:
    """A call that is still being written."""

    call_id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)

    def done(self) -> Call:
        return Call(self.call_id, self.name, "".join(self.arguments))
