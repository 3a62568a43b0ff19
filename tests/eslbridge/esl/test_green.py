"""The greenswitch client with its guards: each of greenswitch's known faults, and what happens here instead."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import gevent
import pytest

from eslbridge.esl import commands, green
from eslbridge.esl.errors import AuthenticationFailed, CommandFailed, CommandTimeout, NotConnected
from eslbridge.esl.events import Event
from eslbridge.esl.green import GreenClient
from eslbridge.esl.interface import Address
from tests.eslbridge.esl.switch import NOTICE, RECORDED_UUID, api, event, job, reply
from tests.eslbridge.esl.thread_switch import ThreadSwitch

OTHER = "7be37ce4-0a91-4557-b156-1107d04a11ba"


@pytest.fixture(scope="module", autouse=True)
def _no_hub_left() -> Iterator[None]:
    """gevent's loop goes with this module: the rest of the suite runs on asyncio."""
    yield
    gevent.get_hub().destroy(destroy_loop=True)


@pytest.fixture
def switch() -> Iterator[ThreadSwitch]:
    switch = ThreadSwitch()
    yield switch
    switch.close()


def address(switch: ThreadSwitch, **settings: float) -> Address:
    return Address("127.0.0.1", switch.port, "lab-secret", **{"reconnect_delay_s": 0.01, **settings})  # type: ignore[arg-type]


@pytest.fixture
def client(switch: ThreadSwitch) -> Iterator[GreenClient]:
    client = GreenClient(address(switch))
    client.connect()
    yield client
    client.close()


def ends_job(text: str) -> object:
    def answer(command: str) -> bytes:
        return reply(f"+OK Job-UUID: {job(command)}") + event("BACKGROUND_JOB", Job_UUID=job(command), _body=text)

    return answer


def test_commands_and_failures(switch: ThreadSwitch, client: GreenClient) -> None:
    switch.answers["api uuid_getvar"] = api("line one ação\n\nUnique-ID: x")
    switch.answers["api uuid_kill"] = api("-ERR No such channel!\n")
    assert client.uuid_getvar(RECORDED_UUID, "a") == "line one ação\n\nUnique-ID: x"
    with pytest.raises(CommandFailed):
        client.uuid_kill(RECORDED_UUID)
    assert client.is_connected


def test_a_body_that_is_not_utf8_ends_nothing(switch: ThreadSwitch, client: GreenClient) -> None:
    """greenswitch's reader dies of it silently, and every later command hangs."""
    switch.answers["api uuid_getvar"] = b"Content-Type: api/response\nContent-Length: 3\n\n\xff\xfe!"
    assert client.uuid_getvar(RECORDED_UUID, "a") == "��!"
    assert client.api(commands.status()) == "+OK"


def test_no_reply_is_a_timeout_and_costs_the_connection(switch: ThreadSwitch, client: GreenClient) -> None:
    switch.answers["api"] = None
    began = time.monotonic()
    with pytest.raises(CommandTimeout):
        client.api(commands.status(), timeout_s=0.05)
    assert time.monotonic() - began < 2 and not client.is_connected
    with pytest.raises(NotConnected):
        client.api(commands.status())


def test_the_end_of_the_connection_fails_all_who_wait(switch: ThreadSwitch, client: GreenClient) -> None:
    """Cut without a notice while a reply, a job and an event are awaited: three errors, no hang."""
    switch.answers["api"] = None
    waiting = [
        gevent.spawn(caught, client.bgapi, commands.status()),
        gevent.spawn(caught, client.wait_for_event, "DTMF", timeout_s=60),
        gevent.spawn(caught, client.api, commands.status(), timeout_s=60),
    ]
    gevent.sleep(0.05)
    switch.cut()
    gevent.joinall(waiting, timeout=3)
    assert [greenlet.value for greenlet in waiting] == [NotConnected] * 3
    assert not client.is_connected


def caught(function: object, *args: object, **kwargs: object) -> type | None:
    try:
        function(*args, **kwargs)  # type: ignore[operator]
    except Exception as error:
        return type(error)
    return None


@pytest.mark.parametrize(
    ("greeting", "error"),
    [
        (b"", NotConnected),
        (b"garbage\n\n", NotConnected),
        (b"Content-Type: text/rude-rejection\nContent-Length: 24\n\nAccess Denied, go away.\n", AuthenticationFailed),
    ],
    ids=["silence", "garbage", "rejection"],
)
def test_bad_greetings(switch: ThreadSwitch, greeting: bytes, error: type[Exception]) -> None:
    switch.greeting = greeting
    client = GreenClient(address(switch, connect_timeout_s=0.1))
    with pytest.raises(error):
        client.connect()
    assert not client.is_connected


def test_wrong_password_is_not_tried_again(switch: ThreadSwitch) -> None:
    switch.answers["auth"] = reply("-ERR invalid") + NOTICE
    with pytest.raises(AuthenticationFailed, match="invalid"):
        GreenClient(address(switch)).reconnect()
    assert len(switch.peers) == 1


def test_reconnect_tries_as_often_as_allowed(switch: ThreadSwitch) -> None:
    switch.greeting = b"\0\n\n"
    with pytest.raises(NotConnected):
        GreenClient(address(switch, max_reconnects=2)).reconnect()
    assert len(switch.peers) == 3


def test_job_results(switch: ThreadSwitch, client: GreenClient) -> None:
    """Subscribed to job results only while one is awaited: nobody may be reading between a worker's tasks."""
    switch.answers["bgapi"] = ends_job(f"+OK {OTHER}\n")  # type: ignore[assignment]
    assert client.originate("user/1001@acme.example") == OTHER
    assert [command.split("\n")[0].split(" ")[0] for command in switch.said[1:]] == ["event", "bgapi", "nixevent"]
    switch.answers["bgapi"] = ends_job("-ERR USER_BUSY")  # type: ignore[assignment]
    with pytest.raises(CommandFailed, match="USER_BUSY"):
        client.originate("user/1001@acme.example")


def test_events_with_bodies_reach_callbacks_and_waiters(switch: ThreadSwitch, client: GreenClient) -> None:
    """greenswitch tears JSON bodies to pieces and lets a SIP header forge others."""
    heard: list[Event] = []
    client.on_event(lambda _: 1 / 0)
    client.on_event(heard.append, "mod_audio_stream::json")
    client.subscribe(["DTMF"], custom=["mod_audio_stream::json"])
    waiting = gevent.spawn(client.wait_for_event, "DTMF", timeout_s=3)
    gevent.sleep(0)
    plain = b"Event-Name: DTMF\nUnique-ID: real\nvariable_sip_user_agent: x%0AUnique-ID: victim\n\n"
    switch.send(event("CUSTOM", Event_Subclass="mod_audio_stream::json", _body='{"a":1}'))
    switch.send(f"Content-Length: {len(plain)}\nContent-Type: text/event-plain\n\n".encode() + plain)
    assert waiting.get(timeout=3).unique_id == "real"
    gevent.sleep(0.01)
    assert [e.body for e in heard] == ['{"a":1}']


def test_queue_of_events_is_bounded(switch: ThreadSwitch, client: GreenClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow callback loses the oldest events, counted, instead of filling the memory."""
    released = gevent.event.Event()
    seen: list[str] = []

    def slow(happened: Event) -> None:
        released.wait(timeout=3)
        seen.append(happened.get("DTMF-Digit"))

    client.on_event(slow)
    assert client._wire is not None
    client._wire._esl_event_queue = gevent.queue.Queue(maxsize=3)
    dropped = green.ESL_CLIENT_EVENTS_DROPPED._value.get()
    client._wire._process_events_greenlet.kill()
    client._wire._process_events_greenlet = gevent.spawn(client._wire.process_events)
    gevent.sleep(0)
    for digit in "123456789":
        switch.send(event("DTMF", DTMF_Digit=digit))
        gevent.sleep(0.01)
    released.set()
    gevent.sleep(0.05)
    assert len(seen) <= 4 and seen[-1] == "9"
    assert green.ESL_CLIENT_EVENTS_DROPPED._value.get() > dropped


def test_an_answer_nobody_asked_for(switch: ThreadSwitch, client: GreenClient) -> None:
    switch.send(reply("+OK surprise"))
    with gevent.Timeout(5):
        while client.is_connected:
            gevent.sleep(0.01)


def test_many_greenlets_share_a_connection(switch: ThreadSwitch, client: GreenClient) -> None:
    """Replies go to their own callers, first in, first out."""
    switch.answers["api uuid_getvar"] = lambda command: api(command.rsplit(" ", 1)[1])
    names = [f"v{i}" for i in range(30)]
    jobs = [gevent.spawn(client.uuid_getvar, RECORDED_UUID, name) for name in names]
    gevent.joinall(jobs, timeout=5)
    assert [greenlet.value for greenlet in jobs] == names


def test_closing_does_not_wait_for_a_dead_switch(switch: ThreadSwitch, client: GreenClient) -> None:
    """greenswitch's `stop` joins its greenlets without end."""
    switch.answers["exit"] = None
    began = time.monotonic()
    client.close()
    assert time.monotonic() - began < 2 and not client.is_connected


def run(script: str, *args: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", script, *args],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=Path(__file__).parents[3],
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_gevent_stays_out_of_processes_with_an_event_loop() -> None:
    """Everything the voice node imports of this package, and no gevent comes along."""
    modules = "outbound, call, inbound, async_pool, pool, commands"
    out = run(f"import sys; from eslbridge.esl import {modules}; print('gevent' in sys.modules)")
    assert out.strip() == "False"


CELERY = """
from gevent import monkey
monkey.patch_all()
import os, sys
from celery import Celery
from celery.contrib.testing.worker import start_worker
from eslbridge.esl import commands
from eslbridge.esl.green import GreenClient
from eslbridge.esl.interface import Address

app = Celery(broker="memory://", backend="cache+memory://")
app.conf.worker_hijack_root_logger = False

@app.task
def ask(name):
    client = GreenClient(Address("127.0.0.1", int(sys.argv[1]), "lab-secret"))
    client.connect()
    try:
        return client.uuid_getvar("c0e06181-846d-4979-91c0-29cd8b32c17d", name)
    finally:
        client.close()

with start_worker(app, pool="gevent", concurrency=10, perform_ping_check=False, loglevel="ERROR"):
    print([ask.delay(f"v{i}").get(timeout=20) for i in range(5)], flush=True)
    os._exit(0)  # the test worker takes ten seconds to end
"""


def test_in_a_celery_worker_on_gevent(switch: ThreadSwitch) -> None:
    """With everything patched, as `celery -P gevent` does."""
    switch.answers["api uuid_getvar"] = lambda command: api(command.rsplit(" ", 1)[1])
    assert run(CELERY, str(switch.port)).strip().endswith("['v0', 'v1', 'v2', 'v3', 'v4']")
