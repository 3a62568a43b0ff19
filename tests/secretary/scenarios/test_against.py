"""`manage.py scenario --against`: a real secretary, its own services over real sockets, in real time."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from secretary.models import Secretary
from secretary.scenarios.fair import LeftOut, fair
from secretary.scenarios.fair import Secretary as About
from secretary.scenarios.script import every
from secretary.services.prices import set_price
from secretary.services.providers import save_installation
from secretary.speech.contract import Place
from secretary.tools import names
from tenants.context import tenant_context
from tests.cast import Tenant, acme, globex
from tests.peers.openai_audio import SpeechPeer, TranscriptionPeer
from tests.peers.openai_chat import ChatPeer
from tests.peers.openai_realtime import OpenAIPeer, Reply

__all__ = ["acme", "globex"]

SHORT = """
says: Somebody asks for sales.
secretary: {greeting: Not this one., rules: {pause_ms: 300}}
caller: [{say: "Sales!"}]
provider: [{hears: sales, says: One moment., calls: {transfer: {destination: Sales}}}]
expect:
  {outcome: transferred, destination: sales, within_s: 8, tools: [transfer], said: [one moment], never_said: [goodbye]}
"""
FAMILY = """
says: Somebody asks for the family.
provider: [{hears: family, calls: {transfer: {destination: The Family}}}]
expect: {outcome: transferred}
"""


@contextmanager
def elsewhere(*peers: Any) -> Iterator[None]:
    """The stand-ins live in a loop and thread of their own: the command has a loop of its own, too."""
    ready, stop = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()
    failures: list[BaseException] = []

    async def serve() -> None:
        async with AsyncExitStack() as stack:
            for peer in peers:
                await stack.enter_async_context(peer)
            ready.set()
            await stop.wait()

    def run() -> None:
        try:
            loop.run_until_complete(serve())
        except BaseException as error:
            failures.append(error)
        finally:
            ready.set()

    thread = threading.Thread(target=run)
    thread.start()
    assert ready.wait(5)
    try:
        yield
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(5)
        loop.close()
    assert not failures, failures


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    settings.DATA_DIR = tmp_path / "data"
    for name, text in (("short", SHORT), ("family", FAMILY)):
        (tmp_path / f"{name}.yaml").write_text(text)
    return tmp_path


def rehearse(folder: Path, *names: str, against: str = "acme.example/8001", **options: Any) -> str:
    out = StringIO()
    call_command("scenario", *names, against=against, folder=folder, stdout=out, **options)
    return out.getvalue()


def speaks(tenant: Tenant, *providers: str) -> None:
    with tenant_context(tenant.domain_uuid):
        chain = [{"provider": one} for one in providers]
        Secretary.objects.update(greeting="Yes?", provider=providers[0], chain=chain)


def realtime_peer() -> OpenAIPeer:
    peer = OpenAIPeer()
    peer.caller_says = ["Sales!"]
    peer.replies = [Reply("Now.", tools=[("transfer", {"destination": "the sales department"})])]
    return peer


def test_a_realtime_model(acme: Tenant, folder: Path) -> None:
    """The secretary's own key and tools; the transfer goes to the scenario's office; the table tells the cost."""
    peer = realtime_peer()
    speaks(acme, "openai-realtime")
    set_price(provider="openai-realtime", unit="output_token", amount=1, per=10, domain_uuid=None, model="")
    with elsewhere(peer):
        save_installation(provider="openai-realtime", api_key="sk-own", base_url=peer.url)
        shown = rehearse(folder)
    assert "✓ short" in shown and "not judged: said 'one moment': words of the script" in shown
    assert "family" in shown and "needs the place The Family" in shown
    row = next(line for line in shown.splitlines() if line.startswith("short"))
    assert row.split()[1:3] == ["held", "transferred"] and "openai-realtime" in row
    assert "1 held, 0 failed, 1 left out; " in shown and "; 0.0000" not in shown
    assert peer.requests[0].headers["Authorization"] == "Bearer sk-own"
    assert "transfer" in [tool["name"] for tool in peer.sessions[0]["tools"]]
    assert len(peer.heard) > 8 * 1000  # the caller's voice, frame by frame as time went by


def test_a_pipeline_alone(acme: Tenant, folder: Path) -> None:
    """`--provider` takes one service out of the chain; JSON has a line for each."""
    stt, chat, speech = TranscriptionPeer(), ChatPeer(), SpeechPeer(ms_a_character=20)
    speaks(acme, "openai-realtime", "pipeline")
    with elsewhere(stt, chat, speech):
        stt.then(stt.hears("Sales!"))
        chat.then(chat.says("Now. ", calls=(("transfer", '{"destination": "Sales"}'),)))
        urls = {"stt_url": stt.url, "llm_url": chat.url, "tts_url": speech.url}
        save_installation(provider="pipeline", options=urls, keys={"llm_key": "sk-llm"})
        shown = rehearse(folder, "short", provider="pipeline", json=True)
    told = json.loads(shown)
    assert told["result"] == "held" and told["failures"] == []
    assert told["spoke"][0].startswith("pipeline") and told["currency"] == "USD"
    assert "said 'one moment'" in told["not_judged"][0]


def test_a_service_that_fails_is_no_rehearsal_that_held(acme: Tenant, folder: Path) -> None:
    """The chain covers it up in a call; here it is said, and the exit status says so."""
    peer = realtime_peer()
    peer.refuse_with = 401
    speaks(acme, "openai-realtime")
    (folder / "short.yaml").write_text("says: Nothing.\ncaller: [{after: at_once, wait_ms: 600, hang_up: true}]")
    with elsewhere(peer):
        save_installation(provider="openai-realtime", api_key="sk-bad", base_url=peer.url)
        with pytest.raises(CommandError, match="1 of 1 did not hold: short"):
            rehearse(folder, "short")


@pytest.mark.parametrize(
    ("against", "provider", "why"),
    [
        ("nobody.example/8001", "", "no domain nobody"),
        ("acme.example/8999", "", "No secretary answers at 8999"),
        ("acme.example", "", "No extension"),
        ("acme.example/8001", "gemini-live", "no credential for gemini-live"),
        ("", "local", "--provider goes with --against"),
    ],
)
def test_who_is_not_there(acme: Tenant, folder: Path, against: str, provider: str, why: str) -> None:
    """A mistake is told before anybody is called."""
    with pytest.raises(CommandError, match=why):
        rehearse(folder, "short", against=against, provider=provider)


def test_nothing_to_judge_is_no_success(acme: Tenant, folder: Path) -> None:
    """All were left out: the exit status is not 0."""
    with pytest.raises(CommandError, match="none of them could be judged: it needs the place The Family"):
        rehearse(folder, "family")


def test_what_of_our_scenarios_is_asked_of_a_real_one() -> None:
    """A secretary with everything is rehearsed in most of them; each that is left out has a reason of its own."""
    about = About("en", tuple(Place(n, n) for n in ("Sales", "Support", "Reception", "Workshop")), names.BUILT_IN)
    reasons = {}
    for script in every():
        try:
            asked = fair(script, about)
        except LeftOut as why:
            reasons[script.name] = str(why)
        else:
            assert asked.script.expect.outcome == script.expect.outcome
            assert not asked.script.expect.provider and asked.script.expect.sent_keys is None
    assert len(every()) - len(reasons) >= 20, reasons
    assert all(one.startswith(("it rehearses", "it speaks pt-br", "it needs")) for one in reasons.values())
    told = next(script for script in every() if script.name == "told-first")
    assert fair(told, about).script.expect.said == told.expect.said  # the platform says it, whoever thinks
    with pytest.raises(LeftOut, match="the secretary pt-br"):
        fair(told, replace(about, language="pt-br"))
