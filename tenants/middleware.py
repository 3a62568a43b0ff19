"""What every request to `web` is given before anything else looks at it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog
from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from tenants.origin import Origin, coming_from, origin_of

Answer = HttpResponseBase | Awaitable[HttpResponseBase]


class OriginMiddleware:
    """Says where the request came from, to the record of changes, to sessions and to the log. Sync and async.

    It stands outside of the sessions' middleware, because a session is written on the way out.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Answer]) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Answer:
        origin = origin_of(request)
        if iscoroutinefunction(self.get_response):
            return self.later(request, origin)
        with coming_from(origin), structlog.contextvars.bound_contextvars(request_id=origin.request_id):
            answer = self.get_response(request)
        return name_it(answer, origin) if isinstance(answer, HttpResponseBase) else answer

    async def later(self, request: HttpRequest, origin: Origin) -> HttpResponseBase:
        with coming_from(origin), structlog.contextvars.bound_contextvars(request_id=origin.request_id):
            answer = self.get_response(request)
            done = answer if isinstance(answer, HttpResponseBase) else await answer
        return name_it(done, origin)


def name_it(response: HttpResponseBase, origin: Origin) -> HttpResponseBase:
    """The answer tells its id, so that a complaint can be found in the record and the log."""
    response.headers.setdefault("X-Request-Id", origin.request_id)
    return response
