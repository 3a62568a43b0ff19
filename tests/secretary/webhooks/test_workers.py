"""Many workers at once, a worker that is killed, and the whole way through real Celery."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from threading import Lock, Thread

import pytest
from django.conf import settings as django_settings
from django.db import connection, connections
from django.utils import timezone
from kombu import Connection
from pytest_django import Settings

from secretary.config.celery import app
from secretary.webhooks import lanes
from secretary.webhooks.claims import PER_WEBHOOK, STALE_AFTER, claim_next
from secretary.webhooks.sweep import sweep
from tenants import egress
from tests.cast import make_tenant
from tests.receiver import Receiver, answer, receiving, silence
from tests.secretary.webhooks.post import Clock, deliver, happen, hook, let_through, only

pytestmark = [pytest.mark.django_db(transaction=True)]
ROOT = Path(__file__).resolve().parents[3]


def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def in_threads(count: int, work: Callable[[], object]) -> None:
    def run() -> None:
        try:
            work()
        finally:
            connections.close_all()

    threads = [Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_many_lanes(receiver: Receiver, settings: Settings, kicks: list[str]) -> None:
    """Eight workers deliver each event once, and never more at a time than the domain and the receiver may have."""
    settings.WEBHOOKS_PER_DOMAIN = 3
    acme = make_tenant("acme.example")
    for path in "abcd":
        hook(acme, receiver, url=receiver.url(f"/{path}"))
    for _ in range(10):
        happen(acme)
    lock, now_at, most = Lock(), Counter[str](), Counter[str]()

    def send(method: str, url: str, **more: object) -> egress.Response:
        with lock:
            now_at.update([url, "all"])
            most.update({key: max(0, now_at[key] - most[key]) for key in (url, "all")})
        time.sleep(0.01)
        with lock:
            now_at.subtract([url, "all"])
        return egress.request(method, url, **more)  # type: ignore[arg-type]

    in_threads(8, lambda: lanes.run(domain_uuid=acme.domain_uuid, send=send))
    lanes.run(domain_uuid=acme.domain_uuid)
    sent = Counter((got.path, got.headers["webhook-id"]) for got in receiver.received)
    assert len(sent) == 40 and set(sent.values()) == {1}
    assert 1 <= most["all"] <= 3 and max(most[receiver.url(f"/{path}")] for path in "abcd") <= PER_WEBHOOK


def test_one_claim(receiver: Receiver, kicks: list[str]) -> None:
    """Ten workers reach for one delivery: exactly one has it."""
    acme = make_tenant("acme.example")
    hook(acme, receiver)
    happen(acme)
    got: list[object] = []
    in_threads(10, lambda: got.append(claim_next(domain_uuid=acme.domain_uuid, now=timezone.now())))
    assert len(got) == 10 and len([claim for claim in got if claim is not None]) == 1


@pytest.fixture
def slow(settings: Settings) -> Iterator[Receiver]:
    """A receiver that never answers."""
    with receiving(silence()) as running:
        let_through(settings, running)
        yield running


@pytest.fixture
def environment(receiver: Receiver, slow: Receiver) -> dict[str, str]:
    """What a process of its own needs to work on the test's database."""
    database = connection.settings_dict
    url = f"postgresql://{database['USER']}:{database['PASSWORD']}@/{database['NAME']}"
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "secretary.config.settings",
        "DATABASE_URL": f"{url}?host={database['HOST']}&port={database['PORT']}",
        "REDIS_URL": django_settings.REDIS_URL,
        "EGRESS_ALLOW": f"127.0.0.1:{receiver.port},127.0.0.1:{slow.port}",
    }


LANE = "import django, sys; django.setup(); from secretary.webhooks.tasks import deliver; deliver(sys.argv[1])"


def test_killed_in_the_middle(receiver: Receiver, environment: dict[str, str], clock: Clock, kicks: list[str]) -> None:
    """A worker that is killed while the receiver has the request: the event is sent again, under the same id."""
    acme = make_tenant("acme.example")
    hook(acme, receiver)
    event = str(happen(acme))
    receiver.then(silence(), answer())
    with subprocess.Popen([sys.executable, "-c", LANE, str(acme.domain_uuid)], cwd=ROOT, env=environment) as worker:
        until(lambda: bool(receiver.received))
        worker.send_signal(signal.SIGKILL)
    assert only(acme).state == "sending"
    clock.time = timezone.now() + STALE_AFTER + timedelta(seconds=1)
    assert sweep(clock()).requeued == 1
    assert deliver(acme, clock) == 1
    assert [got.headers["webhook-id"] for got in receiver.received] == [event] * 2
    assert [got.headers["webhook-attempt"] for got in receiver.received] == ["1", "2"]
    assert only(acme).state == "delivered"


@pytest.fixture
def celery(environment: dict[str, str], tmp_path: Path) -> Iterator[None]:
    """`celery worker -Q webhooks -P gevent`, as in production."""
    with Connection(app.conf.broker_url) as broker:
        queue = broker.SimpleQueue("webhooks")
        queue.clear()
        queue.close()
    command = [sys.executable, "-m", "celery", "-A", "secretary.config", "worker", "-Q", "webhooks", "-P", "gevent"]
    options = ["-c", "20", "--without-gossip", "--without-mingle", "-n", "webhooks-test@%h"]
    with (tmp_path / "worker.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, *options], cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
        yield
        process.kill()
        process.wait(10)


@pytest.mark.usefixtures("celery")
def test_through_celery(receiver: Receiver, slow: Receiver) -> None:
    """Committed, kicked, claimed, sent by a gevent worker, written down; a slow receiver elsewhere holds up none."""
    slow_one, acme = make_tenant("slow.example"), make_tenant("acme.example")
    hook(slow_one, slow)
    hook(acme, receiver)
    for _ in range(5):
        happen(slow_one)
    until(lambda: len(slow.received) == PER_WEBHOOK)
    happen(acme)
    until(lambda: only(acme).state == "delivered", 3)
    assert len(receiver.received) == 1 and len(slow.received) == PER_WEBHOOK
