"""Tools that OpenAI Realtime calls, and their results."""

from __future__ import annotations

import asyncio
import json

from secretary.speech.contract import ToolCall
from tests.peers.openai_realtime import OpenAIPeer, Reply
from tests.secretary.speech.realtime.ear import speak
from tests.secretary.speech.realtime.openai.conftest import Open


async def test_a_tool_is_called_and_its_result_brings_the_next_answer(make: Open, peer: OpenAIPeer) -> None:
    """What was said before the tool is complete when it is called; the result goes back and the model goes on."""
    session, ear = await make()
    peer.replies = [Reply("One moment.", tools=[("transfer", {"destination": "Sales"})]), Reply("Sales is busy.")]
    await speak(session)
    call = await ear.tool()
    assert (call.name, call.arguments) == ("transfer", {"destination": "Sales"})
    assert next(iter(ear.utterances.values())).over
    session.tool_result(call.tool_call_id, "busy", "nobody answers")
    await ear.spoken(2)
    (item,) = [event["item"] for event in peer.of("conversation.item.create")]
    assert item["call_id"] == call.tool_call_id
    assert json.loads(item["output"]) == {"outcome": "busy", "detail": "nobody answers"}
    assert ear.said()[1] == "Sales is busy."


async def test_two_tools_at_once_are_answered_once(make: Open, peer: OpenAIPeer) -> None:
    """The model goes on when it has the results of both."""
    session, ear = await make()
    peer.replies = [Reply("", tools=[("transfer", {"destination": "A"}), ("transfer", {"destination": "B"})])]
    await speak(session)
    second = await ear.tool(2)
    session.tool_result(ear.of("tool")[0][1].tool_call_id, "busy")
    session.tool_result(second.tool_call_id, "ok")
    await ear.spoken()
    assert len(peer.of("response.create")) == 2


async def test_a_tool_that_is_done_at_once_waits_for_the_other(make: Open, peer: OpenAIPeer) -> None:
    """One of two tools is refused before the second is even called: still there is one answer, with both results."""
    session, ear = await make()
    peer.replies = [Reply("", tools=[("transfer", {"destination": "A"}), ("transfer", {"destination": "B"})])]
    take = ear.on_tool

    def refuse_the_first(call: ToolCall) -> None:
        take(call)
        if len(ear.of("tool")) == 1:
            session.tool_result(call.tool_call_id, "busy")

    ear.on_tool = refuse_the_first  # type: ignore[method-assign]
    await speak(session)
    second = await ear.tool(2)
    await asyncio.sleep(0.03)
    assert len(peer.of("response.create")) == 1
    session.tool_result(second.tool_call_id, "ok")
    await ear.spoken()
    assert len(peer.of("response.create")) == 2


async def test_arguments_that_are_no_json_are_given_back(make: Open, peer: OpenAIPeer) -> None:
    """The conversation never sees them; the model is told and may mend them."""
    session, ear = await make()
    peer.replies = [Reply("", tools=[("transfer", '{"destination": ')]), Reply("Let me see.")]
    await speak(session)
    await ear.spoken()
    assert not ear.of("tool")
    assert "no JSON" in peer.of("conversation.item.create")[0]["item"]["output"]


async def test_a_tool_taken_back_asks_for_nothing(make: Open, peer: OpenAIPeer) -> None:
    """A caller who spoke into the announcement is answered after the turn, not before."""
    session, ear = await make()
    peer.replies = [Reply("I connect you.", tools=[("transfer", {"destination": "Sales"})])]
    await speak(session)
    call = await ear.tool()
    session.tool_result(call.tool_call_id, "interrupted")
    await peer.until(lambda: peer.of("conversation.item.create"))
    await asyncio.sleep(0.05)
    assert len(peer.of("response.create")) == 1
