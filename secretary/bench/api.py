"""How fast the REST API is: `manage.py bench api`.

A database of its own beside the configured one (the role needs CREATEDB, as under `python -m secretary.embedded run`),
one `daphne` process as in production, and a client in this process, over real HTTP on the loopback interface; both on
the first `--cores` cores, PostgreSQL and Redis wherever they are. It provisions all domains through the bulk endpoint,
fills the tables with calls, and then reads.

`secretaries_per_s` counts from the first request to the last answer, extensions, destinations and credentials
included. `read_ms` are single objects and `list_ms` pages of 50 (calls of a domain, filtered and far down, and all
other lists, also by filters that few rows or none pass), each in random domains, one request at a time on a kept
connection: milliseconds from the request to the last byte of the answer.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final
from uuid import UUID

from secretary.bench.api_database import ScratchDatabase
from secretary.bench.api_server import Server, WebClient

SEED: Final = 20_261
READS: Final = ("secretaries", "destinations", "calls", "extensions", "messages", "callbacks", "jobs")
LISTS: Final = (
    "secretaries", "destinations", "messages", "messages?read=false", "callbacks", "callbacks?state=done", "jobs",
    "jobs?kind=originate", "dials", "dials?allowed=false", "audit", "caller-facts", "webhooks",
)  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--domains", type=int, default=500)
    parser.add_argument("--secretaries", type=int, default=10, help="in each domain")
    parser.add_argument("--calls", type=int, default=1_000_000, help="in all domains together")
    parser.add_argument("--requests", type=int, default=1_000, help="of each kind of read")
    parser.add_argument("--batch", type=int, default=25, help="domains in a request of the bulk endpoint")
    parser.add_argument("--clients", type=int, default=2, help="requests at once, while provisioning")
    parser.add_argument("--cores", type=int, default=2, help="for server and client together; 0: all")
    parser.add_argument("--json", action="store_true", help="only one line of JSON, at the end")


def run(options: dict[str, Any]) -> dict[str, Any]:
    """Run the measurement and give its figures. Raises RuntimeError where something is missing or fails."""
    domains, each = int(options["domains"]), int(options["secretaries"])
    if not 1 <= each <= 900 or domains < 1:
        raise RuntimeError("at least one domain, and from 1 to 900 secretaries in each")
    say: Callable[[str], None] = (lambda _: None) if options["json"] else _say
    cores = sorted(os.sched_getaffinity(0))[: int(options["cores"]) or None]
    os.sched_setaffinity(0, cores)
    with ScratchDatabase() as database:
        say(f"database {database.name}: migrating")
        database.migrate()
        token = database.key()
        with Server(database.environment) as server:
            say(f"provisioning {domains} domains of {each} secretaries")
            seconds = _provision(server, token, domains, each, int(options["batch"]), int(options["clients"]))
            say(f"{domains * each / seconds:.0f} secretaries/s; filling in {options['calls']} calls")
            calls = database.fill_calls(int(options["calls"]))
            client = server.client(token)
            count = int(options["requests"])
            say("reading single objects")
            reads = _measure(client, _reads(client, domains, count))
            say("reading lists")
            lists = _measure(client, _lists(client, domains, count))
    return {
        "secretaries_per_s": round(domains * each / seconds, 1),
        "read_ms": _percentiles([ms for _, ms in reads]),
        "list_ms": _percentiles([ms for _, ms in lists]),
        "list_p95_ms": _by_kind(lists),
        "domains": domains,
        "secretaries": domains * each,
        "calls": calls.count,
        "requests": len(reads) + len(lists),
        "cores": len(cores),
    }


def domain_uuid(number: int) -> str:
    """Domains have UUIDs that can be told again."""
    return str(UUID(int=(SEED << 64) + number))


def document(number: int, each: int) -> dict[str, Any]:
    """A domain as a hosting company would send it."""
    return {
        "domain_uuid": domain_uuid(number),
        "name": f"customer-{number}.example",
        "language": "pt-br" if number % 2 else "en",
        "time_zone": "America/Sao_Paulo",
        "esl_credential": {"host": "10.0.0.5", "password": f"secret-{number}", "audio_transport": "direct-udp"},
        "secretaries": [
            {
                "name": f"Secretary {position}",
                "greeting": "Good morning, you have reached our office. How can I help you?",
                "prompt": "We are open from nine to five. " * 10,
                "max_call_s": 300 + position,
            }
            for position in range(each)
        ],
        "extensions": [
            {"extension": str(8000 + position), "secretary": f"Secretary {position}"} for position in range(each)
        ],
        "destinations": [
            {"name": name, "aliases": [f"the {name.lower()} department"], "number": str(1001 + position)}
            for position, name in enumerate(("Sales", "Support", "Accounts"))
        ],
    }


def _provision(server: Server, token: str, domains: int, each: int, batch: int, clients: int) -> float:
    """Send all domains; seconds."""
    bodies = [
        json.dumps(
            {"domains": [document(number, each) for number in range(first, min(first + batch, domains))]}
        ).encode()
        for first in range(0, domains, batch)
    ]
    server.client(token).get("/api/v1/me")  # what a first request loads is not provisioning

    def send(part: Sequence[bytes]) -> int:
        client = server.client(token)
        return sum(len(client.send("POST", "/api/v1/provision", body)["items"]) for body in part)

    begun = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        done = sum(pool.map(send, [bodies[offset::clients] for offset in range(clients)]))
    seconds = time.perf_counter() - begun
    if done != domains:
        raise RuntimeError(f"{done} of {domains} domains were provisioned")
    return seconds


def _reads(client: WebClient, domains: int, count: int) -> list[str]:
    """Addresses of single objects in random domains."""
    rng = random.Random(SEED)  # noqa: S311 - a spread of addresses, no secret
    paths: list[str] = []
    for number in rng.sample(range(domains), min(domains, 100)):
        base = f"/api/v1/domains/{domain_uuid(number)}"
        paths += [base, f"{base}/esl-credential"]
        for kind in READS:
            items = client.get(f"{base}/{kind}?limit=20")["items"]
            paths += [f"{base}/{kind}/{next(iter(item.values()))}" for item in items]
    return [rng.choice(paths) for _ in range(count)]


def _lists(client: WebClient, domains: int, count: int) -> list[str]:
    """Addresses of pages in random domains, some of them far down."""
    rng = random.Random(SEED + 1)  # noqa: S311
    paths = ["/api/v1/domains?limit=50"]
    for number in rng.sample(range(domains), min(domains, 100)):
        base = f"/api/v1/domains/{domain_uuid(number)}"
        cursor = ""
        for _ in range(3):
            cursor = client.get(f"{base}/calls?limit=200{cursor}&fields=call_uuid")["next_cursor"] or ""
            cursor = f"&cursor={cursor}" if cursor else ""
        paths += [
            f"{base}/calls?limit=50",
            f"{base}/calls?limit=50{cursor}",
            f"{base}/calls?limit=50&outcome=transferred",
            *(f"{base}/{kind}{'&' if '?' in kind else '?'}limit=50" for kind in LISTS),
        ]
    return [rng.choice(paths) for _ in range(count)]


def _measure(client: WebClient, paths: Sequence[str]) -> list[tuple[str, float]]:
    """Each request's address, and its milliseconds."""
    for path in paths[:50]:
        client.get(path)
    taken = []
    for path in paths:
        begun = time.perf_counter()
        client.get(path)
        taken.append((path, (time.perf_counter() - begun) * 1000))
    return taken


def _by_kind(lists: Sequence[tuple[str, float]]) -> dict[str, float]:
    """p95 of each list: one without its index would hide behind all the others."""
    kinds: dict[str, list[float]] = {}
    for path, taken in lists:
        kind = re.sub(r"[?&](?:limit|cursor)=[^&]*", "", path.rpartition("/")[2]).replace("&", "?", 1)
        kinds.setdefault(kind + (" (far down)" if "cursor=" in path else ""), []).append(taken)
    return {kind: _percentiles(taken)["p95"] for kind, taken in sorted(kinds.items())}


def _percentiles(values: Sequence[float]) -> dict[str, float]:
    ordered = sorted(values)
    return {
        name: round(ordered[min(len(ordered) - 1, int(len(ordered) * share))], 2)
        for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
    }


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
