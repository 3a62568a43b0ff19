"""The dialplan: FreeSWITCH's XML, variables, and what a malformed one does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eslbridge.simulator import Caller, StandInSwitch, sounds
from eslbridge.simulator.dialplan import expand
from eslbridge.simulator.originate import parse, split_variables

XML = """<?xml version="1.0"?>
<include><context name="acme.example">
  <extension name="always" continue="true">
    <condition><action application="set" data="seen=yes" inline="true"/></condition>
  </extension>
  <extension name="secretary">
    <condition field="destination_number" expression="^(8\\d{3})$"/>
    <condition field="${seen}" expression="^yes$">
      <action application="set" data="secretary_extension=$1"/>
      <action application="set" data="number=$1 for ${caller_id_number}"/>
      <action application="hangup" data="CALL_REJECTED"/>
      <anti-action application="hangup" data="USER_BUSY"/>
    </condition>
  </extension>
  <extension name="fallback">
    <condition field="destination_number" expression="^fallback$" break="never">
      <action application="set" data="reached=fallback"/>
    </condition>
    <condition field="caller_id_number" expression="^1000$">
      <action application="hangup" data="NO_ANSWER"/>
    </condition>
  </extension>
</context></include>"""


async def test_xml(switch: StandInSwitch) -> None:
    """Contexts, continue, inline, conditions on variables, captures: a call runs through the right actions."""
    switch.dialplan.load_xml(XML)
    call = switch.place_call("acme.example", "8017", Caller())
    await call.ended.wait()
    assert call.hangup_cause == "CALL_REJECTED"
    assert call.variable("seen") == "yes"
    assert ("set", "number= for 1000") in call.history  # $1 belongs to the last condition that matched
    call = switch.place_call("acme.example", "fallback", Caller())
    await call.ended.wait()
    assert (call.variable("reached"), call.hangup_cause) == ("fallback", "NO_ANSWER")


async def test_unknown_application_hangs_up(switch: StandInSwitch) -> None:
    """As in FreeSWITCH: DESTINATION_OUT_OF_ORDER."""
    switch.dialplan.add("acme.example", "8001", [("nosuchapp", "")])
    call = switch.place_call("acme.example", "8001", Caller())
    await call.ended.wait()
    assert call.hangup_cause == "DESTINATION_OUT_OF_ORDER"


async def test_execute_extension(switch: StandInSwitch) -> None:
    """The other extension's actions run, and then our own go on."""
    switch.dialplan.add("acme.example", "after_no_app", [("set", "one=1")])
    actions = [("set", "r=no_app"), ("execute_extension", "after_${r} XML ${domain_name}"), ("set", "two=2")]
    switch.dialplan.add("acme.example", "8001", actions)
    call = switch.place_call("acme.example", "8001", Caller())
    await call.ended.wait()
    assert (call.variable("one"), call.variable("two")) == ("1", "2")


@pytest.mark.parametrize("text", ["", "<a>", "<include/>", "no xml at all", "<extension name='x'/>"])
def test_no_dialplan(text: str) -> None:
    """What is no dialplan is refused when it is loaded, not when somebody calls."""
    switch = StandInSwitch()
    with pytest.raises(ValueError, match="dialplan"):
        switch.dialplan.load_xml(text)


def test_expand() -> None:
    """Variables, API calls with variables inside, slices, and text that only looks like one."""
    variables = {"uuid": "u-1", "name": "abcdef"}
    calls: list[str] = []

    def call(name: str, rest: str) -> str:
        calls.append(f"{name} {rest}")
        return "+OK"

    def run(text: str) -> str:
        return expand(text, lambda name: variables.get(name, ""), call)

    assert run("a ${uuid} b") == "a u-1 b"
    assert run("${name:1:2}${none}.") == "bc."
    assert run("$${name}") == "abcdef"
    assert run("x=${sched_api(+8 wd-${uuid} uuid_kill ${uuid})}") == "x=+OK"
    assert calls == ["sched_api +8 wd-u-1 uuid_kill u-1"]
    assert run("${unclosed") == "${unclosed"


@given(st.text(alphabet="ab${}():1 ", max_size=40))
def test_expand_never_fails(text: str) -> None:
    """No text of a caller can break the expansion."""
    assert isinstance(expand(text, lambda name: "", lambda name, rest: ""), str)


def test_dial_strings() -> None:
    """Variables in braces and brackets, quotes and escapes, several endpoints."""
    variables, rest = split_variables("{a=1,b='x, y',c=p\\,q}user/1001@acme.example")
    assert variables == {"a": "1", "b": "x, y", "c": "p,q"}
    assert rest == "user/1001@acme.example"
    both = parse("{a=1}[b=2]user/1@d|user/2@d")
    assert [(one.endpoint, one.variables) for one in both] == [
        ("user/1@d", {"a": "1", "b": "2"}),
        ("user/2@d", {"a": "1"}),
    ]


def test_tones_and_silence() -> None:
    """Length of what `playback` makes by itself: on and off times, loops, silence in ms."""
    assert len(sounds.find("tone_stream://%(250,250,480,620);loops=8")) == 8 * 500 * 16
    assert len(sounds.find("silence_stream://300")) == 300 * 16
    assert len(sounds.find("file_string://silence_stream://20!tone_stream://%(20,0,440)")) == 40 * 16
    with pytest.raises(FileNotFoundError):
        sounds.find("/none.wav")
