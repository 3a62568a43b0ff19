"""A model behind HTTP and server-sent events, whatever its dialect."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator

import httpx

from secretary.speech.contract import ProviderError
from secretary.speech.pipeline.llm.contract import Dialect, Piece, Prompt
from secretary.speech.pipeline.service import Service
from secretary.speech.pipeline.sse import EventStream


class StreamedModel:
    """Implements `Model`."""

    def __init__(self, service: Service, dialect: Dialect) -> None:
        self._service = service
        self._dialect = dialect

    def answer(self, prompt: Prompt) -> AsyncGenerator[Piece, None]:
        stage = self._service.stage
        body = self._dialect.body(prompt) | stage.extra()

        def request() -> httpx.Request:
            url, headers = stage.at(self._dialect.path), dict(self._dialect.headers())
            return self._service.client.build_request("POST", url, headers=headers, json=body)

        return self._service.stream(request, self._parse)

    async def _parse(self, response: httpx.Response) -> AsyncIterator[Piece]:
        events, reader = EventStream(), self._dialect.reader()
        try:
            async for chunk in response.aiter_bytes():
                for event in events.feed(chunk):
                    for piece in reader.take(event.name, event.data):
                        yield piece
            for event in events.end():
                for piece in reader.take(event.name, event.data):
                    yield piece
            for piece in reader.end():
                yield piece
        except (ValueError, KeyError, TypeError, IndexError, AttributeError):
            raise ProviderError("its answer makes no sense") from None
