"""The node of `bench turns`: media, voice activity, conversations and the OpenAI Realtime provider, on one core."""

from __future__ import annotations

import asyncio
import contextlib
import cProfile
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import django
import uvloop

from eslbridge.media import process
from eslbridge.media.direct_udp import DirectUdpLeg
from eslbridge.media.node import MediaNode
from secretary.audio.vad import VoiceActivity
from secretary.bench.media_server import ask, core_busy_s, cpu_s, rss_kb, say, waited_s, warm_up


async def serve(config: dict[str, Any]) -> None:
    # Only now: these want Django's settings.
    from secretary.bench.session_agent import NoOffice, Switch
    from secretary.conversation.recording import Disk
    from secretary.conversation.session import Session
    from secretary.conversation.state import Rules
    from secretary.speech.contract import Access, Briefing
    from secretary.speech.registry import PROVIDERS

    loop = asyncio.get_running_loop()
    stdin = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stdin), sys.stdin)
    node = MediaNode(udp=("127.0.0.1", 0), websocket=("127.0.0.1", 0))
    speech = VoiceActivity(1024)
    node.clock.after_phase(speech.run)
    warm_up(speech)
    await node.start()
    provider = PROVIDERS["openai-realtime"](Path(tempfile.mkdtemp(prefix="bench-turns-")))
    await provider.start()
    access = Access(api_key="bench", base_url=config["url"], model="gpt-realtime", guarded=False)
    disk, tasks, legs, failed = Disk(), [], [], 0
    process.tune()
    never = 24 * 3_600_000
    for n, (host, port) in enumerate(config["addresses"]):
        call_uuid = f"ca110000-0000-4000-8000-{n:012d}"
        leg = DirectUdpLeg(call_uuid, (host, port), node.udp, node.clock, node.counters, lost_after_s=600)
        legs.append(leg)
        briefing = Briefing(
            call_uuid=call_uuid,
            domain_uuid=call_uuid,
            secretary_uuid=call_uuid,
            secretary_name="Bench",
            language="en",
            voice="",
            greeting="",
            prompt="",
            instructions="Answer.",
        )
        talk = provider.session(briefing, access)
        session = Session(
            call=Switch(call_uuid),
            provider=talk,
            rules=Rules(silence_ms=never, max_call_ms=never),
            voice_activity=speech,
            office=NoOffice(),
            disk=disk,
            message_path=lambda: Path("/nonexistent"),
        )

        async def hold(session: Session = session, talk: Any = talk, leg: Any = leg) -> object:
            await talk.open(session)
            return await session.run(leg)

        tasks.append(loop.create_task(hold()))
        await asyncio.sleep(2.0 / len(config["addresses"]))
    say({"udp": node.udp.address})
    profile = cProfile.Profile() if config["profile"] else None
    await ask(stdin)
    if profile is not None:
        profile.enable()
    node.clock.max_lag_ms = 0.0
    began, used, core, waited = loop.time(), cpu_s(), core_busy_s(config["core"]), waited_s()
    await ask(stdin)
    wall, busy, core = loop.time() - began, cpu_s() - used, core_busy_s(config["core"]) - core
    if profile is not None:
        profile.disable()
        profile.dump_stats(config["profile"])
    for task in tasks:
        if task.done() and not task.cancelled() and task.exception() is not None:
            failed += 1
            sys.stderr.write(f"{task.exception()!r}\n")
        elif task.done():
            failed += 1
    say(
        {
            "cpu_percent": round(100 * busy / wall, 1),
            "waited_for_core_percent": round(100 * (waited_s() - waited) / wall, 1),
            "core_used_by_others_percent": round(max(100 * (core - busy) / wall, 0.0), 1),
            "rss_mb": round(rss_kb() / 1024, 1),
            "loop_lag_ms": round(node.clock.max_lag_ms, 2),
            "failed": failed,
        }
    )
    with contextlib.suppress(EOFError):
        await ask(stdin)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for leg in legs:
        leg.close()
    await provider.close()
    await node.stop()
    say({})


def main() -> None:
    config = json.loads(sys.argv[1])
    os.sched_setaffinity(0, {config["core"]})
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "secretary.config.settings")
    django.setup()
    uvloop.run(serve(config))


if __name__ == "__main__":
    main()
