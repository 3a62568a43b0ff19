"""What is not an address of the API, said in the API's own shape."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from rest_framework.request import Request

from secretary.api.problems import Problem
from secretary.api.view import ApiView


class Nowhere(ApiView):
    """404 for whoever it is: nothing is told of what would be there."""

    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise Problem("not_found")

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        raise Problem("not_found")
