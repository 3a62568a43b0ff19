"""Events, read lazily: an event of 7 KB costs a few `bytes.find` unless somebody wants all of it.

Two formats, one interface. *json* is what we subscribe to: its strings cannot forge one another. *plain* is what the
`connect` reply always is, with URL-encoded values; lines are split first and only the value asked for is decoded.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

import orjson

from eslbridge.esl.errors import ProtocolError
from eslbridge.esl.protocol import Message, content_length, decode_value, find_line

_ARRAY = "ARRAY::"


def split_array(value: str) -> tuple[str, ...]:
    """The elements of FreeSWITCH's `ARRAY::a|:b`; a value that is no array is its only element."""
    return tuple(value[len(_ARRAY) :].split("|:")) if value.startswith(_ARRAY) else (value,)


class Event:
    """Something FreeSWITCH reports. Every value came with a call: untrusted text."""

    __slots__ = ("_name",)

    def __init__(self) -> None:
        self._name: str | None = None

    @property
    def name(self) -> str:
        """`Event-Name`, such as CHANNEL_HANGUP or CUSTOM."""
        if self._name is None:
            self._name = self.get("Event-Name")
        return self._name

    @property
    def subclass(self) -> str:
        """`Event-Subclass` of a CUSTOM event, such as mod_audio_stream::play."""
        return self.get("Event-Subclass")

    @property
    def unique_id(self) -> str:
        """The channel's UUID."""
        return self.get("Unique-ID")

    @property
    def body(self) -> str:
        """The event's own body (the result of a background job, the text of an audio module), empty without one."""
        raise NotImplementedError

    def get(self, name: str, default: str = "") -> str:
        """One header, decoded; the first one if a name is repeated. An array is given as `ARRAY::a|:b`."""
        raise NotImplementedError

    def as_dict(self) -> dict[str, str]:
        """Every header, decoded. Costs 40 to 110 us for 7 KB: not for every event."""
        raise NotImplementedError

    def variable(self, name: str, default: str = "") -> str:
        """A channel variable."""
        return self.get(f"variable_{name}", default)

    def array(self, name: str) -> tuple[str, ...]:
        """The elements of an array header; empty where the header is missing."""
        value = self.get(name, "\0")
        return () if value == "\0" else split_array(value)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name} {self.subclass or self.unique_id}>"


class PlainEvent(Event):
    """An event of `text/event-plain`, or the `connect` reply: lines with URL-encoded values."""

    __slots__ = ("_body", "_lines", "block")

    def __init__(self, block: bytes) -> None:
        super().__init__()
        self.block = block
        end = block.find(b"\n\n")
        self._lines = block if end < 0 else block[:end]
        self._body = b"" if end < 0 else block[end + 2 :]

    def get(self, name: str, default: str = "") -> str:
        raw = find_line(self._lines, name.encode())
        if raw is None:
            return default
        return "" if raw == b"_undef_" else decode_value(raw)

    def as_dict(self) -> dict[str, str]:
        headers: dict[str, str] = {}
        for line in self._lines.split(b"\n"):
            name, colon, value = line.partition(b": ")
            if colon:
                headers.setdefault(name.decode("utf-8", "replace"), "" if value == b"_undef_" else decode_value(value))
        return headers

    @property
    def body(self) -> str:
        # The inner length counts the body only. It is the last inner header, and no value can hold a raw newline.
        if not self._body:
            return ""
        return self._body[: content_length(self._lines)].decode("utf-8", "replace")


class JsonEvent(Event):
    """An event of `text/event-json`."""

    __slots__ = ("_raw",)

    def __init__(self, raw: bytes) -> None:
        super().__init__()
        self._raw = raw

    def get(self, name: str, default: str = "") -> str:
        # A quote inside a JSON string is always escaped, so `"name":"` can only be a key with a string after it.
        key = b'"' + name.encode() + b'":"'
        start = self._raw.find(key)
        if start < 0:
            value = self._load().get(name, default) if f'"{name}"'.encode() in self._raw else default
            return _flat(value)
        start += len(key)
        end = self._raw.find(b'"', start)
        text = self._raw[start:end]
        if b"\\" in text or end < 0:
            return _flat(self._load().get(name, default))
        return text.decode("utf-8", "replace")

    def _load(self) -> dict[str, Any]:
        try:
            loaded = orjson.loads(self._raw)
        except orjson.JSONDecodeError:
            # A phone may send a name that is not UTF-8, which FreeSWITCH passes on inside its JSON.
            try:
                loaded = orjson.loads(self._raw.decode("utf-8", "replace"))
            except orjson.JSONDecodeError as error:
                raise ProtocolError(f"an event that is not JSON: {error}") from error
        if not isinstance(loaded, dict):
            raise ProtocolError("an event that is not a JSON object")
        return loaded

    def as_dict(self) -> dict[str, str]:
        return {name: _flat(value) for name, value in self._load().items() if name != "_body"}

    @property
    def body(self) -> str:
        return self.get("_body")


def _flat(value: object) -> str:
    if isinstance(value, list):
        return _ARRAY + "|:".join(str(element) for element in value)
    return str(value)


def event_of(message: Message) -> Event | None:
    """The event inside a message, or None where the message is something else.

    The `connect` reply is a command/reply, but its block is a CHANNEL_DATA event: see `channel_data`.
    """
    kind = message.content_type
    if kind == "text/event-json":
        return JsonEvent(message.body)
    if kind == "text/event-plain":
        return PlainEvent(message.body)
    return None


def channel_data(message: Message) -> PlainEvent:
    """The channel as the `connect` reply describes it. Raises ProtocolError for a reply that is no channel's."""
    event = PlainEvent(message.head)
    if not event.unique_id:
        raise ProtocolError("the reply to connect names no channel")
    return event


class ChannelVariables(Mapping[str, str]):
    """Channel data by name without the `variable_` prefix; a header such as `Caller-Caller-ID-Number` by its own name.

    Decoded on request. Untrusted text: it came with the call.
    """

    __slots__ = ("_data",)

    def __init__(self, data: Event) -> None:
        self._data = data

    def __getitem__(self, name: str) -> str:
        value = self._data.get(f"variable_{name}", "\0")
        if value == "\0":
            value = self._data.get(name, "\0")
        if value == "\0":
            raise KeyError(name)
        return value

    def _names(self) -> dict[str, str]:
        data = self._data.as_dict()
        named = {name.removeprefix("variable_"): value for name, value in data.items() if name.startswith("variable_")}
        return {**data, **named}

    def __iter__(self) -> Any:
        return (name for name in self._names() if not name.startswith("variable_"))

    def __len__(self) -> int:
        return sum(1 for _ in self)


class PackedEvent(Event):
    """A plain event kept small: 7.4 KB of channel data become 2 KB, unpacked in some 20 us when somebody asks.

    For the thousands of calls whose data is read once, at the start, and then only kept.
    """

    __slots__ = ("_packed",)

    def __init__(self, event: PlainEvent) -> None:
        super().__init__()
        self._packed = zlib.compress(event.block, 6)

    def _unpack(self) -> PlainEvent:
        return PlainEvent(zlib.decompress(self._packed))

    def get(self, name: str, default: str = "") -> str:
        return self._unpack().get(name, default)

    def as_dict(self) -> dict[str, str]:
        return self._unpack().as_dict()

    @property
    def body(self) -> str:
        return self._unpack().body
