"""How long a caller waits for the first word: `manage.py bench greeting <domain>`.

A stand-in switch calls a domain's extension on a voice node that runs (script/up), through the real dialplan,
PostgreSQL and speech. Measured on the switch's side, from dialling until the caller's telephone hears
the first voice: connecting, finding the secretary, taking a slot, answering, bringing the audio, the greeting.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from typing import Any, Final

from django.conf import settings

from eslbridge.dialplan import Node, Shape, render
from eslbridge.simulator import Options, StandInSwitch
from eslbridge.simulator.audio import peak
from eslbridge.simulator.phone import VOICE_PEAK, Phone
from secretary.selectors.dialplan import dialplan_of
from tenants.selectors import find_domain

PATIENCE_S: Final = 10.0
"""A greeting later than this counts as missing."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("domain", help="a domain's name, such as acme.example")
    parser.add_argument("--extension", default="8001")
    parser.add_argument("--calls", type=int, default=50)
    parser.add_argument("--rate", type=float, default=5.0, help="new calls a second")
    parser.add_argument("--json", action="store_true", help="only one line of JSON, at the end")


def run(options: dict[str, Any]) -> dict[str, Any]:
    """Place the calls and give the figures. Raises RuntimeError when there is no such domain, or nobody greets."""
    domain = find_domain(name=options["domain"])
    if domain is None:
        raise RuntimeError(f"there is no domain {options['domain']!r}")
    node = Node(settings.VOICENODE_ADVERTISED_HOST, settings.VOICENODE_ESL_BIND.port)
    xml = render(dialplan_of(domain_uuid=domain.domain_uuid, nodes=[node]), Shape.PLAIN)
    waits = asyncio.run(_call(xml, domain.name, options["extension"], int(options["calls"]), float(options["rate"])))
    heard = sorted(wait for wait in waits if wait is not None)
    if not heard:
        raise RuntimeError("no caller heard a greeting: is the voice node running, and is the extension mapped?")
    return {
        "calls": len(waits),
        "not_greeted": len(waits) - len(heard),
        "greeting_ms": {f"p{share}": _share(heard, share) for share in (50, 95, 99)} | {"max": heard[-1]},
    }


def _share(ordered: list[float], percent: int) -> float:
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


async def _call(xml: str, domain: str, extension: str, calls: int, rate: float) -> list[float | None]:
    async with StandInSwitch(Options(port=0)) as switch:
        switch.dialplan.load_xml(xml)

        async def one(delay_s: float) -> float | None:
            await asyncio.sleep(delay_s)
            return await _first_voice(switch, domain, extension)

        return await asyncio.gather(*(one(number / rate) for number in range(calls)))


async def _first_voice(switch: StandInSwitch, domain: str, extension: str) -> float | None:
    """Milliseconds from dialling to the first voice; None without one."""
    phone = Listener()
    began = time.perf_counter()
    channel = switch.place_call(domain, extension, phone)
    try:
        async with asyncio.timeout(PATIENCE_S):
            await phone.greeted.wait()
    except TimeoutError:
        return None
    finally:
        channel.phone_hung_up()
        await channel.ended.wait()
    return round((phone.greeted_at - began) * 1000, 1)


class Listener(Phone):
    """A telephone that waits for a voice."""

    def __init__(self) -> None:
        super().__init__()
        self.greeted = asyncio.Event()
        self.greeted_at = 0.0

    def hear(self, frame: bytes | None) -> None:
        if frame is not None and peak(frame) > VOICE_PEAK and not self.greeted.is_set():
            self.greeted_at = time.perf_counter()
            self.greeted.set()
