"""What the pipeline itself costs: `python -m tests.secretary.speech.pipeline.measure [turns]`.

Stand-ins on loopback, in the same process, with known delays. Added is what the caller waits beyond those, from the end
of the turn to the first voice; the stand-ins' own work is in it.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path
from statistics import median, quantiles

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from secretary.speech.contract import Access  # noqa: E402
from secretary.speech.pipeline.provider import PipelineProvider  # noqa: E402
from tests.peers.anthropic_messages import MessagesPeer  # noqa: E402
from tests.peers.deepgram_listen import DeepgramPeer  # noqa: E402
from tests.peers.elevenlabs_tts import ElevenLabsPeer  # noqa: E402
from tests.peers.openai_audio import SpeechPeer, TranscriptionPeer  # noqa: E402
from tests.peers.openai_chat import ChatPeer  # noqa: E402
from tests.secretary.speech.pipeline.conftest import ACME, FRAME, Listener  # noqa: E402

HEARS_S, THINKS_S, SPEAKS_S = 0.10, 0.15, 0.10
PIECES = ("Of course, ", "one moment. ", "I will see who is there.")
SECONDS = 3
"""Of the caller's turn."""


async def turns(count: int, deepgram: bool, hosted: bool) -> None:
    async with (
        TranscriptionPeer() as stt,
        DeepgramPeer(["I would like to speak to sales."] * count, delay_s=HEARS_S) as dg,
        ChatPeer() as chat,
        MessagesPeer() as claude,
        SpeechPeer(first_s=SPEAKS_S) as speech,
        ElevenLabsPeer(first_s=SPEAKS_S) as eleven,
    ):
        options = {"stt_url": stt.url, "llm_url": chat.url, "tts_url": speech.url}
        if deepgram:
            options |= {"stt": "deepgram", "stt_url": dg.url}
        if hosted:
            options |= {"llm": "anthropic", "llm_url": claude.url, "tts": "elevenlabs", "tts_url": eleven.url}
        provider = PipelineProvider(Path(tempfile.mkdtemp()))
        session = provider.session(ACME, Access(options=tuple(options.items()), guarded=False))
        listener = Listener()
        await session.open(listener)
        loop = asyncio.get_running_loop()
        added, processor, stops = [], [], []
        for n in range(count + 5):
            stt.then(stt.hears("I would like to speak to sales.", HEARS_S))
            chat.then(chat.says(*PIECES, delay_s=THINKS_S))
            claude.then(claude.says(*PIECES, delay_s=THINKS_S))
            listener.forget()
            session.turn_started()
            for _ in range(50 * SECONDS):
                session.hear(FRAME)
            await asyncio.sleep(0.02)
            began, used = loop.time(), time.process_time()
            session.turn_ended(FRAME * 50 * SECONDS)
            await listener.until_finished()
            if n >= 5:  # connections and types are ready by then
                added.append((listener.times["voice"] - began - HEARS_S - THINKS_S - SPEAKS_S) * 1000)
                processor.append((time.process_time() - used) * 1000)
            before = time.perf_counter()
            session.interrupted(next(iter(listener.said)), "Of course,", 400)
            stops.append((time.perf_counter() - before) * 1e6)
        await session.close()
        await provider.close()
    name = f"{'Deepgram' if deepgram else 'transcription'} + {'Anthropic + ElevenLabs' if hosted else 'chat + speech'}"
    print(
        f"{name:42} added p50 {median(added):5.1f} ms  p95 {quantiles(added, n=20)[-1]:5.1f} ms   "
        f"processor {median(processor):4.1f} ms a turn   interrupted() {median(stops):4.0f} µs"
    )


async def frames() -> None:
    async with DeepgramPeer() as dg:
        for name, options in (("transcription", {}), ("Deepgram", {"stt": "deepgram", "stt_url": dg.url})):
            provider = PipelineProvider(Path(tempfile.mkdtemp()))
            session = provider.session(ACME, Access(options=tuple(options.items()), guarded=False))
            await session.open(Listener())
            for what in ("between turns", "within a turn"):
                if what == "within a turn":
                    session.turn_started()
                spent = 0.0
                for _ in range(200):
                    began = time.perf_counter()
                    for _ in range(50):
                        session.hear(FRAME)
                    spent += time.perf_counter() - began
                    await asyncio.sleep(0)
                print(f"hear(), {name}, {what}: {spent / 10_000 * 1e6:.2f} µs a frame")
            used = time.process_time()
            for n in range(3_000):
                session.hear(FRAME)
                if n % 3 == 2:
                    await asyncio.sleep(0)
            await asyncio.sleep(0.05)
            print(f"a frame all in, {name}: {(time.process_time() - used) / 3_000 * 1e6:.1f} µs of processor time")
            await session.close()
            await provider.close()


async def crowd(calls: int, rounds: int = 4) -> None:
    """So many calls at once, each with a turn every 6 s on average."""
    async with DeepgramPeer(["Sales, please."] * calls * rounds, delay_s=HEARS_S) as dg, ChatPeer() as chat:
        async with SpeechPeer(first_s=SPEAKS_S) as speech:
            chat.then(*[chat.says(*PIECES, delay_s=THINKS_S)] * calls * rounds)
            options = {"stt": "deepgram", "stt_url": dg.url, "llm_url": chat.url, "tts_url": speech.url}
            provider = PipelineProvider(Path(tempfile.mkdtemp()))
            loop, added = asyncio.get_running_loop(), []

            async def call(number: int) -> None:
                session = provider.session(ACME, Access(options=tuple(options.items()), guarded=False))
                listener = Listener()
                await session.open(listener)
                await asyncio.sleep(6 * number / calls)
                for n in range(rounds):
                    next_at = loop.time() + 6
                    listener.forget()
                    session.turn_started()
                    for _ in range(50):
                        session.hear(FRAME)
                        await asyncio.sleep(0.02)
                    began = loop.time()
                    session.turn_ended(FRAME * 50)
                    await listener.until_finished()
                    if n:
                        added.append((listener.times["voice"] - began - HEARS_S - THINKS_S - SPEAKS_S) * 1000)
                    await asyncio.sleep(max(0.0, next_at - loop.time()))
                await session.close()

            used, began = time.process_time(), time.monotonic()
            await asyncio.gather(*(call(number) for number in range(calls)))
            share = (time.process_time() - used) / (time.monotonic() - began) * 100
            await provider.close()
    late = quantiles(added, n=20)[-1]
    print(f"{calls} calls: added p50 {median(added):.1f} ms  p95 {late:.1f} ms  {share:.0f} % of a core")


async def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    for deepgram, hosted in ((False, False), (True, False), (False, True), (True, True)):
        await turns(count, deepgram, hosted)
    await frames()
    await crowd(100)


if __name__ == "__main__":
    asyncio.run(main())
