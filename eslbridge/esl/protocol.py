"""The Event Socket wire, without sockets: bytes in, messages out.

A message is a block of `Name: value` lines ended by an empty line, then exactly `Content-Length` bytes if that header
is there (mod_event_socket.c, `listener_run` and `read_packet`; FreeSWITCH never sends CRLF). The block is kept as it
came: a header is looked for only when somebody asks for it, and lines are told apart before any value is decoded, so
a caller's `User-Agent: x%0AUnique-ID: victim` stays one value.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote_to_bytes

from eslbridge.esl.errors import ProtocolError

MAX_HEAD_BYTES: Final = 1024 * 1024
"""The largest header block accepted; a busy SIP call's channel data is 8 KB."""
MAX_BODY_BYTES: Final = 16 * 1024 * 1024
"""The largest body accepted: FreeSWITCH's own limit for a Content-Length."""

_CONTENT_LENGTH = re.compile(rb"^content-length:[ \t]*([^\n]*)", re.IGNORECASE | re.MULTILINE)


def find_line(block: bytes, name: bytes) -> bytes | None:
    """The raw value of the first line `name: …` in a block of lines, or None. The name's case must match."""
    if block.startswith(name + b": "):
        start = len(name) + 2
    else:
        start = block.find(b"\n" + name + b": ")
        if start < 0:
            return None
        start += len(name) + 3
    end = block.find(b"\n", start)
    return block[start:] if end < 0 else block[start:end]


def decode_value(raw: bytes) -> str:
    """A URL-encoded header value as text. Invalid UTF-8 is replaced, never an error: a phone may send anything."""
    if b"%" in raw:
        raw = unquote_to_bytes(raw)
    return raw.decode("utf-8", "replace")


def content_length(head: bytes) -> int:
    """The length of the body that follows a block, in bytes; 0 without the header. The first such header counts.

    Raises ProtocolError for a value that is no number or beyond MAX_BODY_BYTES.
    """
    if head.startswith(b"Content-Length: "):  # an event: by far the most frequent
        end = head.find(b"\n")
        raw = head[16:end] if end >= 0 else head[16:]
    else:
        found = _CONTENT_LENGTH.search(head)
        if found is None:
            return 0
        raw = found.group(1)
    raw = raw.strip()
    if not raw.isdigit() or len(raw) > 10:
        raise ProtocolError(f"Content-Length is no number: {raw[:32]!r}")
    length = int(raw)
    if length > MAX_BODY_BYTES:
        raise ProtocolError(f"a body of {length} bytes is too large")
    return length


class Message:
    """One message as it came: `head` is the block of lines (without the empty one), `body` the bytes after it."""

    __slots__ = ("body", "head")

    def __init__(self, head: bytes, body: bytes = b"") -> None:
        self.head = head
        self.body = body

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Message) and (self.head, self.body) == (other.head, other.body)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<Message {self.content_type} {len(self.head)}+{len(self.body)} bytes>"

    def raw(self, name: str) -> bytes | None:
        """The value of a framing header as sent; case-insensitive, first one wins."""
        key = name.encode()
        value = find_line(self.head, key)
        if value is None:
            found = re.search(rb"^" + re.escape(key) + rb":[ \t]*([^\n]*)", self.head, re.IGNORECASE | re.MULTILINE)
            value = found.group(1) if found else None
        return value

    def header(self, name: str) -> str:
        """A framing header as text, empty where it is missing. Not URL-decoded: only events are encoded."""
        value = self.raw(name)
        return "" if value is None else value.decode("utf-8", "replace").strip()

    @property
    def content_type(self) -> str:
        return self.header("Content-Type")

    @property
    def reply_text(self) -> str:
        """`Reply-Text` of a command/reply. Only the `connect` reply encodes it (`%2BOK%0A`)."""
        raw = self.raw("Reply-Text") or b""
        return (decode_value(raw) if raw.startswith(b"%2B") else raw.decode("utf-8", "replace")).strip()

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")

    @property
    def answer(self) -> str:
        """What a command was answered: an API command's output, or the reply. A denied API command gets a reply."""
        return self.text.strip() if self.content_type == "api/response" else self.reply_text

    @property
    def is_linger_notice(self) -> bool:
        """Whether the channel is gone while the connection stays for a last few events."""
        return self.header("Content-Disposition") == "linger"


class Parser:
    """Cuts a stream of bytes into messages, however it was chunked."""

    __slots__ = ("_buffer", "_head", "_needs", "_scanned", "failed")

    def __init__(self) -> None:
        self._buffer: bytearray | None = None
        self._head: bytes | None = None
        self._needs = 0
        self._scanned = 0
        self.failed = False

    @property
    def buffered(self) -> int:
        """Bytes held that are not a whole message yet."""
        return (len(self._buffer) if self._buffer else 0) + (len(self._head) if self._head else 0)

    def feed(self, data: bytes) -> list[Message]:
        """The messages completed by these bytes.

        Raises ProtocolError for what cannot be Event Socket; the parser refuses everything after that. Messages that
        were complete before the bad one are lost with it: the connection is to be dropped anyway.
        """
        if self.failed:
            raise ProtocolError("the stream is already broken")
        try:
            return self._cut(data)
        except ProtocolError:
            self.failed = True
            self._buffer = self._head = None
            raise

    def _cut(self, data: bytes) -> list[Message]:
        messages: list[Message] = []
        source: bytes | bytearray = data
        if self._buffer is not None:
            self._buffer += data
            source = self._buffer
        position, size = 0, len(source)
        while True:
            if self._head is None:
                while position < size and source[position] == 10:  # stray newlines between messages
                    position += 1
                    self._scanned = 0
                end = source.find(b"\n\n", position + self._scanned)
                if end < 0:
                    held = size - position
                    if held > MAX_HEAD_BYTES:
                        raise ProtocolError(f"no end of headers within {held} bytes")
                    self._scanned = max(held - 1, 0)
                    break
                if end - position > MAX_HEAD_BYTES:
                    raise ProtocolError(f"a header block of {end - position} bytes is too large")
                self._head = bytes(source[position:end])
                if b":" not in self._head:
                    raise ProtocolError(f"not a header block: {self._head[:64]!r}")
                self._needs = content_length(self._head)
                self._scanned = 0
                position = end + 2
            if size - position < self._needs:
                break
            body = bytes(source[position : position + self._needs]) if self._needs else b""
            position += self._needs
            messages.append(Message(self._head, body))
            self._head = None
        if position == size:
            self._buffer = None  # an idle connection holds no buffer at all
        elif self._buffer is None:
            self._buffer = bytearray(memoryview(data)[position:])
        elif position:
            del self._buffer[:position]
        return messages
