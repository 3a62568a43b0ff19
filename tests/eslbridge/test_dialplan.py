"""The dialplan of a domain: well-formed whatever the names, and leading every caller to somebody."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eslbridge.dialplan import TRANSPORT_VARIABLES, Node, Plan, SecretaryEntry, Shape, render
from eslbridge.models import AudioTransport

DOMAIN = UUID("11111111-1111-4111-8111-111111111111")
RECEPTION = UUID("22222222-2222-4222-8222-222222222222")
PLAN = Plan(
    domain_uuid=DOMAIN,
    domain_name="acme.example",
    transport="direct-udp",
    nodes=(Node("10.0.0.5", 8022), Node("10.0.0.6", 8023)),
    secretaries=(
        SecretaryEntry("8001", RECEPTION, "Reception", "1000"),
        SecretaryEntry("8002", RECEPTION, "Night"),
    ),
)


def context_of(plan: Plan) -> ET.Element:
    context = ET.fromstring(render(plan, Shape.PLAIN)).find("context")  # noqa: S314  (our own text)
    assert context is not None
    return context


def route(plan: Plan, number: str) -> tuple[str, list[tuple[str, str]]]:
    """Name and actions of the first extension that matches, with `$1` put in, as FreeSWITCH's XML dialplan does it."""
    for extension in context_of(plan):
        condition = extension.find("condition")
        assert condition is not None and condition.get("field") == "destination_number"
        match = re.search(condition.get("expression", ""), number)
        if match:
            group = match.group(1) if match.groups() else ""
            actions = [(a.get("application", ""), a.get("data", "").replace("$1", group)) for a in condition]
            return extension.get("name", ""), actions
    raise AssertionError(f"{number} leads nowhere")


def data(actions: list[tuple[str, str]], application: str) -> list[str]:
    return [value for name, value in actions if name == application]


def test_secretary_is_named_by_literals() -> None:
    """Tenant and secretary come from the dialplan, never from a header of the call."""
    name, actions = route(PLAN, "8001")
    assert name == "voice_secretary_8001"
    settings = dict(value.split("=", 1) for value in data(actions, "set"))
    assert settings["domain_uuid"] == str(DOMAIN)
    assert settings["secretary_uuid"] == str(RECEPTION)
    assert settings["secretary_extension"] == "8001"
    assert settings["socket_resume"] == "true"
    assert settings["eslbridge_result"] == "no_app"


def test_pattern_takes_every_other_8xxx_and_nothing_else() -> None:
    """An extension mapped after the dialplan was installed still reaches a node, which knows who answers."""
    name, actions = route(PLAN, "8765")
    assert name == "voice_secretary_any"
    assert {"secretary_uuid=", "secretary_extension=8765"} <= set(data(actions, "set"))
    for number in ("800", "80011", "7001", "1001", "x8001", "8001 "):
        with pytest.raises(AssertionError):
            route(PLAN, number)


def test_both_sockets_list_every_node_and_begin_with_another() -> None:
    """FreeSWITCH takes the first node that accepts; after one died in mid-call another one comes first."""
    _, actions = route(PLAN, "8001")
    assert data(actions, "socket") == [
        "10.0.0.5:8022|10.0.0.6:8023 async full",
        "10.0.0.6:8023|10.0.0.5:8022 async full",
    ]


def test_order_of_what_must_not_fail() -> None:
    """Resume and watchdog before each socket, the result's road after it, and the fallback at the very end."""
    _, actions = route(PLAN, "8001")
    steps = [name if name != "set" else value.split("=")[0] for name, value in actions]
    first, second = (i for i, name in enumerate(steps) if name == "socket")
    assert steps.index("socket_resume") < first and steps.index("eslbridge_result") < first
    assert steps[first - 1] == steps[second - 1] == "api_result"
    assert "sched_del(wd-${uuid})" in actions[second - 2][1]
    stop = ("set", "api_result=${uuid_kill(${secretary_calling} ORIGINATOR_CANCEL)}")
    assert actions[first + 1] == actions[second + 1] == stop, "no telephone rings on for a node that is gone"
    assert steps[first + 2] == steps[second + 2] == "execute_extension"
    assert actions[-1] == ("transfer", "secretary_fallback_8001 XML acme.example")


def test_watchdog_leads_a_silent_listeners_caller_to_the_fallback() -> None:
    """After 8 s, under the name that the node and the fallback delete."""
    _, actions = route(PLAN, "8001")
    wanted = "${sched_api(+8 wd-${uuid} uuid_transfer ${uuid} secretary_fallback_8001 XML acme.example)}"
    assert f"api_result={wanted}" in data(actions, "set")
    _, actions = route(PLAN, "secretary_fallback_8001")
    assert actions[0] == ("set", "api_result=${sched_del(wd-${uuid})}")


@pytest.mark.parametrize(
    ("result", "application"),
    [("done", "hangup"), ("no_app", "log"), ("fallback", "transfer"), ("failed", "transfer"), ("busy", "transfer")],
)
@pytest.mark.parametrize("extension", ["8001", "8765"])
def test_what_follows_the_socket(extension: str, result: str, application: str) -> None:
    """`done` hangs up, a node that said nothing leaves it to the next one, anything else is the fallback."""
    _, calling = route(PLAN, extension)
    target = data(calling, "execute_extension")[0].replace("${eslbridge_result}", result)
    assert target.endswith(" XML acme.example")
    _, actions = route(PLAN, target.split(" ")[0])
    assert [name for name, _ in actions] == [application]
    if application == "transfer":
        assert actions[0][1] == f"secretary_fallback_{extension} XML acme.example"


@pytest.mark.parametrize(
    ("extension", "domain_fallback", "end"),
    [("8001", "", "1000"), ("8002", "", "after_ai"), ("8765", "", "after_ai"), ("8002", "2000", "2000")],
)
def test_every_fallback_ends_with_somebody(extension: str, domain_fallback: str, end: str) -> None:
    """The secretary's own number, else the domain's, else a tone and the end: never silence."""
    plan = replace(PLAN, fallback_number=domain_fallback)
    _, actions = route(plan, f"secretary_fallback_{extension}")
    target = actions[-1][1].split(" ")[0]
    if target == "after_ai":
        _, actions = route(plan, "after_ai")
        if domain_fallback:
            target = actions[-1][1].split(" ")[0]
        else:
            assert [name for name, _ in actions] == ["answer", "sleep", "playback", "hangup"]
    assert target == end


def test_what_is_told_of_a_call_of_ours() -> None:
    """A leg goes to a node and comes back to whoever sent it: no fallback of a caller's takes it, whatever happens."""
    name, actions = route(PLAN, "secretary_tell")
    assert name == "voice_secretary_tell" and actions[-1] == ("set", "socket_resume=false")
    assert data(actions, "socket") == ["10.0.0.5:8022|10.0.0.6:8023 async full"]
    assert not {"transfer", "execute_extension", "hangup"} & {application for application, _ in actions}
    later = "${sched_api(+8 wd-${uuid} uuid_transfer ${uuid} secretary_tell_over XML acme.example)}"
    assert f"api_result={later}" in data(actions, "set") and "api_result=${sched_del(wd-${uuid})}" in data(
        actions, "set"
    )
    _, actions = route(PLAN, "secretary_tell_over")
    assert actions == [("set", "secretary_told=over"), ("set", "park_timeout=20"), ("park", "")]


def test_silence_only_where_a_websocket_carries_the_audio() -> None:
    """A parked channel needs it to play; over direct UDP it would collide with the node's frames."""
    assert set(TRANSPORT_VARIABLES) == set(AudioTransport.values)
    for transport in AudioTransport.values:
        _, actions = route(replace(PLAN, transport=transport), "8001")
        silence = "send_silence_when_idle=400" in data(actions, "set")
        assert silence == (not transport.startswith("direct-udp"))
        assert silence != ("send_silence_when_idle" in data(actions, "unset"))
    _, actions = route(replace(PLAN, transport="mod-audio-stream"), "8001")
    assert {"STREAM_BUFFER_SIZE=20", "STREAM_HEART_BEAT=15", "STREAM_SUPPRESS_LOG=true"} <= set(data(actions, "set"))


@given(st.text(max_size=300))
def test_hostile_names_stay_text(name: str) -> None:
    """A secretary's name can neither end a comment nor add an action, nor be expanded by FreeSWITCH."""
    hostile = replace(PLAN, secretaries=(SecretaryEntry("8001", RECEPTION, name),))
    plain = replace(PLAN, secretaries=(SecretaryEntry("8001", RECEPTION, "x"),))
    wanted = [ET.tostring(e) for e in context_of(plain)]
    assert [ET.tostring(e) for e in context_of(hostile)] == wanted
    comments = re.findall(r"<!--(.*?)-->", render(hostile, Shape.PLAIN), re.DOTALL)
    assert not any("${" in comment for comment in comments)


@pytest.mark.parametrize(
    "name", ["--><action application='system' data='id'/><!--", "${system id}", "a--b---", "\0\r\n"]
)
def test_the_worst_names(name: str) -> None:
    """The same for those that somebody would try."""
    plan = replace(PLAN, secretaries=(SecretaryEntry("8001", RECEPTION, name),))
    assert not [a for a in context_of(plan).iter("action") if a.get("application") == "system"]


@pytest.mark.parametrize(
    "change",
    [
        {"domain_name": 'acme"/><x'},
        {"domain_name": "acme.example\n"},
        {"domain_name": "${uuid}"},
        {"domain_name": ""},
        {"transport": "carrier-pigeon"},
        {"nodes": ()},
        {"nodes": (Node("10.0.0.5|evil", 8022),)},
        {"nodes": (Node("::1", 8022),)},
        {"nodes": (Node("a b", 8022),)},
        {"nodes": (Node("node", 0),)},
        {"nodes": tuple(Node("node", 8022) for _ in range(51))},
        {"fallback_number": "1000 XML public"},
        {"fallback_number": "\uff11\uff10\uff10\uff10"},
        {"watchdog_s": 0},
        {"secretaries": (SecretaryEntry("9001", RECEPTION, "x"),)},
        {"secretaries": (SecretaryEntry("8001", RECEPTION, "x", "${x}"),)},
        {"secretaries": (SecretaryEntry("8001", RECEPTION, "x"), SecretaryEntry("8001", RECEPTION, "y"))},
    ],
)
def test_what_does_not_belong_into_a_dialplan_is_refused(change: dict[str, object]) -> None:
    """Nothing is rendered that FreeSWITCH could read as something else."""
    with pytest.raises(ValueError):
        replace(PLAN, **change)  # type: ignore[arg-type]


def test_fusionpbx_gets_the_same_extensions_without_a_context() -> None:
    """FusionPBX puts its rows into the context itself."""
    rows = ET.fromstring(f"<context>{render(PLAN, Shape.FUSIONPBX)}</context>")  # noqa: S314  (our own text)
    assert [ET.tostring(row).split() for row in rows] == [ET.tostring(row).split() for row in context_of(PLAN)]
    assert all(row.tag == "extension" for row in rows)


def test_printed_again_it_is_the_same() -> None:
    """The same plan gives the same text, UUIDs included: a difference means a change."""
    assert render(PLAN, Shape.PLAIN) == render(PLAN, Shape.PLAIN)
    uuids = [extension.get("uuid") for extension in context_of(PLAN)]
    assert len(set(uuids)) == len(uuids)
