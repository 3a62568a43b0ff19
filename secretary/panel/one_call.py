"""One call made ready for its page: lanes over time, stages of latency, the timeline, the facts in short.

Nothing here queries; a value that a newer or older node wrote in another shape is left out rather than breaking the
page.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby

from django.utils.formats import localize
from django.utils.translation import gettext as _

from secretary.models import Call, CallEvent, UsageRecord, Utterance
from secretary.panel.dial_words import CLOSED_ACTIONS, DIAL_REASONS
from secretary.panel.words import DETAILS, OUTCOMES, REASONS, RESULTS, STAGES, TOOLS, Text, event, reason

LANE = 1000
"""Width of a lane in the drawing's own units."""
MOST_FACTS = 6
"""Bound on the details shown of one entry of the timeline."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One line of the conversation."""

    who: str
    name: str
    text: str
    start_ms: int
    end_ms: int
    interrupted: bool


@dataclass(frozen=True, slots=True)
class Bar:
    """Somebody speaks: from `x`, `width` wide, both out of LANE."""

    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Lane:
    """One side of the call over time."""

    who: str
    label: str
    bars: list[Bar]


@dataclass(frozen=True, slots=True)
class Stage:
    """How long one step took. `share` of 100 is relative to the slowest stage."""

    label: Text
    figure: str
    detail: str
    share: float
    slow: bool


@dataclass(frozen=True, slots=True)
class Happening:
    """One entry of the timeline."""

    at_ms: int
    label: Text
    detail: str
    tone: str


@dataclass(frozen=True, slots=True)
class Fact:
    """A name and its value."""

    label: str
    value: str


def names(call: Call) -> dict[str, str]:
    """What to call the two sides."""
    secretary = call.secretary.name if call.secretary is not None else _("Secretary")
    return {"caller": call.caller_name or _("Caller"), "secretary": secretary}


def turns(call: Call, utterances: Iterable[Utterance]) -> list[Turn]:
    """The transcript, each line with who said it."""
    who = names(call)
    return [
        Turn(line.who, who.get(line.who, line.who), line.text, line.start_ms, line.end_ms, line.interrupted)
        for line in utterances
    ]


def length_ms(call: Call, utterances: Sequence[Utterance]) -> int:
    """How long the drawing is: to the end of the call, or of the last word where that is later or the call goes on."""
    spoken = max((line.end_ms for line in utterances), default=0)
    lasted = round((call.duration_s or 0) * 1000)
    return max(spoken, lasted, 1)


def lanes(call: Call, utterances: Sequence[Utterance]) -> list[Lane]:
    """Both sides over time; empty where nobody spoke."""
    if not utterances:
        return []
    whole = length_ms(call, utterances)
    who = names(call)

    def bar(line: Utterance) -> Bar:
        x = LANE * line.start_ms / whole
        return Bar(round(x, 1), round(max(LANE * line.end_ms / whole - x, 3), 1))

    return [Lane(side, who[side], [bar(line) for line in utterances if line.who == side]) for side in who]


def _milliseconds(value: object) -> tuple[int, int | None, int] | None:
    """Typical, worst (None: only one figure) and how often, out of a stage's entry; None for another shape."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return round(value), None, 1
    if isinstance(value, Mapping):
        typical, worst, count = value.get("p50"), value.get("max"), value.get("count", 1)
        if isinstance(typical, (int, float)) and isinstance(count, int):
            return round(typical), round(worst) if isinstance(worst, (int, float)) and count > 1 else None, count
    return None


def stages(latency: object) -> list[Stage]:
    """The stages that the node measured, known ones first and in the order in which a caller meets them."""
    if not isinstance(latency, Mapping):
        return []
    order = [*(name for name in STAGES if name in latency), *sorted(set(map(str, latency)) - set(STAGES))]
    found = [(name, figures) for name in order if (figures := _milliseconds(latency.get(name))) is not None]
    slowest = max((worst or typical for _name, (typical, worst, _count) in found), default=0) or 1
    return [_stage(name, figures, slowest) for name, figures in found]


def _stage(name: str, figures: tuple[int, int | None, int], slowest: int) -> Stage:
    typical, worst, count = figures
    label, slow_from = STAGES.get(name, (name.replace("_", " "), 0))
    detail = "" if worst is None else _("slowest of %(count)d: %(worst)d ms") % {"count": count, "worst": worst}
    return Stage(
        label=label,
        figure=_("%(ms)d ms") % {"ms": typical},
        detail=detail,
        share=round(max(100 * typical / slowest, 1), 1),
        slow=bool(slow_from) and typical >= slow_from,
    )


def timeline(events: Iterable[CallEvent]) -> list[Happening]:
    """What happened, in order. The same thing several times at the same moment shows once."""
    shown = (Happening(entry.at_ms, *_wording(entry)) for entry in events)
    return [entry for entry, _same in groupby(shown)]


def _wording(entry: CallEvent) -> tuple[Text, str, str]:
    label, tone = event(entry.kind)
    return label, _detail(entry.detail), tone


def _detail(detail: object) -> str:
    if not isinstance(detail, Mapping):
        return ""
    parts = []
    for name, value in list(detail.items())[:MOST_FACTS]:
        if value in ("", None) or isinstance(value, (list, Mapping)):
            continue
        parts.append(_in_words(str(name), str(value)))
    return " · ".join(parts)[:400]


def _in_words(name: str, value: str) -> str:
    """One detail: words that speak for themselves where there are some, else `name: value`."""
    words: Text | None = None
    if name == "name":
        words = TOOLS.get(value)
    elif name == "outcome":
        words = OUTCOMES[value].label if value in OUTCOMES else RESULTS.get(value) or DIAL_REASONS.get(value)
    elif name in ("detail", "reason"):
        words = REASONS.get(value) or DIAL_REASONS.get(value)
    elif name == "action":
        words = CLOSED_ACTIONS.get(value)
    return str(words) if words is not None else f"{DETAILS.get(name, name.replace('_', ' '))}: {value}"


def used(usage: Iterable[UsageRecord]) -> list[Fact]:
    """What the call used of speech services, and its price."""
    rows = list(usage)
    found = [
        Fact(
            " ".join(part for part in (record.provider, record.model) if part),
            f"{localize(record.quantity.normalize())} {record.get_unit_display()}"
            + (f" · {localize(record.amount)} {record.currency}" if record.amount else ""),
        )
        for record in rows
    ]
    if total := sum((record.amount for record in rows), Decimal(0)):
        found.append(Fact(_("Together"), f"{localize(total)} {rows[0].currency}"))
    return found


def facts(call: Call) -> list[Fact]:
    """The call in short: where it went, why, by which road."""
    rows = [
        (_("Name given"), call.facts.get("name", "")),
        (_("Number given"), call.facts.get("number", "")),
        (_("About"), call.facts.get("reason", "")),
        (_("Urgency"), _("urgent") if call.facts.get("urgency") == "urgent" else ""),
        (_("Put through to"), call.destination.name if call.destination is not None else ""),
        (_("Reason"), str(reason(call.outcome_detail))),
        (_("Secretary"), call.secretary.name if call.secretary is not None else ""),
        (_("Extension"), call.extension),
        (_("Told first"), call.disclosure),
        (_("Version of the facts"), str(call.prompt_version or "")),
        (_("Speech service"), " ".join(part for part in (call.provider, call.model) if part)),
        (_("Audio"), call.transport),
        (_("Voice node"), call.node),
        (_("Call ID"), str(call.pk)),
    ]
    return [Fact(label, value) for label, value in rows if value]
