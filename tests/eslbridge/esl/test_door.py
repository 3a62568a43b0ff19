"""Which switch may bring which domain's calls."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from ipaddress import ip_network
from uuid import UUID, uuid4

import pytest

from eslbridge.esl import door as door_module
from eslbridge.esl.door import Door, address_of

ACME, GLOBEX = uuid4(), uuid4()
HOSTS = {ACME: "pbx.acme.example", GLOBEX: "203.0.113.9"}
NOT_ITS = "it is not the domain's switch"


class World:
    """Credentials, a resolver, and a clock."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, peers: list[str] | None = None, trusted: str = "") -> None:
        self.names: dict[str, list[str]] = {"pbx.acme.example": ["192.0.2.10", "2001:db8::10"]}
        self.asked: list[str] = []
        self.broken = False
        self.slow = asyncio.Event()
        self.slow.set()
        self.door = Door(
            peers=[ip_network(one) for one in peers] if peers is not None else None,
            trusted=[ip_network(trusted)] if trusted else [],
            host_of=self.host_of,
            resolve=self.resolve,
        )
        self.now = asyncio.get_running_loop().time()
        monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: self.now)

    async def host_of(self, domain_uuid: UUID) -> str:
        await self.slow.wait()
        if self.broken:
            raise OSError("the database is away")
        return HOSTS.get(domain_uuid, "")

    async def resolve(self, host: str) -> Iterable[str]:
        self.asked.append(host)
        if host not in self.names:
            raise OSError("no such name")
        return self.names[host]

    async def says(self, peer: str, domain: object = ACME) -> str:
        return await self.door.ask(peer, str(domain))


async def test_a_domains_own_switch(monkeypatch: pytest.MonkeyPatch) -> None:
    """By any address of the credential's host, name or literal, also as IPv4 over IPv6; and for no other domain."""
    world = World(monkeypatch)
    for peer in ("192.0.2.10", "2001:db8::10", "2001:db8::10%eth0", "::ffff:192.0.2.10"):
        assert await world.says(peer) == ""
    assert world.asked == ["pbx.acme.example"], "asked once, then remembered"
    assert await world.says("192.0.2.10", GLOBEX) == NOT_ITS
    assert await world.says("203.0.113.9", GLOBEX) == "" and await world.says("203.0.113.9") == NOT_ITS
    assert await world.says("192.0.2.11") == NOT_ITS
    for nobody in (uuid4(), "", "acme.example", "' or 1=1"):
        assert await world.says("192.0.2.10", nobody) != ""
    assert await world.says("") == await world.says("nonsense") == "its address is not allowed"


async def test_who_is_trusted_and_who_may_connect_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """The trusted are believed without a look-up; trust is nothing where the address may not connect."""
    world = World(monkeypatch, trusted="127.0.0.0/8")
    assert world.door.at_once("127.0.0.1", str(ACME)) == "" == world.door.at_once("127.3.2.1", "nonsense")
    assert world.door.at_once("::ffff:127.0.0.1", "") == ""
    narrow = World(monkeypatch, peers=["192.0.2.0/24"], trusted="127.0.0.0/8")
    assert narrow.door.at_once("127.0.0.1", str(ACME)) == "its address is not allowed"
    assert await narrow.says("203.0.113.9", GLOBEX) == "its address is not allowed"
    assert await narrow.says("192.0.2.10") == ""


async def test_what_is_known_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for a resolver while the answer is fresh; a switch that moved is let in after seconds."""
    world = World(monkeypatch)
    assert world.door.at_once("192.0.2.10", str(ACME)) is None
    await world.says("192.0.2.10")
    assert world.door.at_once("192.0.2.10", str(ACME)) == "" and world.door.at_once("192.0.2.11", str(ACME)) == NOT_ITS
    world.names["pbx.acme.example"] = ["192.0.2.11"]
    world.now += door_module.AGAIN_S + 0.1
    assert world.door.at_once("192.0.2.10", str(ACME)) == "", "still fresh"
    assert await world.says("192.0.2.11") == ""
    assert world.door.at_once("192.0.2.10", str(ACME)) == NOT_ITS, "and the old address is let in no more"


async def test_when_nothing_can_be_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was known goes on for an hour; what was not is refused; neither waits longer than the deadline."""
    world = World(monkeypatch)
    await world.says("192.0.2.10")
    world.broken = True
    world.now += door_module.FRESH_S + 1
    assert await world.says("192.0.2.10") == "" and await world.says("192.0.2.11") == NOT_ITS
    assert "could not be looked up" in await world.says("203.0.113.9", GLOBEX)
    world.broken = False
    for peer, domain, said in (("192.0.2.10", ACME, ""), ("192.0.2.11", ACME, NOT_ITS)):
        assert world.door.at_once(peer, str(domain)) == said, "nobody asks again at once"
    assert "could not be looked up" in (world.door.at_once("203.0.113.9", str(GLOBEX)) or "")
    world.now += door_module.FAILED_S
    assert await world.says("203.0.113.9", GLOBEX) == "", "but soon"
    world.broken = True
    world.now += door_module.STALE_S
    assert "could not be looked up" in await world.says("192.0.2.10")


async def test_one_look_up_for_many_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred calls at once ask once; a resolver that hangs is given up, and keeps nobody else from asking."""
    world = World(monkeypatch)
    assert set(await asyncio.gather(*(world.says("192.0.2.10") for _ in range(100)))) == {""}
    assert len(world.asked) == 1
    monkeypatch.undo()
    monkeypatch.setattr(door_module, "LOOK_UP_S", 0.05)
    world = World(monkeypatch)
    monkeypatch.undo()
    monkeypatch.setattr(door_module, "LOOK_UP_S", 0.05)
    world.slow.clear()
    answers = await asyncio.gather(*(world.says("192.0.2.10", uuid4()) for _ in range(20)))
    assert all("could not be looked up" in answer for answer in answers)
    await world.door.close()


async def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever makes domains up fills nothing."""
    monkeypatch.setattr(door_module, "MOST", 10)
    world = World(monkeypatch)
    for _ in range(50):
        await world.says("192.0.2.10", uuid4())
    assert len(world.door._known) == 10 and not world.door._asking


def test_addresses() -> None:
    assert address_of("fe80::1%eth0") == address_of("fe80::1")
    assert address_of("pbx.acme.example") is None
