"""A real FreeSWITCH for the tests marked `freeswitch`, as the environment names it.

    FREESWITCH_ESL=127.0.0.1:8021:password FREESWITCH_DIAL=null/1 pytest -m freeswitch

FREESWITCH_DIAL is an endpoint that answers at once; `null/1` of mod_loopback does, so that no telephone and no dialplan
of the switch are needed. The switch must be on this machine: it reaches the test, and the test its audio, at 127.0.0.1.
Nothing of its configuration is touched; calls carry their dialplan with them.
"""

from __future__ import annotations

import asyncio
import os

import pytest

from eslbridge.esl.interface import Address
from eslbridge.esl.protocol import Parser

SWITCH = os.environ.get("FREESWITCH_ESL", "")
DIAL = os.environ.get("FREESWITCH_DIAL", "null/1")

NEEDED = [
    pytest.mark.freeswitch,
    pytest.mark.skipif(not SWITCH, reason="FREESWITCH_ESL=host:port:password names no switch"),
]


def address(password: str | None = None) -> Address:
    host, port, secret = SWITCH.split(":", 2)
    return Address(host, int(port), secret if password is None else password)


async def raw(line: str) -> str:
    """Any API command, past our own builder: only a test needs dialplans in line."""
    reader, writer = await asyncio.open_connection(address().host, address().port)
    writer.write(f"auth {address().password}\n\napi {line}\n\n".encode())
    parser, answers = Parser(), []
    async with asyncio.timeout(10):
        while not answers:
            answers = [m.text for m in parser.feed(await reader.read(65536)) if m.content_type == "api/response"]
    writer.close()
    await writer.wait_closed()
    return answers[0].strip()
