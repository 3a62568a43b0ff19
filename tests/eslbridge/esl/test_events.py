"""Events, plain and JSON, read lazily."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eslbridge.esl.errors import ProtocolError
from eslbridge.esl.events import ChannelVariables, JsonEvent, PlainEvent, channel_data, event_of, split_array
from eslbridge.esl.protocol import Message, Parser


@given(
    st.dictionaries(
        st.text("aB_-9", min_size=1, max_size=12), st.text(max_size=40) | st.lists(st.text(max_size=8), max_size=3)
    )
)
def test_json_event_reads_what_json_says(headers: dict[str, str | list[str]]) -> None:
    """Finding one key in the raw bytes gives what parsing all of it would, for any text in any value."""
    event = JsonEvent(orjson.dumps(headers))
    for name, value in headers.items():
        flat = "ARRAY::" + "|:".join(value) if isinstance(value, list) else value
        assert event.get(name) == flat
    assert event.get("no such header", "none") == "none"


@given(st.text(max_size=60))
def test_no_value_of_a_json_event_is_taken_for_a_key(text: str) -> None:
    """A value that looks like JSON cannot forge another header."""
    evil = '","Unique-ID":"victim","x":"' + text
    event = JsonEvent(orjson.dumps({"variable_sip_user_agent": evil, "list": [evil], "Unique-ID": "real"}))
    assert event.unique_id == "real"


def test_json_event_with_body_and_array() -> None:
    event = JsonEvent(
        orjson.dumps({"Event-Name": "CUSTOM", "Event-Subclass": "a::b", "x": ["1", "2"], "_body": '{"k":"v"}'})
    )
    assert (event.name, event.subclass, event.body, event.array("x")) == ("CUSTOM", "a::b", '{"k":"v"}', ("1", "2"))
    assert "_body" not in event.as_dict()


def test_json_event_that_is_not_utf8() -> None:
    """A display name in Latin-1 inside the JSON is replaced, not an error."""
    event = JsonEvent(b'{"Event-Name":"DTMF","Caller-Caller-ID-Name":"A\xe7\\u0041"}')
    assert event.get("Caller-Caller-ID-Name") == "A�A"


def test_json_event_that_is_not_json() -> None:
    with pytest.raises(ProtocolError):
        JsonEvent(b"[1]").as_dict()
    with pytest.raises(ProtocolError):
        JsonEvent(b"{").as_dict()


def test_plain_event_first_value_wins_and_undef_is_empty() -> None:
    event = PlainEvent(b"Event-Name: X\na: 1\na: 2\nempty: _undef_\n")
    assert (event.get("a"), event.get("empty", "d"), event.as_dict()["a"]) == ("1", "", "1")


def test_plain_event_body_is_raw() -> None:
    """The inner body is not URL-decoded: the audio modules' JSON arrives as it was sent."""
    event = PlainEvent(b'Event-Name: CUSTOM\nContent-Length: 9\n\n{"a%20b"}')
    assert event.body == '{"a%20b"}'


def test_arrays_of_the_plain_format() -> None:
    assert split_array("ARRAY::a|:b|:c") == ("a", "b", "c")
    assert split_array("plain") == ("plain",)
    assert PlainEvent(b"a: ARRAY%3A%3Aa%7C%3Ab").array("a") == ("a", "b")
    assert PlainEvent(b"a: b").array("c") == ()


def test_a_reply_without_a_channel_is_no_connect_reply() -> None:
    with pytest.raises(ProtocolError):
        channel_data(Message(b"Content-Type: command/reply\nReply-Text: -ERR"))


def test_other_messages_are_no_events() -> None:
    assert event_of(Message(b"Content-Type: log/data", b"x")) is None


def test_channel_variables_are_a_mapping(connect_reply: bytes) -> None:
    """By name without prefix, headers by their own name, and missing ones are missing."""
    (message,) = Parser().feed(connect_reply)
    variables = ChannelVariables(channel_data(message))
    assert variables["domain_uuid"] == "11111111-1111-1111-1111-111111111111"
    assert variables["Caller-Destination-Number"] == "8000"
    assert variables.get("nothing") is None and "nothing" not in variables
    assert "sip_user_agent" in set(variables) and len(variables) > 150
