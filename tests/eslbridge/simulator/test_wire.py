"""The switch's own protocol: encoding, segmentation, limits."""

from __future__ import annotations

import asyncio
from urllib.parse import unquote_to_bytes

from hypothesis import given
from hypothesis import strategies as st

from eslbridge.simulator import StandInSwitch, g711
from eslbridge.simulator.events import Event, url_encode
from eslbridge.simulator.peer import Command, EslPeer
from tests.eslbridge.simulator.node import Wire


@given(st.text(max_size=60).filter(lambda text: "%" not in text))
def test_url_encode_round_trip(text: str) -> None:
    """Decoding gives the value back, and nothing that could end a line is left."""
    encoded = url_encode(text)
    assert unquote_to_bytes(encoded) == text.encode("utf-8", "surrogateescape")
    assert not set(encoded) & set("\r\n :")


def test_url_encode_leaves_escapes() -> None:
    """FreeSWITCH does not encode a `%XX` that is already there: decoding is ambiguous, as callers can exploit."""
    assert url_encode("x%0Ay") == "x%0Ay"
    assert url_encode("x%0ay 100%") == "x%250ay%20100%25"


def test_event_forms() -> None:
    """Arrays, empty values and bodies in plain and JSON."""
    event = Event("X", [("Event-Name", "X"), ("Empty", ""), ("List", ["a", "b"])], body="hé\n")
    plain = event.as_plain()
    assert b"Empty: _undef_\nList: ARRAY%3A%3Aa%7C%3Ab\nContent-Length: 4\n\nh\xc3\xa9\n" in plain
    head, _, inner = plain.partition(b"\n\n")
    assert int(head.split(b"\n")[0].removeprefix(b"Content-Length: ")) == len(inner)
    assert b'"List":["a","b"]' in event.as_json()
    assert '"_body":"hé\\n"'.encode() in event.as_json()


class Recorder(EslPeer):
    """Keeps parsed commands."""

    async def handle(self, command: Command) -> None:
        raise AssertionError("not run here")


@given(st.lists(st.integers(1, 40), max_size=12))
def test_commands_in_pieces(cuts: list[int]) -> None:
    """However the stream is cut, with CRLF and blank lines before, the same commands come out."""
    raw = b"\n\r\nsendmsg\r\ncall-command: execute\r\ncontent-length: 5\r\n\r\na\n\nbcapi status\n\nexit\n\n"

    async def run() -> list[Command | None]:
        peer = Recorder()
        rest = raw
        for cut in [*cuts, len(raw)]:
            peer.data_received(rest[:cut])
            rest = rest[cut:]
        return [peer.commands.get_nowait() for _ in range(peer.commands.qsize())]

    first, second, third = asyncio.run(run())
    assert first is not None and second is not None and third is not None
    assert (first.line, first.body) == ("sendmsg", "a\n\nbc")
    assert first.headers == {"call-command": "execute", "content-length": "5"}
    assert (second.line, third.line) == ("api status", "exit")


async def test_half_a_command_holds_events(switch: StandInSwitch) -> None:
    """No event is delivered while a command is half sent; they follow when it is complete."""
    wire = await Wire.login(switch.port)
    await wire.ask("event plain CUSTOM a::b")
    wire.writer.write(b"api sta")
    await asyncio.sleep(0.05)
    other = await Wire.login(switch.port)
    await other.ask("sendevent CUSTOM\nEvent-Subclass: a::b")
    reading = asyncio.create_task(wire.read())
    await asyncio.sleep(0.1)
    assert not reading.done()
    wire.writer.write(b"tus\n\n")
    assert (await reading).kind == "api/response"
    assert (await wire.event("CUSTOM"))["Event-Subclass"] == "a::b"


async def test_a_body_too_large_ends_the_connection(switch: StandInSwitch) -> None:
    """Content-Length below 0 or above 16 MiB: notice, and closed."""
    for length in (-1, 16 * 1024 * 1024 + 1):
        wire = await Wire.login(switch.port)
        wire.send(f"sendmsg x\ncontent-length: {length}")
        await wire.until_end()
        assert len(wire.notices) == 1


async def test_long_replies_are_cut(switch: StandInSwitch) -> None:
    """A reply's text has 511 bytes at most."""
    wire = await Wire.login(switch.port)
    reply = await wire.ask("filter Name " + "x" * 600)
    assert len(reply) == 511


def test_g711_tables() -> None:
    """Every code survives decode and encode, up to the two zeros; known values of ITU-T G.711."""
    codes = bytes(range(256))
    for codec in ("PCMU", "PCMA"):
        again = g711.encode(codec, g711.decode(codec, codes))
        assert g711.decode(codec, again) == g711.decode(codec, codes)
    assert g711.decode("PCMU", b"\x00\xff\x80") == (-32124).to_bytes(2, "little", signed=True) + bytes(2) + (
        32124
    ).to_bytes(2, "little", signed=True)
    assert g711.decode("PCMA", b"\xd5") == (8).to_bytes(2, "little", signed=True)
