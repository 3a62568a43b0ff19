"""`/livez` and `/readyz` of `web`: for a supervisor and for a proxy. They tell nothing but yes or no."""

from __future__ import annotations

import structlog
from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

log = structlog.get_logger(__name__)


@require_safe
def livez(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """The process reaches PostgreSQL and Redis: 200, else 503."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("select 1")
        cache.get("readyz")
    except Exception as error:  # whatever is wrong, the answer is the same
        log.warning("web.not_ready", error=type(error).__name__, detail=str(error)[:200])
        return HttpResponse("not ready\n", status=503, content_type="text/plain")
    return HttpResponse("ready\n", content_type="text/plain")
