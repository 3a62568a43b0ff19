"""The demo from its first line to its last: set up, seed, call, show, stay."""

from __future__ import annotations

import io
import json
import os
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import UUID

from eslbridge.simulator import Extension
from secretary.demo.credentials import Credentials
from secretary.demo.options import DemoOptions
from secretary.demo.scenarios import SCENARIOS, Result, Scenario
from secretary.embedded import SERVERS, EmbeddedError, Stack
from secretary.embedded.profile import free_port
from secretary.embedded.progress import Progress

if TYPE_CHECKING:
    from secretary.demo.call import DemoSwitch, Placed
    from secretary.demo.screen import Screen
    from secretary.demo.summary import Summary

ROWS_S = 15.0
"""How long the node may take to write a call that has ended."""
SWITCH_PORT = 8021


def demo(options: DemoOptions) -> int:
    """Exit status 0 when the call went as its scenario expects. Raises EmbeddedError for a set-up that fails."""
    # With --json, standard output belongs to the last line: everything for people goes to standard error.
    stream = sys.stderr if options.json else sys.stdout
    progress = Progress(stream)
    folder = options.var / "demo"
    credentials = Credentials(folder / "credentials")
    with Stack(var=options.var, say=progress.say, progress=progress) as stack:
        stack.start(SERVERS)
        _step(progress, "tables", lambda: stack.manage("migrate", "--no-input"))
        _enter(stack.environment)
        import django

        django.setup()
        # Django's models can be imported from here on only.
        from secretary.demo.call import DemoSwitch
        from secretary.demo.screen import Screen
        from secretary.demo.tenants import ACME, EXTENSION, TENANTS

        screen = Screen(stream)
        switch_password = credentials.password("switch")
        with DemoSwitch(
            port=_switch_port(stack, progress), password=switch_password, transport=options.transport, phones=_phones()
        ) as switch:
            _step(progress, "tenants", lambda: _seed(options, switch.port, credentials))
            stack.start()
            for tenant in TENANTS:
                switch.install(_dialplan(tenant.domain))
            scenario = SCENARIOS[options.scenario]
            screen.say(f"\nA caller who {scenario.says} dials {EXTENSION} at {ACME.domain} ({options.transport}).\n")
            summary = _call(switch, screen, scenario, options)
            summary.write(folder / "summary.json")
            screen.outcome(summary, scenario.expects)
            screen.say(f"  Summary    {folder / 'summary.json'}\n")
            for tenant in TENANTS:
                screen.say(f"  Panel      {stack.url('web')}/   {tenant.user}   {credentials.password(tenant.user)}")
            if options.json:
                sys.stdout.write(json.dumps(summary.as_json(), ensure_ascii=False) + "\n")
                sys.stdout.flush()
            if not options.once:
                screen.say("\nEverything stays up. Ctrl-C stops it.")
                stack.wait()
                screen.say("\nStopping …")
        _close_database()
    return 0 if summary.expected else 1


def _enter(environment: dict[str, str]) -> None:
    """Make this process one of the platform's: the same servers and secrets, but only its complaints on the screen."""
    os.environ.update(environment)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "secretary.config.settings")
    os.environ["LOG_LEVEL"] = "WARNING"


def _step(progress: Progress, name: str, work: Callable[[], object]) -> None:
    begun = time.monotonic()
    progress(name, None)
    work()
    progress(name, time.monotonic() - begun)


def _switch_port(stack: Stack, progress: Progress) -> int:
    """8021 as on a real switch, or the next one that neither others nor the platform itself want."""
    own = {stack.address(name)[1] for name in ("web", "voicenode", "media", "udp")}
    port = free_port(SWITCH_PORT, avoid=own)
    if port != SWITCH_PORT:
        progress.say(f"Port {SWITCH_PORT} is in use by another program: the stand-in switch takes {port}.")
    return port


def _seed(options: DemoOptions, port: int, credentials: Credentials) -> None:
    from django.core.exceptions import ValidationError

    from secretary.demo.tenants import TENANTS, Switch, seed

    switch = Switch("127.0.0.1", port, credentials.password("switch"), options.transport)
    for tenant in TENANTS:
        try:
            seed(tenant, switch, credentials.password(tenant.user))
        except ValidationError as error:
            raise EmbeddedError(f"{tenant.domain} cannot be set up: {'; '.join(error.messages)}") from error


def _dialplan(domain: str) -> str:
    """What `manage.py dialplan` prints, so that the demo runs what an administrator would install."""
    from django.core.management import call_command

    text = io.StringIO()
    call_command("dialplan", domain, stdout=text)
    return text.getvalue()


def _phones() -> list[Extension]:
    """A telephone for every destination: they answer after a ring of one second."""
    from secretary.demo.tenants import TENANTS

    return [Extension(place.number, tenant.domain) for tenant in TENANTS for place in tenant.places]


def _call(switch: DemoSwitch, screen: Screen, scenario: Scenario, options: DemoOptions) -> Summary:
    """Place the call, show it live, and read what the platform has kept of it."""
    from secretary.demo.tenants import ACME, EXTENSION
    from tenants.selectors import find_domain

    domain = find_domain(name=ACME.domain)
    assert domain is not None  # noqa: S101 - seeded a moment ago
    stamp = time.strftime("%Y%m%d-%H%M%S")
    recording = options.var / "demo" / "recordings" / f"{stamp}-{scenario.name}.wav"
    placed = switch.place_call(ACME.domain, EXTENSION, scenario, recording, screen.live)
    return _summary(placed, domain.domain_uuid, scenario, options, str(recording))


def _summary(placed: Placed, domain_uuid: UUID, scenario: Scenario, options: DemoOptions, recording: str) -> Summary:
    from secretary.demo.summary import Line, Summary, read_call, telephone_latency
    from secretary.demo.tenants import ACME

    deadline = time.monotonic() + ROWS_S
    while (whole := read_call(domain_uuid, UUID(placed.call_uuid))) is None and time.monotonic() < deadline:
        time.sleep(0.1)
    call = whole.call if whole is not None else None
    lines = tuple(
        Line(one.who, one.text, one.start_ms, one.end_ms, one.interrupted)
        for one in (whole.utterances if whole is not None else [])
    )
    place = call.destination if call is not None else None
    destination = f"{place.name} ({place.number})" if place is not None else ""
    result = Result(
        outcome=call.outcome if call is not None else "not_recorded",
        destination=destination,
        interrupted=any(line.interrupted for line in lines if line.who == "secretary"),
        message=whole is not None and whole.message is not None,
        reached_colleague=placed.reached_colleague,
    )
    latency = {name: int(ms) for name, ms in call.latency.items()} if call is not None else {}
    return Summary(
        call_uuid=placed.call_uuid,
        domain=ACME.domain,
        secretary=call.secretary.name if call is not None and call.secretary is not None else ACME.secretary,
        scenario=scenario.name,
        transport=options.transport,
        transcript=lines,
        events=tuple((one.at_ms, one.kind) for one in (whole.events if whole is not None else [])),
        outcome=result.outcome,
        outcome_detail=call.outcome_detail if call is not None else f"hung up with {placed.hangup_cause}",
        destination=destination,
        destination_number=place.number if place is not None else "",
        recording=recording,
        latency_ms=latency | telephone_latency(placed.caller),
        result=result,
        expected=scenario.holds(result),
    )


def _close_database() -> None:
    """Give the connections back before the server goes down, so that neither side complains."""
    from django.db import connections

    for connection in connections.all(initialized_only=True):
        connection.close()
        if getattr(connection, "pool", None) is not None:
            connection.close_pool()  # type: ignore[attr-defined]
