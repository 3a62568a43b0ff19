"""Who is on the line: a caller, or somebody whom we have called."""

from __future__ import annotations

from secretary.voicenode.arrival import Arrival

CALLER = {"Caller-Caller-ID-Number": "+5511987650001", "Caller-Caller-ID-Name": "Ana", "domain_uuid": "d"}


def test_caller() -> None:
    """By the number and name that the switch shows."""
    arrival = Arrival.of("u", CALLER)
    assert (arrival.caller_number, arrival.caller_name) == ("+5511987650001", "Ana")


def test_whom_we_have_called() -> None:
    """A leg of our own shows the domain's number; on record is the one that was called."""
    arrival = Arrival.of("u", {**CALLER, "secretary_party_number": "+5511987650009"})
    assert (arrival.caller_number, arrival.caller_name) == ("+5511987650009", "")
