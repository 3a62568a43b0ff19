"""The recordings as messages: what the client sent, and what FreeSWITCH 1.11 answered."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

from tests.eslbridge.simulator.node import Message

FOLDER = Path(__file__).parent / "recordings"


@dataclass
class Exchange:
    """One command of the client and everything that came before the next one."""

    sent: str
    answers: list[Message] = field(default_factory=list)


def parse(raw: bytes) -> list[Message]:
    """Every message in a stretch of the stream."""
    found = []
    while raw.strip(b"\n"):
        block, _, raw = raw.lstrip(b"\n").partition(b"\n\n")
        headers: dict[str, str] = {}
        for line in block.decode().split("\n"):
            name, _, value = line.partition(": ")
            headers.setdefault(name, value)
        length = int(headers.get("Content-Length", "0"))
        found.append(Message(headers, raw[:length]))
        raw = raw[length:]
    return found


def exchanges(name: str) -> list[Exchange]:
    """The recording, command by command; the first has an empty command (what FreeSWITCH says by itself)."""
    found = [Exchange("")]
    raw = b""
    for line in (FOLDER / name).read_text().splitlines():
        entry = json.loads(line)
        if entry["dir"] == "client":
            found[-1].answers = parse(raw)
            raw = b""
            found.append(Exchange(entry["data"].removesuffix("\n\n")))
        else:
            raw += entry["data"].encode()
    found[-1].answers = parse(raw)
    return found


_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def shape(message: Message) -> tuple[str, ...]:
    """What must be alike: kind, name, reply text, and the names of a reply's or notice's headers."""
    if message.name:
        return ("event", message.name)
    if "Event-Name" in message.headers:
        return ("connect", message.headers["Event-Name"], message.headers["Reply-Text"])
    text = _UUID.sub("<uuid>", message.headers.get("Reply-Text", ""))
    names = tuple(sorted(message.headers))
    return (message.kind, text, *names)


def header_names(message: Message) -> list[str]:
    """Names of an event's own headers, in order, without variables."""
    block = message.body.split(b"\n\n")[0].decode() if message.name else None
    lines = block.splitlines() if block is not None else [f"{name}: " for name in message.headers]
    names = [line.partition(":")[0] for line in lines]
    return [name for name in names if not name.startswith("variable_")]
