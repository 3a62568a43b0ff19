"""Whatever a server says while it breaks: no key, no signed address and no word of the caller is told or logged."""

from __future__ import annotations

import logging

import pytest
import structlog

from secretary.speech.contract import ProviderError
from tests.secretary.speech.realtime.ear import BRIEFING, SECRET, Ear, access
from tests.secretary.speech.realtime.test_in_conversation import KINDS, Kind

WORDS = "my number is 555 0199"
SIGNATURE = "cvtkn_secret"
OTHERS = {"think_key": f"{SECRET}-2", "speak_key": f"{SECRET}-3", "think_url": "https://llm.example/v1"}


def clean(*texts: object) -> None:
    for text in map(str, texts):
        assert SECRET not in text and "0199" not in text and SIGNATURE not in text


def kinds() -> list[object]:
    signed = Kind(KINDS["elevenlabs"].provider, KINDS["elevenlabs"].peer, {"agent_id": "a"}, KINDS["elevenlabs"].turn)
    found = [pytest.param(kind, id=name) for name, kind in KINDS.items() if name != "openai-vad"]
    return [*found, pytest.param(signed, id="elevenlabs-signed")]


@pytest.mark.parametrize("kind", kinds())
@pytest.mark.parametrize("code", [1000, 1008, 1011])
async def test_a_connection_that_ends(kind: Kind, code: int, caplog: pytest.LogCaptureFixture) -> None:
    """With each closing code, and a reason that tells everything: the conversation hears a kind and a code."""
    caplog.set_level(logging.DEBUG)
    options = kind.options | (OTHERS if "deepgram" in kind.provider.__module__ else {})
    with structlog.testing.capture_logs() as logs:
        async with kind.peer() as peer:
            session = kind.provider().session(BRIEFING, access(peer.url, **options))
            ear = Ear()
            await session.open(ear)
            peer.refuse_with = 429  # where it tries again
            await peer.close(code, f"{SECRET} {WORDS}")
            await ear.until(lambda: ear.of("failed") or ear.of("tool"))
            await session.close()
    clean(ear.of("failed"), logs, repr(session.access), repr(session))
    clean(*(record.getMessage() for record in caplog.records if not record.name.startswith("websockets.server")))


@pytest.mark.parametrize("kind", kinds())
@pytest.mark.parametrize("status", [403, 429, 500])
async def test_a_door_that_stays_closed(kind: Kind, status: int, caplog: pytest.LogCaptureFixture) -> None:
    """Neither the address nor a header is in what is said of it."""
    caplog.set_level(logging.DEBUG)
    with structlog.testing.capture_logs() as logs:
        async with kind.peer() as peer:
            peer.refuse_with = status
            session = kind.provider().session(BRIEFING, access(peer.url, **kind.options))
            with pytest.raises(ProviderError) as caught:
                await session.open(Ear())
            await session.close()
    assert caught.value.kind == {429: "rate_limited", 500: "unreachable"}.get(status, "auth")
    clean(caught.value, repr(caught.value), logs)
    clean(*(record.getMessage() for record in caplog.records if not record.name.startswith("websockets.server")))
