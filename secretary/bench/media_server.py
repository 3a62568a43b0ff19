"""The server of `bench media`: the audio half of a voice node, pinned to one core. Speaks JSON with `media.py`."""

from __future__ import annotations

import asyncio
import contextlib
import cProfile
import json
import os
import resource
import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import uvloop

from eslbridge.media import process
from eslbridge.media.codec import Law
from eslbridge.media.direct_udp import DirectUdpLeg
from eslbridge.media.node import MediaNode
from eslbridge.media.paced import BinaryLeg, JsonLeg
from secretary.audio.vad import VoiceActivity

from . import sounds
from .agent import Agent

_DOMAIN = "d0000000-0000-4000-8000-000000000000"


def rss_kb() -> int:
    with open("/proc/self/statm", "rb") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize() // 1024


def cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def waited_s() -> float:
    """How long the kernel has kept this thread waiting for its core."""
    with open("/proc/thread-self/schedstat", encoding="ascii") as schedstat:
        return int(schedstat.read().split()[1]) / 1e9


def core_busy_s(core: int) -> float:
    """How long the core has been busy, with whatever: /proc/stat counts in hundredths of a second."""
    with open("/proc/stat", encoding="ascii") as stat:
        for line in stat:
            if line.startswith(f"cpu{core} "):
                user, nice, system, _, _, irq, softirq, steal = map(int, line.split()[1:9])
                return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")
    return 0.0


async def ask(stdin: asyncio.StreamReader) -> dict[str, Any]:
    line = await stdin.readline()
    if not line:
        raise EOFError
    message: dict[str, Any] = json.loads(line)
    return message


def say(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


async def serve(config: dict[str, Any]) -> None:
    loop = asyncio.get_running_loop()
    stdin = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stdin), sys.stdin)
    node = MediaNode(udp=("127.0.0.1", 0), websocket=("127.0.0.1", 0))
    speech = VoiceActivity(4096) if config["vad"] else None
    if speech is not None:
        if config["thread"]:
            judge_in_thread(node, speech)
        else:
            node.clock.after_phase(speech.run)
        warm_up(speech)
    await node.start()
    voice = sounds.load("agent")
    plan = await ask(stdin)
    transport, agents, urls, legs = config["transport"], [], [], []
    if config["agent"] == "session":
        # Only here: the simple agent is measured without the product's modules in memory.
        from secretary.conversation.recording import Disk

        from . import session_agent

        disk = Disk()
    sessions: list[asyncio.Task[object]] = []
    folder = Path(tempfile.mkdtemp(prefix="bench-media-")) if config["recording"] else None
    process.tune()
    await asyncio.sleep(0.05)  # let the clock catch up with the imports before anybody is on it
    before = rss_kb()
    for n in range(plan["calls"]):
        call_uuid = f"ca110000-0000-4000-8000-{n:012d}"
        leg: Any
        if transport.startswith("direct-udp"):
            host, port = plan["addresses"][n]
            law: Law | None = "PCMU" if transport.endswith("g711") else None
            leg = DirectUdpLeg(call_uuid, (host, port), node.udp, node.clock, node.counters, law=law, lost_after_s=600)
        else:
            kind = JsonLeg if transport.endswith("json") else BinaryLeg
            leg = kind(call_uuid, node.clock, node.counters)
            token = node.tokens.issue(call_uuid=call_uuid, domain_uuid=_DOMAIN, leg=leg, now=node.now())
            urls.append(node.websocket_url(token))
        legs.append(leg)
        if config["agent"] == "session":
            assert speech is not None  # noqa: S101 - `media.py` gives it
            sessions.append(session_agent.begin(leg, speech, voice, disk, call_uuid, folder))
        else:
            agents.append(Agent(leg, speech, voice))
        # Calls do not all begin in the same instant, nor flush their recordings in the same one of each second.
        await asyncio.sleep(2.0 / plan["calls"])
    say({"udp": node.udp.address, "urls": urls})
    profile = cProfile.Profile() if config["profile"] else None
    await ask(stdin)
    if profile is not None:
        profile.enable()
    node.clock.max_lag_ms = 0.0
    node.clock.lag_histogram[:] = [0] * len(node.clock.lag_histogram)
    began, used, core, waited = loop.time(), cpu_s(), core_busy_s(config["core"]), waited_s()
    await ask(stdin)
    wall, busy, core = loop.time() - began, cpu_s() - used, core_busy_s(config["core"]) - core
    if profile is not None:
        profile.disable()
        profile.dump_stats(config["profile"])
    waited = waited_s() - waited
    after = rss_kb()
    say(
        {
            "agent": config["agent"] + ("+recording" if folder is not None else ""),
            "cpu_percent": round(100 * busy / wall, 1),
            "waited_for_core_percent": round(100 * waited / wall, 1),
            "core_used_by_others_percent": round(max(100 * (core - busy) / wall, 0.0), 1),
            "rss_mb": round(after / 1024, 1),
            "rss_per_call_kb": round((after - before) / plan["calls"], 1),
            "loop_lag_ms": {"max": round(node.clock.max_lag_ms, 2), "histogram": node.clock.lag_histogram},
        }
    )
    await ask(stdin)
    for leg in legs:
        leg.stop()
        leg.duck(0.0)
    # Whatever is still on its way in has arrived by now; from here on nothing leaves.
    await asyncio.sleep(0.1)
    frames = {"frames_in": node.counters.frames_in, "frames_out": node.counters.frames_out}
    for leg in legs:
        node.clock.remove(leg)
    say(
        frames
        | {
            "frames_skipped": node.counters.frames_skipped,
            "counters": dict(node.counters.items()),
            "interrupted": sum(agent.interrupted for agent in agents),
            "vad": {"windows": speech.windows, "judged": speech.windows_judged, "dropped": speech.frames_dropped}
            if speech is not None
            else {},
        }
    )
    with contextlib.suppress(EOFError):
        await ask(stdin)
    for session in sessions:
        session.cancel()
    await asyncio.gather(*sessions, return_exceptions=True)
    for leg in legs:
        leg.close()
    await node.stop()
    if folder is not None:
        await asyncio.to_thread(shutil.rmtree, folder)


def warm_up(speech: VoiceActivity) -> None:
    """The first batches of a session allocate; that is not a call's memory."""
    slots = [speech.open(lambda _: None) for _ in range(256)]
    voice = sounds.load("caller1")
    for frame in sounds.frames(voice)[:60]:
        for slot in slots:
            speech.feed(slot, frame)
        speech.run()
        speech.run()
    for slot in slots:
        speech.close(slot)
    speech.windows = speech.windows_judged = 0


def judge_in_thread(node: MediaNode, speech: VoiceActivity) -> None:
    """For comparison only: each phase's batch in a worker thread, one at a time."""
    pool = ThreadPoolExecutor(1)
    loop = asyncio.get_running_loop()
    running: list[Any] = []

    def hook() -> None:
        if running and not running[0].done():
            return
        running[:] = [loop.run_in_executor(pool, speech.run)]

    node.clock.after_phase(hook)


def main() -> None:
    config = json.loads(sys.argv[1])
    os.sched_setaffinity(0, {config["core"]})
    uvloop.run(serve(config))


if __name__ == "__main__":
    main()
