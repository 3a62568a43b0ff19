"""Text to speech: what services are asked, and what comes of what they stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager

import numpy as np
import pytest

from secretary.speech.contract import Access, ProviderError
from secretary.speech.pipeline.pcm import FractionalResampler, Linear, Wav
from secretary.speech.pipeline.service import Clients, Service
from secretary.speech.pipeline.settings import pipeline_of
from secretary.speech.pipeline.tts.contract import Synthesiser
from secretary.speech.pipeline.tts.elevenlabs import ElevenLabsVoice
from secretary.speech.pipeline.tts.local import LocalVoice
from secretary.speech.pipeline.tts.openai import SpeechServer
from tests.peers.elevenlabs_tts import ElevenLabsPeer
from tests.peers.openai_audio import SpeechPeer, tone, wav_file
from tests.peers.web import Reply, Request, WebPeer, garbage, refuses

TEXT = "It is open until six."


@asynccontextmanager
async def voice(peer: WebPeer, **options: str) -> AsyncIterator[Synthesiser]:
    given = {"tts_url": peer.url, "tts_key": "sk-tts"} | options
    stage = pipeline_of(Access(options=tuple(given.items()), guarded=False)).tts
    clients = Clients()
    service = Service(stage, clients.take(stage))
    yield ElevenLabsVoice(service) if stage.service == "elevenlabs" else SpeechServer(service, "nova")
    await clients.close()


async def spoken(by: Synthesiser, language: str = "en", before: str = "") -> list[bytes]:
    async with aclosing(by.speak(TEXT, language=language, before=before)) as parts:
        return [part async for part in parts]


def loudest_hz(pcm: bytes) -> float:
    samples = np.frombuffer(pcm, "<i2").astype(float)
    return float(np.argmax(np.abs(np.fft.rfft(samples * np.hanning(len(samples))))) * 8000 / len(samples))


@pytest.mark.parametrize("form", ["pcm", "wav"])
@pytest.mark.parametrize("rate", [24_000, 22_050, 16_000, 44_100, 8_000])
async def test_openai(form: str, rate: int) -> None:
    """Any rate, cut anywhere: the same sound of the same length at 8,000 Hz, in parts."""
    async with SpeechPeer(rate=rate) as peer, voice(peer, tts_format=form, tts_rate=str(rate)) as server:
        parts = await spoken(server)
        assert peer.requests[0].json["voice"] == "nova"
    pcm = b"".join(parts)
    assert len(parts) >= 3 and all(part and len(part) % 2 == 0 for part in parts)
    assert len(pcm) / 16_000 == pytest.approx(len(TEXT) * 0.06, abs=0.006)
    assert loudest_hz(pcm) == pytest.approx(440, abs=2)


async def test_a_wav_that_was_not_asked_for() -> None:
    """Some servers answer with a WAV whatever they are asked: its header is believed."""
    async with SpeechPeer() as peer, voice(peer) as server:
        peer.then(garbage("application/octet-stream", wav_file(tone(1.0, 22_050), 22_050)))
        assert len(b"".join(await spoken(server))) == pytest.approx(16_000, abs=80)


@pytest.mark.parametrize("head", [b"ID3\x04", b"\xff\xfb\x90\x00", b"OggS", b"fLaC"])
async def test_a_sound_that_is_not_what_was_asked_for(head: bytes) -> None:
    """A server that gives MP3 under any name is told apart from one that gives pcm: nobody hears the noise."""

    async def compressed(request: Request, reply: Reply) -> None:
        await reply.start(200, "application/octet-stream")
        await reply.send(head + bytes(4_000))
        await reply.end()

    async with SpeechPeer() as peer, voice(peer) as speaker:
        peer.then(compressed)
        with pytest.raises(ProviderError, match="compressed sound"):
            await spoken(speaker)


async def test_the_first_sound_comes_first() -> None:
    """The beginning is there while the server still speaks."""
    async with SpeechPeer(spread_s=0.4) as peer, voice(peer) as server:
        async with aclosing(server.speak(TEXT, language="en")) as parts:
            began = asyncio.get_running_loop().time()
            assert await anext(parts)
            assert asyncio.get_running_loop().time() - began < 0.35


@pytest.mark.parametrize("form", ["ulaw_8000", "pcm_8000"])
async def test_elevenlabs(form: str) -> None:
    """Straight through at 8,000 Hz; language and what was said before go along."""
    async with (
        ElevenLabsPeer() as peer,
        voice(peer, tts="elevenlabs", tts_format=form, tts_voice_pt_br="br/1") as eleven,
    ):
        pcm = b"".join(await spoken(eleven, "pt-br", "Hello."))
        request = peer.requests[0]
    assert len(pcm) == len(tone(len(TEXT) * 0.06, 8000))
    assert request.path == "/v1/text-to-speech/br%2F1/stream" and request.headers["xi-api-key"] == "sk-tts"
    assert request.query == {"output_format": form}
    assert request.json == {
        "text": TEXT,
        "model_id": "eleven_flash_v2_5",
        "language_code": "pt",
        "previous_text": "Hello.",
    }


async def test_elevenlabs_settings() -> None:
    """Brought to what it takes."""
    async with ElevenLabsPeer() as peer, voice(peer, tts="elevenlabs", tts_speed="2", tts_stability="0.4") as eleven:
        await spoken(eleven)
        assert peer.requests[0].json["voice_settings"] == {"stability": 0.4, "speed": 1.2}


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refuses(401, {"detail": {"status": "invalid_api_key", "message": "sk-tts"}}), "auth"),
        (refuses(401, {"detail": {"status": "quota_exceeded"}}), "refused"),
        (refuses(429, {"detail": {"status": "too_many_concurrent_requests"}}), "rate_limited"),
        (garbage("application/json", b"{}"), "protocol"),
        (garbage("audio/mpeg", b"ID3"), "protocol"),
    ],
)
async def test_elevenlabs_refuses(answer: object, kind: str) -> None:
    """Its own words say more than the status; none of them is repeated."""
    async with ElevenLabsPeer() as peer, voice(peer, tts="elevenlabs") as eleven:
        peer.then(answer, answer)  # type: ignore[arg-type]
        with pytest.raises(ProviderError) as failed:
            await spoken(eleven)
    assert failed.value.kind == kind and "sk-tts" not in str(failed.value)


@pytest.mark.parametrize("language", ["en", "pt-br"])
async def test_local(language: str) -> None:
    """The node's own voice speaks without any service, and keeps nothing of what it said."""
    with ThreadPoolExecutor(1) as executor:
        parts = await spoken(LocalVoice(executor, "female"), language)
    assert 0.5 < sum(map(len, parts)) / 16_000 < 4
    with pytest.raises(ProviderError, match="local"):
        await spoken(LocalVoice(executor, "female"), language)


@pytest.mark.parametrize("rate", [11_025, 22_050, 44_100])
@pytest.mark.parametrize("size", [2, 34, 4410, 88_200])
def test_fractional_rates(rate: int, size: int) -> None:
    """However a stream is cut, the samples are the same; nothing is lost but the filter's 2 ms."""
    sound = tone(0.5, rate, 1000)
    whole = FractionalResampler(rate).push(sound)
    resampler = FractionalResampler(rate)
    pieces = [resampler.push(sound[at : at + size]) for at in range(0, len(sound), size)]
    assert b"".join(pieces) == whole
    assert len(whole) == pytest.approx(8000, abs=40)
    assert loudest_hz(whole) == pytest.approx(1000, abs=3)
    middle = np.frombuffer(whole, "<i2")[400:3600].astype(float)
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(8000 / np.sqrt(2), rel=0.01)


@pytest.mark.parametrize("rate", [22_050, 44_100])
def test_what_telephones_cannot_carry_is_filtered(rate: int) -> None:
    """6,000 Hz does not come back as a whistle at 2,000."""
    pcm = np.frombuffer(FractionalResampler(rate).push(tone(0.5, rate, 6000)), "<i2").astype(float)
    assert np.abs(pcm[200:]).max() < 80


@pytest.mark.parametrize("size", [1, 7, 44, 1000])
def test_a_wav_in_pieces(size: int) -> None:
    """Header and samples may be cut anywhere; other chunks are passed over; a made-up length does not matter."""
    sound = tone(0.1, 16_000)
    file = wav_file(sound, 16_000)
    file = file[:36] + b"LIST" + (4).to_bytes(4, "little") + b"INFO" + b"data" + b"\xff\xff\xff\xff" + sound
    wav = Wav()
    assert b"".join(wav.push(file[at : at + size]) for at in range(0, len(file), size)) == Linear(16_000).push(sound)


@pytest.mark.parametrize(
    "file",
    [
        b"<html>no</html>",
        wav_file(tone(0.1, 8000), 8000, 2),
        b"RIFF" + bytes(5000),
        wav_file(b"", 4000)[:36] + b"data" * 3,
    ],
)
def test_no_wav(file: bytes) -> None:
    """What is no 16 bit mono WAV is refused and never played as noise."""
    with pytest.raises(ProviderError):
        Wav().push(file)


async def test_options_that_do_not_fit() -> None:
    """A wrong option is named before anything is asked."""
    for options in ({"tts_format": "mp3"}, {"tts_rate": "fast"}, {"tts_speed": "9"}, {"tts_extra": "[1]"}):
        async with SpeechPeer() as peer:
            with pytest.raises(ProviderError, match="tts_"):
                async with voice(peer, **options) as server:
                    await spoken(server)
            assert not peer.requests
