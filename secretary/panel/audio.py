"""Recordings over HTTP: whole, or the part that a player asks for (RFC 9110, section 14).

Which file is played comes from the row of a call or a message that was found inside the tenant, never from the
request; a row's path that leads outside the folder of data is refused all the same.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import BinaryIO

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.http import http_date

BLOCK = 64 * 1024
"""Bytes read at a time."""

CONTENT_TYPES = {".wav": "audio/wav", ".mp3": "audio/mpeg", ".ogg": "audio/ogg", ".opus": "audio/ogg"}

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


def stored_file(path: str) -> Path | None:
    """The file that a row names, or None where it is empty, gone, no sound, or outside the folder of data."""
    if not path or "\0" in path:
        return None
    root = Path(settings.DATA_DIR).resolve()
    file = (root / path).resolve()
    if not file.is_relative_to(root) or file.suffix.lower() not in CONTENT_TYPES or not file.is_file():
        return None
    return file


def byte_range(header: str, size: int) -> tuple[int, int] | None:
    """First and last byte (inclusive) that a Range header asks for in a file of `size` bytes.

    None: no range, or one that may be ignored (another unit, several parts, senseless). Raises ValueError where the
    range is well formed but the file has none of it (416).
    """
    found = _RANGE.fullmatch(header.strip().replace(" ", ""))
    if found is None:
        return None
    first, last = found.groups()
    if not first:
        if not last:
            return None
        if int(last) == 0 or size == 0:
            raise ValueError("The last 0 bytes were asked for.")
        return max(0, size - int(last)), size - 1
    if last and int(last) < int(first):
        return None
    if int(first) >= size:
        raise ValueError("The range begins behind the end of the file.")
    return int(first), min(int(last), size - 1) if last else size - 1


def _read(handle: BinaryIO, count: int) -> Iterator[bytes]:
    with handle:
        while count > 0:
            block = handle.read(min(BLOCK, count))
            if not block:
                return
            count -= len(block)
            yield block


async def _read_later(handle: BinaryIO, count: int) -> AsyncIterator[bytes]:
    # Under ASGI Django would read a synchronous iterator to its end before it sends the first byte.
    read = sync_to_async(handle.read, thread_sensitive=False)
    try:
        while count > 0:
            block = await read(min(BLOCK, count))
            if not block:
                return
            count -= len(block)
            yield block
    finally:
        handle.close()


def play(request: HttpRequest, path: str) -> HttpResponseBase:
    """Answer with the sound that a row names. Raises Http404 where there is none."""
    file = stored_file(path)
    if file is None:
        raise Http404
    facts = file.stat()
    tag = f'"{facts.st_mtime_ns:x}-{facts.st_size:x}"'
    headers = {
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-cache",
        "Content-Disposition": f'inline; filename="{file.name}"',
        "ETag": tag,
        "Last-Modified": http_date(facts.st_mtime),
        "X-Content-Type-Options": "nosniff",
    }
    wanted = request.headers.get("Range", "")
    condition = request.headers.get("If-Range", tag)
    try:
        part = byte_range(wanted, facts.st_size) if condition in (tag, headers["Last-Modified"]) else None
    except ValueError:
        return HttpResponse(status=416, headers={**headers, "Content-Range": f"bytes */{facts.st_size}"})
    first, last = part or (0, facts.st_size - 1)
    headers["Content-Length"] = str(last - first + 1)
    status, kind = 200 if part is None else 206, CONTENT_TYPES[file.suffix.lower()]
    if part is not None:
        headers["Content-Range"] = f"bytes {first}-{last}/{facts.st_size}"
    if request.method == "HEAD":
        return HttpResponse(headers=headers, status=status, content_type=kind)
    handle = file.open("rb")
    handle.seek(first)
    reader = _read_later if isinstance(request, ASGIRequest) else _read
    return StreamingHttpResponse(
        reader(handle, last - first + 1),
        status=status,
        content_type=kind,
        headers=headers,
    )
