"""Deleting what callers' voices are kept in. Paths come from rows, so they are looked at before anything is touched."""

from __future__ import annotations

from pathlib import Path

import structlog
from django.conf import settings

log = structlog.get_logger(__name__)


def below(relative: str) -> Path | None:
    """The file that a row names, if it lies below DATA_DIR; symbolic links are followed before that is judged."""
    root = Path(settings.DATA_DIR).resolve()
    try:
        path = (root / relative).resolve()
    except (OSError, ValueError):
        return None
    return path if relative and path != root and path.is_relative_to(root) else None


def remove(relative: str) -> bool:
    """Delete a file. True: it is not there (any more), so its row may go. False: it is, and the row must stay."""
    path = below(relative)
    if path is None:
        if relative:
            log.error("file.outside", path=relative)
        return True  # no file of ours: nothing that could be left behind
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        log.error("file.not_removed", path=relative, error=str(error))
        return False
    return True
