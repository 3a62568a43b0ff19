"""A body beyond the bound is refused before anything is done with it."""

from __future__ import annotations

from typing import Any

import pytest

from secretary.config.body_limit import BodyLimit


async def ask(pieces: list[bytes], headers: list[tuple[bytes, bytes]], most: int = 10) -> tuple[int, int]:
    """The status, and how many pieces the application has read."""
    events = [
        {"type": "http.request", "body": piece, "more_body": at < len(pieces) - 1} for at, piece in enumerate(pieces)
    ]
    read = 0
    sent: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        nonlocal read
        while (await receive())["more_body"]:
            read += 1
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def receive() -> Any:
        return events.pop(0)

    async def send(event: Any) -> None:
        sent.append(event)

    scope: Any = {"type": "http", "headers": headers}
    await BodyLimit(application, most)(scope, receive, send)
    return sent[0]["status"], read


@pytest.mark.parametrize(
    ("pieces", "headers", "status"),
    [
        ([b""], [], 200),
        ([b"12345", b"67890"], [(b"content-length", b"10")], 200),
        ([b"12345", b"678901"], [], 413),
        ([b"12345", b"678901"], [(b"content-length", b"3")], 413),
        ([b""], [(b"Content-Length", b"11")], 413),
        ([b""], [(b"content-length", b"x")], 200),
        ([b""], [(b"content-length", b"9" * 30)], 200),
    ],
)
async def test_what_is_announced_and_what_comes(pieces: list[bytes], headers: Any, status: int) -> None:
    """Both are held against the bound; a length that is no number counts for nothing, the bytes still do."""
    assert (await ask(pieces, headers))[0] == status


async def test_it_stops_reading() -> None:
    """The first piece too many is the last one that is taken."""
    assert await ask([b"x" * 6] * 100, []) == (413, 1)
