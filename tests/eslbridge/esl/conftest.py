"""What was recorded from FreeSWITCH 1.11, as bytes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

RECORDINGS = Path(__file__).parent / "recordings"


def reads(name: str, direction: str = "fs") -> list[bytes]:
    """What one side sent, read by read, as it came off the socket."""
    lines = (json.loads(line) for line in (RECORDINGS / f"{name}.jsonl").read_text().splitlines())
    return [line["data"].encode() for line in lines if line["dir"] == direction and line["data"]]


@pytest.fixture
def recording() -> Callable[..., list[bytes]]:
    return reads


@pytest.fixture
def connect_reply() -> bytes:
    """The reply to `connect` of a real SIP call: 7.4 KB."""
    return reads("esl-outbound-session")[0]
