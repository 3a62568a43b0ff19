"""No request's body beyond a bound, whichever server we run under. Django keeps a whole body in a file before it looks
at the request, and so does daphne before it asks us: `webserver.py` stops it there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import orjson

MAX_BODY: Final = 33 * 1024 * 1024
"""Bytes: a little more than the largest that any view takes (the API's bulk endpoint), whose refusal says more."""

REFUSAL: Final = orjson.dumps(
    {
        "type": "/api/v1/docs#problem-too_large",
        "title": "The body is too large",
        "status": 413,
        "code": "too_large",
        "detail": f"At most {MAX_BODY} bytes.",
        "mend": "Send less at once.",
        "instance": "",
        "request_id": "",
        "errors": [],
    }
)


Scope = dict[str, Any]
Event = Mapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class TooLargeError(Exception):
    """More has come than is taken."""


class BodyLimit:
    """Wraps an ASGI application; counts what comes, whatever the request says of itself."""

    def __init__(self, application: Application, most: int = MAX_BODY) -> None:
        self.application, self.most = application, most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.application(scope, receive, send)
            return
        if _announced(scope["headers"]) > self.most:
            await _refuse(send)
            return
        come = 0

        async def counted() -> Event:
            nonlocal come
            event = await receive()
            if event["type"] == "http.request":
                come += len(event.get("body", b""))
                if come > self.most:
                    raise TooLargeError
            return event

        try:
            await self.application(scope, counted, send)
        except TooLargeError:
            # Nothing has been answered yet: Django answers when it has the whole body.
            await _refuse(send)


def _announced(headers: Any) -> int:
    """The Content-Length; 0 where there is none that is a number."""
    value = next((value for name, value in headers if name.lower() == b"content-length"), b"0")
    return int(value) if value.isdigit() and len(value) < 20 else 0


async def _refuse(send: Send) -> None:
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(REFUSAL)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": REFUSAL, "more_body": False})
