"""The demo's view of a call while it happens, over real Redis, and the switch in its thread."""

from __future__ import annotations

import asyncio
import threading
import wave
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from eslbridge.simulator import Extension
from eslbridge.simulator.caller import HangUp, Pause
from secretary.conversation.actions import Line, Note
from secretary.demo.call import DemoSwitch
from secretary.demo.live import LiveView
from secretary.demo.scenarios import Scenario
from secretary.voicenode.live import Live
from tests.eslbridge.simulator.node import until

DIALPLAN = """<include><context name="acme.example"><extension name="x">
<condition field="destination_number" expression="^8001$">
<action application="answer"/><action application="sleep" data="300"/>
<action application="transfer" data="1001 XML acme.example"/></condition></extension></context></include>"""


async def test_what_the_node_tells_is_seen() -> None:
    """Lines and events of this call arrive in order; another call's do not."""
    seen: list[Mapping[str, Any]] = []
    view = LiveView("call-1", seen.append)
    await view.open()
    node = Live()
    node.start()
    node.line("call-2", Line("caller", "somebody else", 0, 10))
    node.line("call-1", Line("secretary", "Hello.", 100, 900))
    node.note("call-1", Note("transfer", 1000, {"to": "Sales"}))
    await until(lambda: len(seen) == 2)
    await view.close()
    await node.stop()
    assert [message["type"] for message in seen] == ["call.line", "call.event"]
    assert seen[0]["text"] == "Hello."
    assert seen[1]["detail"] == {"to": "Sales"}


def quick(*steps: Any) -> Scenario:
    return Scenario("quick", "calls", steps, "nothing", lambda result: True, patience_s=5)


def test_the_switch_in_its_thread(tmp_path: Path) -> None:
    """A call over the dialplan reaches the colleague, is recorded in stereo, and nothing is left running."""
    threads = threading.active_count()
    path = tmp_path / "call.wav"
    phones = [Extension("1001", "acme.example", answer_after_s=0.1)]
    with DemoSwitch(port=0, password="x", transport="direct-udp", phones=phones) as switch:
        switch.install(DIALPLAN)
        placed = switch.place_call("acme.example", "8001", quick(Pause(1500), HangUp()), path, lambda message: None)
    assert placed.reached_colleague
    assert placed.hangup_cause == "NORMAL_CLEARING"
    assert ("bridge", "user/1001@acme.example") in placed.applications
    with wave.open(str(path)) as file:
        assert file.getnchannels() == 2
        assert 1.2 < file.getnframes() / file.getframerate() < 2.5
    assert threading.active_count() == threads


def test_a_taken_port_is_told() -> None:
    """The second switch on one port says so, and leaves no thread behind."""
    threads = threading.active_count()
    with DemoSwitch(port=0, password="x", transport="direct-udp", phones=[]) as first:
        taken = first.port
        with pytest.raises(OSError, match="in use"):
            DemoSwitch(port=taken, password="x", transport="direct-udp", phones=[]).__enter__()
    assert threading.active_count() == threads


def test_the_loop_is_free_for_others() -> None:
    """Placing a call blocks the caller's thread, not the switch's."""
    with DemoSwitch(port=0, password="x", transport="direct-udp", phones=[]) as switch:
        seen: list[int] = []

        async def connect() -> None:
            reader, writer = await asyncio.open_connection("127.0.0.1", switch.port)
            seen.append(len(await reader.readuntil(b"\n\n")))
            writer.close()

        asyncio.run(connect())
    assert seen == [len(b"Content-Type: auth/request\n\n")]
