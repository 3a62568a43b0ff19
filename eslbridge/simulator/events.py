"""Events as FreeSWITCH writes them, plain and JSON.

Encoding rules recorded from FreeSWITCH 1.11: in `text/event-plain` every value is URL-encoded (space as %20), an empty
value is `_undef_`, `%XX` with upper-case hex that is already in a value is left alone, an array is `ARRAY::a|:b`, and
the inner body follows an inner Content-Length. In JSON values are plain strings, arrays arrays, the body `_body`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

Value = str | list[str]
Headers = list[tuple[str, Value]]

_UNSAFE = re.compile(rb'%(?![0-9A-F]{2})|[\x00-\x20#&+:;<=>?@\[\\\]^`{|}"\x7f-\xff]')


def url_encode(value: str) -> str:
    """`switch_url_encode`. `surrogateescape` keeps a caller's invalid UTF-8 as the bytes it was."""
    raw = value.encode("utf-8", "surrogateescape")
    return _UNSAFE.sub(lambda match: b"%%%02X" % match.group()[0], raw).decode("ascii")


def flat(value: Value) -> str:
    """A value as FreeSWITCH stores it in one string."""
    return value if isinstance(value, str) else "ARRAY::" + "|:".join(value)


def render_headers(headers: Sequence[tuple[str, Value]]) -> bytes:
    """`Name: encoded value` lines, without the blank line that ends a block."""
    lines = []
    for name, value in headers:
        text = flat(value)
        lines.append(f"{name}: {url_encode(text) if text else '_undef_'}\n")
    return "".join(lines).encode("ascii", "surrogateescape")


@dataclass(slots=True)
class Event:
    """One event; rendered once for each format however many connections want it."""

    name: str
    headers: Headers
    subclass: str = ""
    body: str | None = None
    channel_uuid: str = ""
    _plain: bytes | None = field(default=None, repr=False)
    _json: bytes | None = field(default=None, repr=False)

    def get(self, name: str) -> str | None:
        """The first value of a header, whatever its case."""
        wanted = name.lower()
        for header, value in self.headers:
            if header.lower() == wanted:
                return flat(value)
        return None

    def rendered(self, form: str) -> bytes:
        """The whole message, frame included, in `plain` or `json`."""
        return self.as_json() if form == "json" else self.as_plain()

    def as_plain(self) -> bytes:
        if self._plain is None:
            inner = render_headers(self.headers)
            if self.body is not None:
                body = self.body.encode("utf-8", "surrogateescape")
                inner += b"Content-Length: %d\n\n" % len(body) + body
            else:
                inner += b"\n"
            self._plain = b"Content-Length: %d\nContent-Type: text/event-plain\n\n" % len(inner) + inner
        return self._plain

    def as_json(self) -> bytes:
        if self._json is None:
            fields: dict[str, Value] = dict(self.headers)
            if self.body is not None:
                fields["Content-Length"] = str(len(self.body.encode("utf-8", "surrogateescape")))
                fields["_body"] = self.body
            text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
            inner = text.encode("utf-8", "surrogateescape")
            self._json = b"Content-Length: %d\nContent-Type: text/event-json\n\n" % len(inner) + inner
        return self._json
