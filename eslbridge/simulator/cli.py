"""The command line of the stand-in switch, shared with `manage.py standin_switch`."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import cast, get_args

from eslbridge.simulator.caller import Caller, Say, Step, WaitSilence
from eslbridge.simulator.options import Extension, ExtensionConduct, Options, StreamDialect
from eslbridge.simulator.switch import StandInSwitch


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--listen", default="127.0.0.1:8021", help="where ESL clients connect (default %(default)s)")
    parser.add_argument("--password", default="ClueCon", help="of ESL (default %(default)s)")
    parser.add_argument("--stream-dialect", choices=get_args(StreamDialect), default="community")
    parser.add_argument("--codec", choices=("PCMU", "PCMA"), default="PCMU")
    parser.add_argument(
        "--extension",
        action="append",
        default=[],
        metavar="NUMBER@DOMAIN[=CONDUCT[:SECONDS]]",
        help="a registered telephone; CONDUCT: answer (default), busy, no_answer, unregistered",
    )
    parser.add_argument("--call", metavar="NUMBER@DOMAIN", help="place calls; without it the switch only waits")
    parser.add_argument("--calls", type=int, default=1, metavar="N", help="how many at once")
    parser.add_argument("--say", action="append", default=[], metavar="WAV", help="spoken after each of her silences")
    parser.add_argument("--patience", type=float, default=30.0, metavar="SECONDS", help="then the caller hangs up")
    parser.add_argument("--record", metavar="WAV", help="stereo recording of the first call")
    parser.add_argument("--once", action="store_true", help="end when the calls have ended")


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point of `python -m eslbridge.simulator`."""
    parser = argparse.ArgumentParser(prog="python -m eslbridge.simulator", description=__doc__)
    add_arguments(parser)
    parser.add_argument("--dialplan", action="append", default=[], type=Path, metavar="XML")
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        plans = [path.read_text(encoding="utf-8") for path in given.dialplan]
        return asyncio.run(run(given, plans))
    except (OSError, ValueError) as error:
        parser.exit(1, f"{error}\n")
    except KeyboardInterrupt:
        return 130


def extension(text: str) -> Extension:
    """`1001@acme.example=busy:0.5`. Raises `ValueError`."""
    where, _, how = text.partition("=")
    number, at, domain = where.partition("@")
    conduct, _, seconds = how.partition(":")
    if not at or (conduct and conduct not in get_args(ExtensionConduct)):
        raise ValueError(f"not an extension: {text}")
    return Extension(number, domain, cast("ExtensionConduct", conduct or "answer"), float(seconds or 1.0))


def options(given: argparse.Namespace) -> Options:
    host, _, port = given.listen.rpartition(":")
    return Options(
        host=host or "127.0.0.1",
        port=int(port),
        password=given.password,
        stream_dialect=given.stream_dialect,
        codec=given.codec,
        extensions=[extension(text) for text in given.extension],
    )


async def run(given: argparse.Namespace, plans: Sequence[str]) -> int:
    """Stand in until told to stop, or with `--once` until the calls have ended."""
    switch = StandInSwitch(options(given))
    for plan in plans:
        switch.dialplan.load_xml(plan)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with switch:
        logging.getLogger("standin_switch").info(
            "Stand-in switch: ESL on %s:%d, %d extensions", switch.options.host, switch.port, len(switch.extensions)
        )
        ends = [asyncio.create_task(_call(switch, given, number)) for number in range(given.calls if given.call else 0)]
        stopped = asyncio.create_task(stop.wait())
        waited = {stopped, asyncio.create_task(_all(ends))} if given.once and ends else {stopped}
        await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        for task in (*waited, *ends):
            task.cancel()
    return 0


async def _all(tasks: Sequence[asyncio.Task[None]]) -> None:
    await asyncio.gather(*tasks)


async def _call(switch: StandInSwitch, given: argparse.Namespace, number: int) -> None:
    extension_dialled, _, domain = given.call.partition("@")
    steps: list[Step] = []
    for wav in given.say:
        steps += [WaitSilence(700), Say(wav)]
    recording = given.record if number == 0 else None
    caller = Caller(steps, patience_ms=round(given.patience * 1000), recording=recording)
    await switch.clock.sleep(number * 0.02)
    call = switch.place_call(domain, extension_dialled, caller)
    await call.ended.wait()
    logging.getLogger("standin_switch").info(
        "%s ended after %.1f s: %s; first voice %s ms, answers after %s ms",
        call.uuid,
        caller.ms / 1000,
        call.hangup_cause,
        caller.first_voice_ms,
        caller.answer_gaps_ms(),
    )
