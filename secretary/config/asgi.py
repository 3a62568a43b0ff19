"""The ASGI application of `web`: pages and API. Audio never comes here; the voice node serves its own sockets."""

from __future__ import annotations

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "secretary.config.settings")
http = get_asgi_application()

from channels.generic.websocket import AsyncWebsocketConsumer  # noqa: E402  (models load above)
from channels.routing import ProtocolTypeRouter  # noqa: E402

from secretary.config.body_limit import BodyLimit  # noqa: E402

NOT_FOUND = 4404


class Nowhere(AsyncWebsocketConsumer):
    """Closes a WebSocket that no route wants, instead of an exception in the log for every stranger."""

    async def connect(self) -> None:
        await self.close(code=NOT_FOUND)


application = ProtocolTypeRouter(
    {
        "http": BodyLimit(http),
        "websocket": Nowhere.as_asgi(),
    }
)
