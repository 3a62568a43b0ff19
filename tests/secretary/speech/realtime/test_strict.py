"""The check of the wire can fail: what a vendor's lenient types would let through is a fault here."""

from __future__ import annotations

from typing import Any

import pytest

from tests.peers.openai_realtime import CLIENT, SERVER, OpenAIPeer
from tests.peers.strict import WireFault, fits

APPEND = {"type": "input_audio_buffer.append", "audio": "AAAA"}
ITEM = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]}
CREATE = {"type": "conversation.item.create", "item": ITEM}
UPDATE = {"type": "session.update", "session": {"type": "realtime", "audio": {"input": {"turn_detection": None}}}}


@pytest.mark.parametrize(
    "message",
    [
        {"type": "input_audio_buffer.append"},
        APPEND | {"audoi": "x"},
        {"audio": "AAAA"},
        {"type": "input_audio_buffer.add", "audio": "AAAA"},
        {"type": "conversation.item.truncate", "item_id": "i", "content_index": 0},
        {"type": "conversation.item.truncate", "item_id": "i", "content_index": 0, "audio_end_ms": "much"},
        {"type": "conversation.item.create", "item": {"type": "message", "role": "user"}},
        {"type": "conversation.item.create", "item": ITEM | {"content": [{"type": "text", "text": "Hi"}]}},
        {"type": "conversation.item.create", "item": ITEM | {"content": [{"type": "input_text", "txt": "Hi"}]}},
        {"type": "session.update", "session": {"audio": {}}},
        {"type": "session.update", "session": {"type": "realtime", "input_audio_format": "g711_ulaw"}},
        {"type": "session.update", "session": {"type": "realtime", "audio": {"input": {"format": {"type": "pcmu"}}}}},
    ],
)
def test_what_openai_does_not_know_is_a_fault(message: dict[str, Any]) -> None:
    """Missing, unknown, misspelt and mistyped fields, deep down as well."""
    with pytest.raises(WireFault):
        fits(CLIENT, message)


@pytest.mark.parametrize("message", [APPEND, CREATE, UPDATE])
def test_what_openai_knows_fits(message: dict[str, Any]) -> None:
    """And nothing else is a fault."""
    fits(CLIENT, message)


def test_a_stand_in_is_held_to_it_as_well() -> None:
    """An event without its `event_id` is none of OpenAI's."""
    with pytest.raises(WireFault):
        fits(SERVER, {"type": "input_audio_buffer.cleared"})
    fits(SERVER, {"type": "input_audio_buffer.cleared", "event_id": "e"})


async def test_a_fault_on_the_wire_fails_the_test_that_made_it() -> None:
    """A stand-in that got or gave one message that does not fit says so when it is left."""
    from websockets.asyncio.client import connect

    with pytest.raises(WireFault, match="unknown fields"):
        async with OpenAIPeer() as peer, connect(peer.url) as connection:
            await connection.send('{"type": "input_audio_buffer.clear", "now": true}')
            await peer.until(lambda: peer.received)
    with pytest.raises(WireFault, match="the stand-in sent"):
        async with OpenAIPeer() as peer, connect(peer.url) as connection:
            await connection.recv()
            await peer.send({"type": "input_audio_buffer.cleared"})
