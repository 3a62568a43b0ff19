"""Tags and filters of the panel's templates: icons, names, times, lengths."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Protocol

from django import template
from django.forms import CheckboxInput, Select
from django.forms.boundfield import BoundField
from django.templatetags.static import static
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from secretary.panel import words as vocabulary
from secretary.panel.audio import stored_file
from secretary.panel.dial_words import reason_of
from secretary.panel.pages import Group

register = template.Library()

NONE = "\N{EN DASH}"
"""What stands where there is nothing to say."""


class Named(Protocol):
    """A row that knows who called."""

    caller_name: str
    caller_number: str


class Lasting(Protocol):
    """A row that knows when it began and ended."""

    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None


@register.simple_tag
def icon(name: str, extra: str = "") -> SafeString:
    """A picture out of icons.svg; decoration only, so hidden from screen readers."""
    return format_html(
        '<svg class="icon {}" aria-hidden="true" focusable="false"><use href="{}#{}"/></svg>',
        extra,
        static("panel/icons.svg"),
        name,
    )


@register.filter
def words(text: str) -> list[str]:
    """Split at spaces: `"a b"|words`."""
    return text.split()


@register.filter
def holds_current(groups: list[Group]) -> bool:
    """Whether the page's own entry is in one of these groups of the navigation."""
    return any(group.current for group in groups)


@register.filter
def initials(user: Any) -> str:
    """Up to two letters that stand for a person."""
    parts = (user.get_full_name() or user.get_username()).replace(".", " ").split()
    return "".join(part[0] for part in (parts[:1] + parts[1:][-1:]))


@register.filter
def caller(row: Named) -> str:
    """The caller's name, else the number, else words that say that both are withheld."""
    return row.caller_name or row.caller_number or _("Number withheld")


@register.filter
def dial_reason(text: str) -> str:
    """Why a job ended: the policy's reasons in words, everything else as it is."""
    return str(reason_of(text))


@register.filter
def clock(ms: int | None) -> str:
    """A moment within a call as minutes and seconds: 65300 ms is 1:05."""
    seconds = max(0, int(ms or 0)) // 1000
    return f"{seconds // 60}:{seconds % 60:02d}"


def length(span: timedelta) -> str:
    """A duration for reading: `42 s`, `3 min 05 s`, `1 h 02 min`."""
    seconds = max(0, round(span.total_seconds()))
    if seconds < 60:
        return _("%(seconds)d s") % {"seconds": seconds}
    if seconds < 3600:
        return _("%(minutes)d min %(seconds)02d s") % {"minutes": seconds // 60, "seconds": seconds % 60}
    return _("%(hours)d h %(minutes)02d min") % {"hours": seconds // 3600, "minutes": seconds % 3600 // 60}


@register.filter
def length_of_call(call: Lasting) -> str:
    """How long the call lasted, from answer (else arrival) to end; a dash while it goes on."""
    if call.ended_at is None:
        return NONE
    return length(call.ended_at - (call.answered_at or call.started_at))


@register.filter
def moment(when: datetime) -> str:
    """A time as short as it can be understood: today's by the clock, this year's without the year."""
    local, now = timezone.localtime(when), timezone.localtime()
    time = date_format(local, "H:i")
    if local.date() == now.date():
        return _("Today, %(time)s") % {"time": time}
    if local.date() == (now - timedelta(days=1)).date():
        return _("Yesterday, %(time)s") % {"time": time}
    # Translators: what Django's `date` filter calls a format: day and month, without the year.
    day = date_format(local, _("M j") if local.year == now.year else "SHORT_DATE_FORMAT")
    return f"{day}, {time}"


@register.filter
def language_name(code: str) -> str:
    """A language in the reader's own language."""
    try:
        return str(translation.get_language_info(code)["name_translated"])
    except KeyError:
        return code


@register.simple_tag
def outcome_pill(call: Any) -> SafeString:
    """What became of a call, and to whom it was put through."""
    outcome = vocabulary.outcome(call.outcome)
    destination = getattr(call.destination, "name", "") if call.outcome == "transferred" else ""
    label = f"{outcome.label}: {destination}" if destination else outcome.label
    return format_html('<span class="pill {}">{}</span>', outcome.tone, label)


@register.filter
def is_switch(field: BoundField) -> bool:
    """A yes or no, drawn as a switch with its label to the right."""
    return isinstance(field.field.widget, CheckboxInput)


@register.filter
def label_with_optional(field: BoundField) -> SafeString:
    """The label; a field that may stay empty says so. A list to choose from is never empty."""
    if field.field.required or isinstance(field.field.widget, Select):
        return field.label_tag()
    return field.label_tag(format_html('{} <span class="optional">({})</span>', field.label, _("optional")))


@register.filter
def width(field: BoundField) -> str:
    """How much of the line the field takes: `half`, `third`, or all of it."""
    return str(getattr(field.form, "widths", {}).get(field.name, ""))


@register.filter
def playable(path: str) -> bool:
    """Whether the sound that a row names is there."""
    return stored_file(path) is not None
