"""Long lists on pages: cursors out of the address, and addresses for the neighbouring pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypedDict, TypeVar

from django.db.models import Model
from django.http import HttpRequest

from secretary.selectors.keyset import Cursor, Page

M = TypeVar("M", bound=Model)


class Cursors(TypedDict):
    before: Cursor | None
    after: Cursor | None


def cursors(request: HttpRequest) -> Cursors:
    """Where the page begins. A spoilt address shows the first page."""
    return {
        "before": Cursor.decode(request.GET.get("before", "")),
        "after": Cursor.decode(request.GET.get("after", "")),
    }


@dataclass(frozen=True, slots=True)
class PageLinks(Generic[M]):
    """A page's rows, and the query strings of its neighbours (empty where there is none), filters kept."""

    items: list[M]
    newer: str
    older: str

    @classmethod
    def of(cls, request: HttpRequest, page: Page[M]) -> PageLinks[M]:
        def link(name: str, cursor: Cursor | None) -> str:
            if cursor is None:
                return ""
            query = request.GET.copy()
            for other in ("before", "after"):
                query.pop(other, None)
            query[name] = cursor.encode()
            return query.urlencode()

        return cls(page.items, link("after", page.newer), link("before", page.older))
