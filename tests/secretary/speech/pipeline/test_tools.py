"""Tools that a pipeline's model uses."""

from __future__ import annotations

import asyncio

from secretary.speech.contract import ToolCall
from secretary.speech.pipeline import session as session_module
from secretary.speech.pipeline.words import words
from tests.secretary.speech.pipeline.conftest import Stage

SORRY = words("en").not_caught


async def test_a_tool(stage: Stage) -> None:
    """What is said before a tool is handed over before it; its result goes on with the model."""
    stage.chat.then(
        stage.chat.says("I will see who is there.", calls=(("check_available", '{"who": "sales"}'),)),
        stage.chat.says("Sales is free now."),
    )
    session = await stage.call()
    stage.turn()
    await stage.listener.until(stage.listener.tools)
    (call,) = stage.listener.tools()
    assert stage.listener.kinds == ["caller", "thinking", "voice", "tool"] and stage.listener.finished()
    assert (call.name, call.arguments) == ("check_available", {"who": "sales"})
    session.tool_result(call.tool_call_id, "ok", "free")
    await stage.listener.until_said("Sales is free now.")
    assert stage.chat.requests[1].json["messages"][2:] == [
        {
            "role": "assistant",
            "content": "I will see who is there.",
            "tool_calls": [
                {
                    "id": call.tool_call_id,
                    "type": "function",
                    "function": {"name": "check_available", "arguments": '{"who": "sales"}'},
                }
            ],
        },
        {"role": "tool", "tool_call_id": call.tool_call_id, "content": "ok: free"},
    ]


async def test_tools_side_by_side(stage: Stage) -> None:
    """Parallel calls run together; the one that takes the caller away comes after all others."""
    wanted = (("transfer", '{"destination_uuid": "u-sales"}'), ("check_available", "{}"), ("business_info", "{}"))
    stage.chat.then(stage.chat.says(calls=wanted), stage.chat.says("Nobody answers there."))
    session = await stage.call()
    stage.turn()
    await stage.listener.until(lambda: len(stage.listener.tools()) == 2)
    first, second = stage.listener.tools()
    assert [first.name, second.name] == ["check_available", "business_info"]
    session.tool_result(second.tool_call_id, "ok")
    session.tool_result(first.tool_call_id, "ok")
    await stage.listener.until(lambda: len(stage.listener.tools()) == 3)
    session.tool_result(stage.listener.tools()[2].tool_call_id, "no_answer")
    await stage.listener.until_said("Nobody answers there.")
    results = stage.chat.requests[1].json["messages"][3:]
    assert [result["content"] for result in results] == ["no_answer", "ok", "ok"]


async def test_a_tool_that_is_answered_at_once(stage: Stage) -> None:
    """The conversation may refuse a tool from inside the call of it."""
    session = await stage.call()
    stage.listener.answer_tools = lambda call: session.tool_result(call.tool_call_id, "busy")
    stage.chat.then(stage.chat.says(calls=(("check_available", "{}"),)), stage.chat.says("Please hold on."))
    stage.turn()
    await stage.listener.until_said("Please hold on.")


async def test_what_a_model_invents(stage: Stage) -> None:
    """Unknown tools and broken arguments go back to the model and never reach the platform."""
    stage.chat.then(
        stage.chat.says(calls=(("delete_everything", "{}"), ("check_available", '{"who": '))),
        stage.chat.says("I am sorry about that."),
    )
    await stage.call()
    stage.turn()
    await stage.listener.until_said("I am sorry about that.")
    assert not stage.listener.tools()
    results = [message["content"] for message in stage.chat.requests[1].json["messages"] if message["role"] == "tool"]
    assert results == ["unknown: there is no tool named delete_everything", "invalid: the arguments are no JSON object"]


async def test_a_tool_taken_back(stage: Stage) -> None:
    """A caller who objects to a transfer is listened to: the model is not asked before the caller has spoken."""
    stage.chat.then(stage.chat.says("I put you through.", calls=(("transfer", "{}"),)), stage.chat.says("All right."))
    session = await stage.call()
    stage.turn()
    await stage.listener.until(stage.listener.tools)
    session.interrupted("answer-1", "I put", 300)
    session.tool_result(stage.listener.tools()[0].tool_call_id, "interrupted")
    session.turn_started()
    await asyncio.sleep(0.05)
    assert len(stage.chat.requests) == 1
    stage.stt.then(stage.stt.hears("No, wait."))
    session.turn_ended(bytes(9600))
    await stage.listener.until_said("All right.")
    assert [message["role"] for message in stage.chat.requests[1].json["messages"]] == [
        "system",
        "user",
        "assistant",
        "tool",
        "user",
    ]


async def test_a_slow_tool_and_an_impatient_caller(stage: Stage) -> None:
    """A caller who speaks while a tool works is answered; its result, when it comes, is told as well."""
    stage.chat.then(
        stage.chat.says(calls=(("business_info", "{}"),)),
        stage.chat.says("I am still looking."),
        stage.chat.says("We open at nine."),
    )
    session = await stage.call()
    stage.turn()
    await stage.listener.until(stage.listener.tools)
    stage.turn()
    await stage.listener.until_said("I am still looking.")
    assert "still running" in stage.chat.requests[1].json["messages"][3]["content"]
    await stage.listener.until_finished()
    session.tool_result(stage.listener.tools()[0].tool_call_id, "ok", "9 to 5")
    await stage.listener.until_said("We open at nine.")
    assert stage.chat.requests[2].json["messages"][3]["content"] == "ok: 9 to 5"


async def test_a_cough_while_a_tool_works(stage: Stage) -> None:
    """The caller hears something, the model is not asked for nothing, and the result is told when it comes."""
    stage.chat.then(stage.chat.says(calls=(("business_info", "{}"),)), stage.chat.says("We open at nine."))
    stage.stt.then(stage.stt.hears("When do you open?"), stage.stt.hears(""))
    session = await stage.call()
    stage.turn()
    await stage.listener.until(stage.listener.tools)
    stage.turn()
    await stage.listener.until_said(SORRY)
    assert len(stage.chat.requests) == 1
    session.tool_result(stage.listener.tools()[0].tool_call_id, "ok", "9")
    await stage.listener.until_said("We open at nine.")


async def test_rounds_are_bounded(stage: Stage) -> None:
    """A model that uses tools without end is stopped, and the caller hears something."""
    session = await stage.call()
    stage.listener.answer_tools = lambda call: session.tool_result(call.tool_call_id, "ok")
    stage.chat.then(*[stage.chat.says(calls=(("check_available", "{}"),))] * 10)
    stage.turn()
    await stage.listener.until_said(words("en").no_answer)
    assert len(stage.chat.requests) == session_module.MOST_ROUNDS


def test_the_tool_call_of_the_contract() -> None:
    """What is told of a tool is what the contract says."""
    assert ToolCall("call-1", "transfer").arguments == {}
