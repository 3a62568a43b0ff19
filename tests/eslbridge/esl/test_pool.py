"""Shared connections: never the wrong one, never a broken one, none kept for nothing."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID, uuid4

import pytest

from eslbridge.esl import commands, pool
from eslbridge.esl.async_pool import AsyncPool, DomainView
from eslbridge.esl.command import Command
from eslbridge.esl.errors import AuthenticationFailed, CommandFailed, CommandTimeout, EslError, NotConnected
from eslbridge.esl.events import Event
from eslbridge.esl.interface import REFUSED_S, Address, EslClient, EventCallback, EventTest, JobResult
from eslbridge.esl.pool import MAX_IDLE, DomainEsl, Pools, SwitchPool, get_esl_for_domain, switch_of
from eslbridge.profiles import EslEndpoint

A = Address("10.0.0.1", 8021, "secret-a")


class FakeClient(EslClient):
    """Records; fails when told to."""

    made: list[FakeClient]
    error: Exception | None = None

    def __init__(self, address: Address) -> None:
        self.address = address
        self.open = False
        self.said: list[str] = []
        FakeClient.made.append(self)

    def connect(self) -> None:
        if FakeClient.error is not None:
            raise FakeClient.error
        self.open = True

    def close(self) -> None:
        self.open = False

    @property
    def is_connected(self) -> bool:
        return self.open

    def api(self, command: Command, *, timeout_s: float | None = None) -> str:
        self.said.append(command.line)
        return self.address.password

    def bgapi(self, command: Command, *, timeout_s: float = 60.0) -> JobResult:
        return JobResult("job", "+OK")

    def subscribe(self, names: Iterable[str] = (), *, custom: Iterable[str] = ()) -> None: ...

    def on_event(self, callback: EventCallback, *names: str) -> None: ...

    def wait_for_event(self, name: str, test: EventTest | None = None, *, timeout_s: float) -> Event:
        raise CommandTimeout(name)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    FakeClient.made, FakeClient.error = [], None
    monkeypatch.setattr(pool, "_pools", Pools(FakeClient, lambda: 1))
    monkeypatch.setattr(pool, "_workers_pools", lambda: pool._pools)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def switch_pool(clock: Clock) -> SwitchPool:
    return SwitchPool(FakeClient, clock=clock)


def test_a_connection_is_used_again(switch_pool: SwitchPool) -> None:
    for _ in range(3):
        with switch_pool.lease(A) as client:
            client.api(commands.status())
    assert len(FakeClient.made) == 1 and switch_pool.idle == 1


def test_side_by_side_leases_are_different_connections(switch_pool: SwitchPool) -> None:
    with switch_pool.lease(A) as one, switch_pool.lease(A) as two:
        assert one is not two
    assert switch_pool.idle == 2


@pytest.mark.parametrize("error", [CommandTimeout("late"), NotConnected("gone"), RuntimeError("ours")])
def test_trouble_costs_the_connection(switch_pool: SwitchPool, error: Exception) -> None:
    with pytest.raises(type(error)), switch_pool.lease(A):
        raise error
    assert switch_pool.idle == 0 and not FakeClient.made[0].open


def test_a_no_from_the_switch_does_not(switch_pool: SwitchPool) -> None:
    with pytest.raises(CommandFailed), switch_pool.lease(A):
        raise CommandFailed("uuid_kill", "-ERR No such channel!")
    assert switch_pool.idle == 1


def test_a_connection_lost_while_idle_is_not_given_out(switch_pool: SwitchPool) -> None:
    with switch_pool.lease(A):
        pass
    FakeClient.made[0].open = False
    with switch_pool.lease(A) as client:
        assert client is not FakeClient.made[0] and client.is_connected


def test_idle_connections_are_closed_after_a_while(switch_pool: SwitchPool, clock: Clock) -> None:
    with switch_pool.lease(A):
        pass
    clock.now += 61
    switch_pool.sweep()
    assert switch_pool.idle == 0 and not FakeClient.made[0].open


def test_few_are_kept(switch_pool: SwitchPool) -> None:
    from contextlib import ExitStack

    with ExitStack() as stack:
        for _ in range(MAX_IDLE + 3):
            stack.enter_context(switch_pool.lease(A))
    assert switch_pool.idle == MAX_IDLE
    switch_pool.close()
    assert not any(client.open for client in FakeClient.made)


def test_a_refused_password_makes_no_storm(switch_pool: SwitchPool, clock: Clock) -> None:
    """For half a minute nobody knocks again; then one does."""
    FakeClient.error = AuthenticationFailed("-ERR invalid")
    for _ in range(10):
        with pytest.raises(AuthenticationFailed), switch_pool.lease(A):
            pass
    assert len(FakeClient.made) == 1
    clock.now += REFUSED_S + 1
    FakeClient.error = None
    with switch_pool.lease(A):
        pass


@pytest.mark.parametrize(
    "other",
    [
        Address("10.0.0.1", 8021, "secret-b"),
        Address("10.0.0.1", 8022, "secret-a"),
        Address("10.0.0.2", 8021, "secret-a"),
    ],
)
def test_never_another_credentials_connection(other: Address) -> None:
    """Another password, port or host is another pool."""
    pools = Pools(FakeClient, lambda: 1)
    with pools.of(A).lease(A) as client:
        assert client.api(commands.status()) == "secret-a"
    with pools.of(other).lease(other) as client:
        assert client.api(commands.status()) == other.password
    assert len(FakeClient.made) == 2
    assert pools.of(A) is pools.of(Address("10.0.0.1", 8021, "secret-a", connect_timeout_s=9))


def test_each_thread_has_its_own() -> None:
    """gevent's objects belong to one thread."""
    thread = 1
    pools = Pools(FakeClient, lambda: thread)
    first = pools.of(A)
    thread = 2
    assert pools.of(A) is not first


def test_domains_on_one_switch_share_its_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two domains with the same credential: one connection; a third with another password: not that one."""
    shared, own = uuid4(), uuid4()
    passwords = {uuid4(): "one", shared: "one", own: "two"}
    monkeypatch.setattr(pool, "_address_of_domain", lambda domain: Address("10.0.0.1", 8021, passwords[domain]))
    answers = [get_esl_for_domain(domain).api(commands.status()) for domain in passwords]
    assert answers == ["one", "one", "two"] and len(FakeClient.made) == 2


def test_a_domains_view(monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole interface but subscriptions, which a shared connection cannot have; closing it closes nothing."""
    monkeypatch.setattr(pool, "_address_of_domain", lambda domain: A)
    esl = get_esl_for_domain(uuid4())
    assert isinstance(esl, DomainEsl) and not esl.is_connected
    esl.connect()
    assert esl.is_connected
    esl.uuid_transfer(str(uuid4()), "1001", context="acme.example")
    esl.close()
    assert esl.is_connected
    for refused in (lambda: esl.subscribe(["DTMF"]), lambda: esl.wait_for_event("DTMF", timeout_s=1)):
        with pytest.raises(EslError, match="shared"):
            refused()


def test_switch_of_an_endpoint() -> None:
    """One connection for the block, back in the pool after it."""
    endpoint = EslEndpoint(UUID(int=1), "acme.example", "10.0.0.1", 8021, "secret-a")
    with switch_of(endpoint) as switch:
        switch.api(commands.status())
        switch.api(commands.show_channels())
    with switch_of(endpoint) as again:
        assert again is switch
    assert len(FakeClient.made) == 1


async def test_async_pool_shares_by_credential() -> None:
    clients = AsyncPool()
    one = clients.client(A)
    assert clients.client(Address("10.0.0.1", 8021, "secret-a")) is one
    assert clients.client(Address("10.0.0.1", 8021, "secret-b")) is not one
    view = DomainView(one)
    with pytest.raises(EslError, match="shared"):
        await view.subscribe(["DTMF"])
    await clients.close()
