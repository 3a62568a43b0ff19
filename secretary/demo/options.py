"""What the demo can be asked for."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from secretary.demo.scenarios import SCENARIOS
from secretary.embedded.services import PROJECT

TRANSPORTS = (
    "direct-udp",
    "direct-udp-g711",
    "mod-audio-stream",
    "mod-audio-stream-binary",
    "mod-audio-stream-json",
    "mod-audio-fork",
)


@dataclass(frozen=True, slots=True)
class DemoOptions:
    once: bool
    scenario: str
    transport: str
    json: bool
    var: Path


def parse(arguments: Sequence[str]) -> DemoOptions:
    """Read the command line; wrong usage ends the process with status 2, as argparse does."""
    parser = argparse.ArgumentParser(
        prog="script/demo",
        description="Start the whole platform in this folder, call its secretary, and show the conversation.",
        epilog="Callers:\n" + "\n".join(f"  {one.name:<10} {one.says}" for one in SCENARIOS.values()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--once", action="store_true", help="end after the call; status 0 only if it went as expected")
    parser.add_argument("--scenario", choices=tuple(SCENARIOS), default="sales", help="who calls (default: sales)")
    parser.add_argument("--transport", choices=TRANSPORTS, default=TRANSPORTS[0], help="the audio leg")
    parser.add_argument("--json", action="store_true", help="print the summary as one line of JSON, last")
    parser.add_argument("--var", type=Path, default=PROJECT / "var", help="folder for everything (default: var)")
    given = parser.parse_args(arguments)
    return DemoOptions(given.once, given.scenario, given.transport, given.json, given.var.resolve())
