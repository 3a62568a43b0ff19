"""The wire: whatever the chunking, whatever the bytes."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eslbridge.esl.errors import ProtocolError
from eslbridge.esl.events import PlainEvent, channel_data, event_of
from eslbridge.esl.protocol import MAX_BODY_BYTES, MAX_HEAD_BYTES, Message, Parser
from tests.eslbridge.esl.conftest import reads

SESSIONS = [
    "esl-inbound-session",
    "esl-inbound-bad-password",
    "esl-outbound-session",
    "esl-outbound-unknown-app-hangs-up",
]


def parse(data: bytes) -> list[Message]:
    return Parser().feed(data)


@pytest.mark.parametrize("session", SESSIONS)
def test_recorded_session_is_cut_the_same_however_it_arrives(session: str) -> None:
    """Read by read, in one piece and byte by byte give the same messages, and nothing stays behind."""
    chunks = reads(session)
    stream = b"".join(chunks)
    whole = Parser()
    expected = whole.feed(stream)
    assert whole.buffered == 0
    as_read, by_byte = Parser(), Parser()
    assert [m for chunk in chunks for m in as_read.feed(chunk)] == expected
    assert [m for i in range(len(stream)) for m in by_byte.feed(stream[i : i + 1])] == expected


def test_recorded_outbound_session_holds_what_happened() -> None:
    """Every message of the recorded call is there, in order, and the body of the last notice is consumed."""
    messages = parse(b"".join(reads("esl-outbound-session")))
    kinds = [m.content_type for m in messages]
    assert kinds[0] == "command/reply" and kinds[-1] == "text/disconnect-notice"
    assert messages[-1].text.startswith("Disconnected, goodbye.")
    events = [event.name for m in messages if (event := event_of(m))]
    assert events == [
        "CHANNEL_EXECUTE", "CHANNEL_EXECUTE_COMPLETE", "CHANNEL_EXECUTE", "CHANNEL_EXECUTE_COMPLETE", "DTMF", "DTMF",
        "CHANNEL_HANGUP", "CHANNEL_UNPARK", "CHANNEL_EXECUTE_COMPLETE", "CHANNEL_STATE", "CHANNEL_STATE",
        "CHANNEL_HANGUP_COMPLETE",
    ]  # fmt: skip
    linger = next(m for m in messages if m.is_linger_notice)
    assert linger.header("Linger-Time") == "10"


def test_recorded_inbound_session_holds_what_happened() -> None:
    """Api bodies, background jobs and their bodies come out whole."""
    messages = parse(b"".join(reads("esl-inbound-session")))
    bodies = [m.text for m in messages if m.content_type == "api/response"]
    assert bodies[1] == "-ERR nonexistent_command Command not found!\n"
    jobs = [event for m in messages if (event := event_of(m)) and event.name == "BACKGROUND_JOB"]
    assert [job.body for job in jobs] == [
        "+OK 170e079c-4d6a-46d3-94a8-a2f27943a762\n",
        "-ERR NORMAL_TEMPORARY_FAILURE\n",
    ]
    assert jobs[0].get("Job-UUID") == "0f0f0f0f-1111-2222-3333-444444444444"


def test_connect_reply_without_length(connect_reply: bytes) -> None:
    """The `connect` reply is one block without Content-Length, and always encoded."""
    (message,) = parse(connect_reply)
    assert message.reply_text == "+OK"
    assert message.header("Socket-Mode") == "async"
    data = channel_data(message)
    assert data.unique_id == "c0e06181-846d-4979-91c0-29cd8b32c17d"
    assert data.get("Caller-Caller-ID-Name") == "Ação"
    assert data.array("variable_DP_MATCH") == ("8000", "8000")


def test_percent_0a_in_a_sip_header_forges_nothing(connect_reply: bytes) -> None:
    """A User-Agent of `x%0AUnique-ID: victim…` is one value: neither UUID, domain nor framing changes."""
    evil = (
        b"variable_sip_user_agent: x%0AUnique-ID: victim%0Avariable_domain_uuid: tenant-b%0AContent-Length: 9999%0A\n"
    )
    (message,) = parse(evil + connect_reply)
    data = channel_data(message)
    assert data.unique_id == "c0e06181-846d-4979-91c0-29cd8b32c17d"
    assert data.variable("domain_uuid") == "11111111-1111-1111-1111-111111111111"
    assert data.as_dict()["Unique-ID"] == data.unique_id
    assert data.variable("sip_user_agent").splitlines()[1] == "Unique-ID: victim"


def test_first_framing_header_wins() -> None:
    """A second Content-Length or Content-Type in the same block changes nothing."""
    (message,) = parse(b"Content-Type: api/response\nContent-Length: 2\nContent-Length: 9\nContent-Type: x\n\nhi")
    assert (message.content_type, message.body) == ("api/response", b"hi")


def test_framing_headers_ignore_case() -> None:
    (message,) = parse(b"content-type: api/response\ncontent-length: 2\n\nhi")
    assert (message.content_type, message.body) == ("api/response", b"hi")


def test_length_counts_bytes_not_characters() -> None:
    body = "line one ação".encode()
    (message,) = parse(b"Content-Type: api/response\nContent-Length: 15\n\n" + body)
    assert message.text == "line one ação"


def test_crlf_does_not_end_a_block() -> None:
    """FreeSWITCH never sends CRLF, so such a block stays unfinished until the limit."""
    assert parse(b"Content-Type: auth/request\r\n\r\n") == []


def test_stray_newlines_between_messages_are_skipped() -> None:
    assert len(parse(b"\n\nContent-Type: auth/request\n\n\nContent-Type: auth/request\n\n")) == 2


@pytest.mark.parametrize("value", [b"-1", b"abc", b"1e3", b"", b"99999999999", str(MAX_BODY_BYTES + 1).encode()])
def test_bad_length_is_an_error(value: bytes) -> None:
    """A negative, unreadable or huge Content-Length ends the stream, and it stays ended."""
    parser = Parser()
    with pytest.raises(ProtocolError):
        parser.feed(b"Content-Type: api/response\nContent-Length: " + value + b"\n\n")
    with pytest.raises(ProtocolError):
        parser.feed(b"Content-Type: auth/request\n\n")


def test_endless_headers_are_an_error() -> None:
    parser = Parser()
    with pytest.raises(ProtocolError):
        for _ in range(MAX_HEAD_BYTES // 65536 + 1):
            parser.feed(b"a" * 65536)


def test_a_block_that_is_no_header_is_an_error() -> None:
    with pytest.raises(ProtocolError):
        parse(b"GET / HTTP/1.1\n\n")


def test_idle_parser_holds_no_buffer(connect_reply: bytes) -> None:
    """Between messages nothing is held: that is what thousands of idle calls cost."""
    parser = Parser()
    parser.feed(connect_reply)
    assert parser.buffered == 0


names = st.text("ABCdef-_", min_size=1, max_size=12).filter(lambda n: n.lower() != "content-length")
values = st.text(st.characters(exclude_characters="\n\r", codec="utf-8"), max_size=40)
blocks = st.tuples(st.dictionaries(names, values, min_size=1, max_size=5), st.binary(max_size=300))


@given(st.lists(blocks, max_size=6), st.lists(st.integers(0, 2000), max_size=12))
def test_any_chunking_gives_the_same_messages(sent: list[tuple[dict[str, str], bytes]], cuts: list[int]) -> None:
    """Round trip: what was framed is what comes out, wherever the stream is cut."""
    stream = b""
    for headers, body in sent:
        lines = [f"{name}: {value}" for name, value in headers.items()] + [f"Content-Length: {len(body)}"]
        stream += "\n".join(lines).encode() + b"\n\n" + body
    edges = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    parser = Parser()
    got = [m for start, end in pairwise(edges) for m in parser.feed(stream[start:end])]
    assert [m.body for m in got] == [body for _, body in sent]
    for message, (headers, _) in zip(got, sent, strict=True):
        for name, value in headers.items():
            assert message.raw(name) == value.encode()
    assert parser.buffered == 0


@given(st.lists(st.binary(max_size=400), max_size=8))
def test_garbage_never_does_worse_than_a_protocol_error(chunks: list[bytes]) -> None:
    parser = Parser()
    try:
        for chunk in chunks:
            for message in parser.feed(chunk):
                _ = (message.content_type, message.reply_text, message.text, event_of(message))
    except ProtocolError:
        assert parser.failed


@given(
    st.dictionaries(st.text("abcXYZ_-", min_size=1, max_size=10), st.text(max_size=40), max_size=6),
    st.text(max_size=60),
)
def test_plain_event_round_trip(headers: dict[str, str], body: str) -> None:
    """A plain event's values and body survive FreeSWITCH's URL encoding, newlines included."""
    from urllib.parse import quote

    lines = [f"{name}: {quote(value, safe='') or '_undef_'}" for name, value in headers.items()]
    raw = body.encode()
    block = "\n".join([*lines, f"Content-Length: {len(raw)}"]).encode() + b"\n\n" + raw
    event = PlainEvent(block)
    for name, value in headers.items():
        assert event.get(name) == value
    assert event.body == body
    assert event.get("missing", "x") == "x"
