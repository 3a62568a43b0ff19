"""A secretary's own list of public numbers: whole ones, and beginnings that end with a star."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

ENTRY: Final = re.compile(r"\+[1-9](?:[0-9]{4,14}|[0-9]{0,13}\*)")
"""`+4930123456` is that number and no other; `+4930*` is every number that begins so."""


def on_list(e164: str, entries: Iterable[str]) -> bool:
    """Whether a number, with its plus, is on the list. What is no entry lets nothing through."""
    for entry in entries:
        if ENTRY.fullmatch(entry) is None:
            continue
        if e164 == entry or (entry.endswith("*") and e164.startswith(entry[:-1])):
            return True
    return False
