"""Long lists in pages: `limit`, `cursor`, and where to go on."""

from __future__ import annotations

from typing import Any, Final

from django.utils.translation import gettext as _

from secretary.api.problems import invalid
from secretary.selectors.keyset import Cursor, Page

DEFAULT_LIMIT: Final = 50
MAX_LIMIT: Final = 200
OLDER: Final = "o"
NEWER: Final = "n"


class CursorPages:
    """For drf-spectacular alone: the shape of a page."""

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        return []

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        cursor = {"type": ["string", "null"], "description": "Send it as `cursor`; null: there is no more."}
        return {
            "type": "object",
            "required": ["items", "next_cursor", "previous_cursor"],
            "properties": {"items": schema, "next_cursor": cursor, "previous_cursor": dict(cursor)},
        }


def edges(cursor: str) -> dict[str, Cursor]:
    """The arguments of `keyset_page` that a cursor stands for. Raises Problem for what is no cursor of ours."""
    if not cursor:
        return {}
    place = Cursor.decode(cursor[1:])
    if place is None or cursor[0] not in (OLDER, NEWER):
        raise invalid("cursor", "invalid", _("This is no cursor of this API."))
    return {"before" if cursor[0] == OLDER else "after": place}


def page_body(page: Page[Any], items: list[Any]) -> dict[str, Any]:
    return {
        "items": items,
        "next_cursor": OLDER + page.older.encode() if page.older else None,
        "previous_cursor": NEWER + page.newer.encode() if page.newer else None,
    }
