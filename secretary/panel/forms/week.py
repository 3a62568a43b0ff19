"""A week as fields: a row a day, from and to, as often as a day is opened. Works without scripts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from secretary.opening.weekly import DAYS, MOST_RANGES, NotOpeningHours, read_ranges, read_weekly
from secretary.panel.words import Text

LEAST_PAIRS: Final = 2
"""Times of one day that are offered: before and after a break."""
DAY_NAMES: Final[Mapping[str, Text]] = dict(
    zip(
        DAYS,
        (_("Monday"), _("Tuesday"), _("Wednesday"), _("Thursday"), _("Friday"), _("Saturday"), _("Sunday")),
        strict=True,
    )
)
Pairs = list[tuple[str, str]]
"""From and to, as they were typed."""


def pairs_of(ranges: Any) -> Pairs:
    """Stored times as what stands in the fields."""
    if not isinstance(ranges, (list, tuple)):
        return []
    pairs: Pairs = []
    for one in ranges:
        begin, _dash, end = one.partition("-") if isinstance(one, str) else (one[0], "", one[1])
        pairs.append((begin, end))
    return pairs


class TimesWidget(forms.Widget):
    """Rows of pairs of times. The value is `{row: ["09:00-12:00"]}`, or `{row: [("09:00", "12:00")]}` as typed."""

    template_name = "panel/forms/times.html"
    needs_multipart_form = False

    def __init__(self, rows: Mapping[str, Text]) -> None:
        super().__init__()
        self.rows = rows

    def id_for_label(self, id_: str) -> str:
        return ""  # the rows have labels of their own

    def use_required_attribute(self, initial: Any) -> bool:
        return False

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(name, value, attrs)
        given = value if isinstance(value, Mapping) else {}
        described = (attrs or {}).get("aria-describedby", "")
        rows = []
        for row, label in self.rows.items():
            pairs = pairs_of(given.get(row, []))
            pairs += [("", "")] * (LEAST_PAIRS - len(pairs))
            shown = [
                {"number": number, "from": begin, "to": end, "from_name": f"{name}_{row}_{number}_from",
                 "to_name": f"{name}_{row}_{number}_to"}
                for number, (begin, end) in enumerate(pairs, start=1)
            ]  # fmt: skip
            rows.append({"label": label, "pairs": shown, "closed": not any(begin or end for begin, end in pairs)})
        context["widget"] |= {"rows": rows, "described": described, "one": len(rows) == 1}
        return context

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> dict[str, Pairs]:
        found: dict[str, Pairs] = {}
        for row in self.rows:
            pairs = [
                (str(data.get(f"{name}_{row}_{number}_from", "")).strip(),
                 str(data.get(f"{name}_{row}_{number}_to", "")).strip())
                for number in range(1, MOST_RANGES + 1)
            ]  # fmt: skip
            pairs = [pair for pair in pairs if pair != ("", "")]
            if pairs:
                found[row] = pairs
        return found

    def value_omitted_from_data(self, data: Mapping[str, Any], files: Any, name: str) -> bool:
        return False


class _TimesField(forms.Field):
    def __init__(self, rows: Mapping[str, Text], **kwargs: Any) -> None:
        super().__init__(required=False, widget=TimesWidget(rows), **kwargs)
        self.rows = rows

    def to_python(self, value: Any) -> dict[str, list[str]]:
        return {row: [self._joined(row, pair) for pair in pairs] for row, pairs in (value or {}).items()}

    def _joined(self, row: str, pair: tuple[str, str]) -> str:
        begin, end = pair
        if not begin or not end:
            raise forms.ValidationError(_("%(day)s: give both times, from and to."), params={"day": self.rows[row]})
        return f"{begin[:5]}-{end[:5]}"


class WeekField(_TimesField):
    """A week of opening hours, as it is stored."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(DAY_NAMES, **kwargs)

    def clean(self, value: Any) -> dict[str, list[str]]:
        week: dict[str, list[str]] = super().clean(value)
        for day, ranges in week.items():
            try:
                read_ranges(ranges)
            except NotOpeningHours as error:
                raise forms.ValidationError(
                    _("%(day)s: %(reason)s"), params={"day": DAY_NAMES[day], "reason": error.sentence}
                ) from error
        try:
            return read_weekly(week).as_json()
        except NotOpeningHours as error:
            raise forms.ValidationError(error.sentence) from error


class TimesField(_TimesField):
    """The times of one day, as they are stored."""

    ROW = "day"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__({self.ROW: _("Open")}, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return {self.ROW: value} if isinstance(value, (list, tuple)) else value

    def clean(self, value: Any) -> list[str]:
        times: Sequence[str] = super().clean(value).get(self.ROW, [])
        try:
            return [str(one) for one in read_ranges(list(times))]
        except NotOpeningHours as error:
            raise forms.ValidationError(error.sentence) from error
