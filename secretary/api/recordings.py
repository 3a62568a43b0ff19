"""Sound over the API: the panel's player, with the API's errors."""

from __future__ import annotations

from django.http import HttpResponseBase
from rest_framework.request import Request

from secretary.api.problems import Problem
from secretary.panel.audio import play


def play_part(request: Request, path: str) -> HttpResponseBase:
    """The sound that a row names, or the part of it that was asked for. Raises Http404, Problem."""
    response = play(request._request, path)
    if response.status_code == 416:
        raise Problem("range_not_satisfiable", headers={"Content-Range": response.headers["Content-Range"]})
    return response
