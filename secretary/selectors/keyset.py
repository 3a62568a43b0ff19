"""Pages of a long list, newest first, found by where the last one ended: the thousandth page costs what the first does,
and rows that arrive meanwhile shift nothing."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

from django.db.models import Model, Q, QuerySet

M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a list: a row's time and its UUID, which decides between rows of the same time."""

    at: datetime
    uuid: UUID

    def encode(self) -> str:
        """For an address. It tells nothing that the page does not show."""
        return base64.urlsafe_b64encode(f"{self.at.isoformat()} {self.uuid.hex}".encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str) -> Cursor | None:
        """A cursor out of an address; None for what is none."""
        if not text or len(text) > 120:
            return None
        try:
            at, uuid = (
                base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode().split(" ")
            )
            cursor = cls(datetime.fromisoformat(at), UUID(uuid))
        except (ValueError, binascii.Error):
            return None
        return cursor if cursor.at.tzinfo is not None else None


@dataclass(frozen=True, slots=True)
class Page(Generic[M]):
    """Rows, newest first, and where to go on in either direction; None where nothing is left."""

    items: list[M]
    newer: Cursor | None
    older: Cursor | None


def keyset_page(
    rows: QuerySet[M], *, at: str, before: Cursor | None = None, after: Cursor | None = None, size: int = 50
) -> Page[M]:
    """The `size` rows older than `before`, or newer than `after`, or the newest. `at` names the field of time."""
    backwards = after is not None and before is None
    edge = after if backwards else before
    if edge is not None:
        side = "gt" if backwards else "lt"
        rows = rows.filter(
            Q(**{f"{at}__{side}e": edge.at}) & (Q(**{f"{at}__{side}": edge.at}) | Q(**{f"pk__{side}": edge.uuid}))
        )
    order = (at, "pk") if backwards else (f"-{at}", "-pk")
    found = list(rows.order_by(*order)[: size + 1])
    more = len(found) > size
    items = found[:size]
    if backwards:
        items.reverse()
    if not items:
        return Page([], None, None)
    newest, oldest = (Cursor(getattr(row, at), row.pk) for row in (items[0], items[-1]))
    has_newer, has_older = (more, True) if backwards else (edge is not None, more)
    return Page(items, newest if has_newer else None, oldest if has_older else None)
