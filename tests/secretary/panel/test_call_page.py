"""One call: the conversation, what happened, how quick it was; and records that are odd."""

from __future__ import annotations

from html import unescape
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from secretary.models import Call, CallEvent, Utterance
from secretary.panel.one_call import LANE, lanes, stages, timeline
from secretary.panel.templatetags.panel import clock
from tenants.context import tenant_context
from tests.secretary.panel.cast import Cast


def page(client: Client, cast: Cast) -> str:
    response = client.get(reverse("panel:call", args=[cast.acme.domain.pk, cast.acme.objects["call_uuid"]]))
    assert response.status_code == 200
    return response.content.decode()


def test_whole_page(cast: Cast, alice: Client) -> None:
    """Who said what and when, where the caller interrupted, the timeline, the stages, the recording."""
    text = unescape(page(alice, cast))
    assert "Hello, acme. How can —" in text and "interrupted by the caller at 0:00" in text
    assert "acme sales please" in text and "Put through: acme sales" in text
    assert "put the caller through · it worked" in text
    assert "Until the greeting" in text and "84 ms" in text and "slowest of 3: 1500 ms" in text
    assert f"calls/{cast.acme.objects['call_uuid']}/recording" in text and "<audio" in text
    assert "Call acme back" in text


def test_callers_words_are_text(cast: Cast, alice: Client) -> None:
    """Markup out of a caller's name, words or events is shown, never run."""
    evil = "<img src=x onerror=alert(1)>"
    with tenant_context(cast.acme.domain.pk):
        Call.objects.update(caller_name=evil, outcome_detail=evil, node=evil, latency={evil: 3})
        Utterance.objects.update(text=evil)
        CallEvent.objects.update(kind=evil[:60], detail={evil: evil})
    assert "<img src=x" not in page(alice, cast)


def test_call_in_progress(cast: Cast, alice: Client) -> None:
    """A call that goes on has no length and no recording yet, and says so."""
    with tenant_context(cast.acme.domain.pk):
        Call.objects.update(outcome="in_progress", ended_at=None, recording="")
        Utterance.objects.all().delete()
    text = page(alice, cast)
    assert "The call is still going on" in text and "<audio" not in text


def test_not_recorded(cast: Cast, alice: Client) -> None:
    """A call without a recording says why; one whose file is gone says that."""
    with tenant_context(cast.acme.domain.pk):
        Call.objects.update(recording="")
    assert "was not recorded" in page(alice, cast)
    with tenant_context(cast.acme.domain.pk):
        Call.objects.update(recording="acme/gone.wav")
    assert "no longer on this server" in page(alice, cast)
    for state, words in (("waiting", "still on the switch"), ("missing", "was lost")):
        with tenant_context(cast.acme.domain.pk):
            Call.objects.update(recording="", recording_state=state)
        assert words in page(alice, cast)


def test_nobody_left(cast: Cast, alice: Client) -> None:
    """The call of a removed secretary to a removed destination still shows."""
    with tenant_context(cast.acme.domain.pk):
        Call.objects.update(secretary=None, destination=None, caller_name="", caller_number="")
    assert "Number withheld" in page(alice, cast)


@pytest.mark.parametrize(
    "latency",
    [None, [], "x", 3, {"greeting": "soon"}, {"greeting": None}, {"greeting": {"p50": "x"}}, {"greeting": True}],
)
def test_latency_of_another_shape(latency: Any) -> None:
    """What is no figure is left out."""
    assert stages(latency) == []


def test_stages_in_order() -> None:
    """Known stages come in the order a caller meets them, others after; bars are relative, slow ones are marked."""
    found = stages({"zeta": 10, "stop": 100, "response": {"count": 2, "p50": 2500, "max": 5000}, "greeting": 50})
    assert [str(stage.label) for stage in found][-1] == "zeta"
    assert [stage.share for stage in found] == [1.0, 50.0, 2.0, 1.0]
    assert [stage.slow for stage in found] == [False, True, False, False]


def spoken(start: int, end: int) -> Any:
    return SimpleNamespace(who="caller", text="", start_ms=start, end_ms=end, interrupted=False)


@given(st.lists(st.tuples(st.integers(0, 10**7), st.integers(0, 10**6)), max_size=20), st.floats(0, 10**4) | st.none())
def test_lanes_stay_inside(spans: list[tuple[int, int]], duration: float | None) -> None:
    """However long the call and its words, every bar begins inside its lane and can be seen."""
    call: Any = SimpleNamespace(caller_name="", secretary=None, duration_s=duration)
    for lane in lanes(call, [spoken(start, start + length) for start, length in spans]):
        for bar in lane.bars:
            assert 0 <= bar.x <= LANE and 3 <= bar.width <= LANE + 3


def test_reasons_in_words(cast: Cast, alice: Client) -> None:
    """Why a call ended is told in words; an unknown reason by its own name."""
    for reason, words in (("silent_caller", "the caller said nothing"), ("brand_new", "brand new"), ("", "In short")):
        with tenant_context(cast.acme.domain.pk):
            Call.objects.update(outcome="fallback", outcome_detail=reason)
        assert words in page(alice, cast)


def test_odd_events() -> None:
    """Unknown kinds show by name; nested or empty details are left out; the same entry twice shows once."""
    entry = SimpleNamespace(at_ms=5, kind="brand_new", detail={"a": [1], "b": {}, "c": "", "d": None, "some_thing": 7})
    shown = timeline([entry, entry])  # type: ignore[list-item]
    assert [(happening.label, happening.detail) for happening in shown] == [("brand new", "some thing: 7")]


@pytest.mark.parametrize(
    ("ms", "shown"), [(0, "0:00"), (999, "0:00"), (65_300, "1:05"), (3_600_000, "60:00"), (None, "0:00"), (-5, "0:00")]
)
def test_clock(ms: int | None, shown: str) -> None:
    """A moment of a call, as minutes and seconds."""
    assert clock(ms) == shown
