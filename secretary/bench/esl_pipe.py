"""What both processes of `bench esl` share: lines of JSON in and out, limits, and the recorded channel."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import structlog
import uvloop

Answer = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]

_CHANNEL: Final = Path(__file__).parent / "data" / "channel_data.txt"


def channel_lines() -> list[str]:
    """The channel of a SIP call recorded from FreeSWITCH 1.11, line by line, `{call_uuid}` where its UUID stood."""
    return _CHANNEL.read_text().splitlines()


def raise_file_limit() -> int:
    """As many file descriptors as the system allows us; how many that is."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def serve(main: Callable[[dict[str, Any]], Awaitable[Answer]]) -> None:
    """Run one end: `main(config)` gives the function that answers each line, until the other side closes our input."""
    config = json.loads(sys.argv[1])
    if "core" in config:
        os.sched_setaffinity(0, {config["core"]})
    if "cores" in config:
        os.sched_setaffinity(0, set(config["cores"]))
    raise_file_limit()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    uvloop.run(_answer_lines(main, config))


async def _answer_lines(main: Callable[[dict[str, Any]], Awaitable[Answer]], config: dict[str, Any]) -> None:
    answer = await main(config)
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        try:
            result = await answer(json.loads(line))
        except Exception as error:
            result = {"error": repr(error)}
        sys.stdout.write(json.dumps(result) + "\n")
        sys.stdout.flush()
