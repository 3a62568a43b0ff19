"""ETag and If-Match: nobody's work is overwritten unseen.

An object's ETag is the time of its last change, to the microsecond. `PATCH` and `DELETE` must say which version they
mean (or `*`, any). `PUT` says the whole object, which is what provisioning wants to do again and again: without a
condition it makes or replaces, with `If-Match` it replaces that version, with `If-None-Match: *` it only makes.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from rest_framework.request import Request

from secretary.api.problems import Problem

ANY: Final = "*"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e]*)"')


class Changing(Protocol):
    """A row that knows when it was last changed."""

    updated_at: datetime


def etag_of(row: Changing) -> str:
    return f'"{(row.updated_at - _EPOCH) // timedelta(microseconds=1):x}"'


def parse_tags(header: str, *, weak: bool) -> frozenset[str] | None:
    """The entity tags of a header, quoted; None for `*`. Weak ones count only where `weak` (RFC 9110, 8.8.3.2)."""
    if header.strip() == ANY:
        return None
    return frozenset(f'"{tag}"' for lead, tag in _TAG.findall(header) if weak or not lead)


def check_match(request: Request, row: Changing | None, *, required: bool) -> None:
    """Hold `If-Match` and `If-None-Match` against what is there. Raises Problem: 412, 428."""
    match, none_match = request.headers.get("If-Match"), request.headers.get("If-None-Match")
    if match is not None:
        tags = parse_tags(match, weak=False)
        if row is None or (tags is not None and etag_of(row) not in tags):
            raise Problem("precondition_failed")
    elif required:
        raise Problem("precondition_required")
    if none_match is not None and row is not None:
        tags = parse_tags(none_match, weak=True)
        if tags is None or etag_of(row) in tags:
            raise Problem("precondition_failed")


def not_modified(request: Request, row: Changing) -> bool:
    """Whether the client has this version already (`If-None-Match` of a GET)."""
    header = request.headers.get("If-None-Match")
    if header is None:
        return False
    tags = parse_tags(header, weak=True)
    return tags is None or etag_of(row) in tags
