"""What a tool may do is decided outside of the model: places by name, callbacks to the caller, keys that are keys."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secretary.speech.contract import Place
from secretary.tools import names
from secretary.tools.about import setup_of
from secretary.tools.catalogue import TOOLS, built_in
from secretary.tools.policy import Caller, Refused, find_place, judge
from secretary.tools.schemas import check_schema, portable
from tests.cast import Tenant

SALES = Place("0a0a0a0a-0000-0000-0000-000000000001", "Sales", ("the sales department", "vendas"))
JOAO = Place("0a0a0a0a-0000-0000-0000-000000000002", "João Müller")
PLACES = (SALES, JOAO)
ANA = Caller("+5511987650001", "Ana", "55")


def test_every_built_in_tool_has_a_sound_schema() -> None:
    """Of the part of JSON Schema that every model takes, with places and without."""
    assert tuple(TOOLS) == names.BUILT_IN
    for tool in TOOLS.values():
        for places in ([], ["Sales", "João Müller"]):
            schema = tool.parameters(places)
            check_schema(schema)
            assert portable(schema)["type"] == "object"
        assert tool.description.isascii() and len(tool.description) < 500


def test_what_is_offered() -> None:
    """Nobody is put through where there is nobody; nothing is remembered, or paused, where nothing is kept."""
    everything = {tool.name for tool in built_in(names.BUILT_IN, ["Sales"], remembers=True, records=True)}
    assert everything == set(names.BUILT_IN)
    alone = {tool.name for tool in built_in(names.BUILT_IN, [], remembers=False, records=True)}
    assert alone == everything - {names.TRANSFER, names.CHECK_AVAILABLE, names.REMEMBER_CALLER}
    unrecorded = {tool.name for tool in built_in(names.BUILT_IN, ["Sales"], remembers=True, records=False)}
    assert unrecorded == everything - {names.PAUSE_RECORDING, names.RESUME_RECORDING}
    assert built_in([names.RESUME, "find_order"], ["Sales"], remembers=False, records=True) == []


@pytest.mark.parametrize(
    ("records", "tools", "kept"),
    [(True, [], True), (False, ["take_message"], True), (False, ["transfer"], False)],
)
def test_where_sound_is_kept(acme: Tenant, records: bool, tools: list[str], kept: bool) -> None:
    """Of calls that are recorded, and of messages."""
    profile = replace(acme.profile(), record_calls=records, tools=tuple(tools))
    assert setup_of(profile, call_uuid="", caller_number="", caller_name="").records is kept


@pytest.mark.parametrize("wanted", ["Sales", " sales ", "VENDAS", "The Sales Department", SALES.destination_uuid])
def test_a_place_by_any_of_its_names(wanted: str) -> None:
    """And it becomes its UUID."""
    judged = judge("transfer", {"destination": wanted}, places=PLACES, caller=ANA)
    assert judged == {"destination": "Sales", "destination_uuid": SALES.destination_uuid}


def test_without_accents() -> None:
    """Models drop them."""
    assert find_place("joao muller", PLACES) == JOAO


@pytest.mark.parametrize("wanted", ["+5511999999999", "1001", "", "Support"])
def test_no_other_place(wanted: str) -> None:
    """A number is no place, nor is anything else that the secretary does not have; the model is told which it has."""
    with pytest.raises(Refused) as refused:
        judge("transfer", {"destination": wanted}, places=PLACES, caller=ANA)
    assert refused.value.word == "unknown_destination" and "Sales, João Müller" in refused.value.detail


@given(st.text())
def test_a_place_or_none(wanted: str) -> None:
    """Whatever is said, only one's own places come out."""
    try:
        assert find_place(wanted, PLACES) in PLACES
    except Refused:
        pass


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({}, "no_consent"),
        ({"consent": False}, "no_consent"),
        ({"consent": "true"}, "no_consent"),
        ({"consent": True, "number": "+1 900 555 0199"}, "not_allowed"),
        ({"consent": True, "number": "011 98765-0002"}, "not_allowed"),
    ],
)
def test_a_callback_that_is_not_taken(arguments: dict[str, object], word: str) -> None:
    """Without consent, or to anybody else."""
    with pytest.raises(Refused) as refused:
        judge("request_callback", arguments, places=PLACES, caller=ANA)
    assert refused.value.word == word


def test_a_callback_goes_to_the_caller() -> None:
    """Also where the caller said the number in another way; what is dialled is what the network showed."""
    for number in ("", "11 98765-0001", "+55 11 98765 0001"):
        arguments = {"consent": True, **({"number": number} if number else {})}
        assert judge("request_callback", arguments, places=PLACES, caller=ANA)["number"] == "+5511987650001"


@pytest.mark.parametrize("caller", [ANA, Caller("anonymous", "", "55")])
def test_another_number_where_that_is_allowed(caller: Caller) -> None:
    """Only digits come out of what was said; whether they may be dialled is for the dialling rules."""
    for said, dialled in (("+55 (11) 98765-0002", "+5511987650002"), ("11 98765 0002;ext=1", "119876500021")):
        arguments = {"consent": True, "number": said}
        judged = judge("request_callback", arguments, places=PLACES, caller=caller, other_numbers=True)
        assert judged["number"] == dialled


def test_a_caller_without_a_number() -> None:
    """Is neither called back nor remembered."""
    for name, arguments in (("request_callback", {"consent": True}), ("remember_caller", {"fact": "x"})):
        with pytest.raises(Refused) as refused:
            judge(name, arguments, places=PLACES, caller=Caller("anonymous"))
        assert refused.value.word == "unknown_caller"


@pytest.mark.parametrize("digits", ["1", "12 34", "*9#", "555-0199"])
def test_keys(digits: str) -> None:
    """Digits, star and hash."""
    assert set(judge("send_dtmf", {"digits": digits}, places=(), caller=ANA)["digits"]) <= set("0123456789*#")


@pytest.mark.parametrize("digits", ["", "12a", "1,2", "1" * 21, "1\n2x", "w1"])
def test_no_keys(digits: str) -> None:
    """Nothing else: no pauses, no letters, nothing that a switch could take for a command."""
    with pytest.raises(Refused):
        judge("send_dtmf", {"digits": digits}, places=(), caller=ANA)
