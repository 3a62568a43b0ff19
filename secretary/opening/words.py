"""Opening hours as they are spoken: whole sentences, times in words, for English and Brazilian Portuguese.

We are open Monday to Friday from nine to twelve and from one to six, and Saturday from nine to one.
Abrimos de segunda a sexta das nove às doze horas e das treze às dezoito horas.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from secretary.opening.timetable import Opening
from secretary.opening.weekly import DAY_MIN, Range, Weekly

PT: Final = "pt-br"
_EN_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_PT_DAYS = ("segunda", "terça", "quarta", "quinta", "sexta", "sábado", "domingo")
_EN_NUMBERS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    " eighteen nineteen"
).split()
_EN_TENS = ("", "", "twenty", "thirty", "forty", "fifty")
_PT_NUMBERS = (
    "zero um dois três quatro cinco seis sete oito nove dez onze doze treze catorze quinze dezesseis dezessete"
    " dezoito dezenove"
).split()
_PT_TENS = ("", "", "vinte", "trinta", "quarenta", "cinquenta")
_EN_MONTHS = (
    "January February March April May June July August September October November December"
).split()  # fmt: skip
_PT_MONTHS = (
    "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro"
).split()  # fmt: skip
_WEEK: Final = timedelta(days=6)


def describe(opening: Opening, language: str) -> str:
    """How things stand, in a sentence or two; empty where nothing is known."""
    portuguese = language.lower().startswith("pt")
    if opening.reason == "no_hours":
        return ""
    parts = [_now(opening, portuguese)]
    if opening.weekly is not None and not opening.weekly.is_empty:
        parts.append(week(opening.weekly, language))
    if not opening.open and opening.next_open is not None and opening.at is not None:
        parts.append(_again(opening.next_open, opening.at, portuguese))
    return " ".join(parts)


def closed_sentence(opening: Opening, language: str) -> str:
    """That it is closed and when it opens, without the week: the beginning of a greeting out of hours."""
    portuguese = language.lower().startswith("pt")
    parts = [_now(opening, portuguese)]
    if opening.next_open is not None and opening.at is not None:
        parts.append(_again(opening.next_open, opening.at, portuguese))
    return " ".join(parts)


def week(weekly: Weekly, language: str) -> str:
    """The week in one sentence; empty where it is never open."""
    portuguese = language.lower().startswith("pt")
    groups = _groups(weekly)
    if not groups:
        return ""
    spoken = [f"{_days(days, portuguese)} {_ranges(ranges, portuguese)}" for days, ranges in groups]
    if portuguese:
        return f"Abrimos {_listed(spoken, 'e', pause=True)}."
    return f"We are open {_listed(spoken, 'and', pause=True)}."


def _now(opening: Opening, portuguese: bool) -> str:
    holiday = opening.name and opening.reason in ("holiday", "special_day")
    if opening.open:
        if opening.until is None or opening.at is None:
            return "Estamos abertos agora." if portuguese else "We are open now."
        until = _time(opening.until, portuguese)
        if opening.until.date() != opening.at.date() and _minutes(opening.until):
            until += " de amanhã" if portuguese else " tomorrow"
        return f"Estamos abertos até {_article(until)}{until}." if portuguese else f"We are open until {until}."
    if holiday:
        return f"Hoje estamos fechados: {opening.name}." if portuguese else f"We are closed today: {opening.name}."
    return "No momento estamos fechados." if portuguese else "We are closed at the moment."


def _again(when: datetime, at: datetime, portuguese: bool) -> str:
    days = (when.date() - at.date()).days
    clock = _time(when, portuguese)
    if portuguese:
        if days == 0:
            day = "hoje"
        elif days == 1:
            day = "amanhã"
        elif timedelta(days=days) <= _WEEK:
            day = ("no " if when.weekday() >= 5 else "na ") + _PT_DAYS[when.weekday()]
        else:
            first = "primeiro" if when.day == 1 else _number(when.day, True)
            day = f"no dia {first} de {_PT_MONTHS[when.month - 1]}"
        return f"Abrimos de novo {day} {_at_pt(clock)}."
    if days == 0:
        day = "today"
    elif days == 1:
        day = "tomorrow"
    elif timedelta(days=days) <= _WEEK:
        day = f"on {_EN_DAYS[when.weekday()]}"
    else:
        day = f"on {_EN_MONTHS[when.month - 1]} {_ordinal(when.day)}"
    return f"We open again {day} at {clock}."


def _groups(weekly: Weekly) -> list[tuple[list[int], tuple[Range, ...]]]:
    """Weekdays with the same hours, in the order in which they come."""
    groups: list[tuple[list[int], tuple[Range, ...]]] = []
    for number, ranges in enumerate(weekly.days):
        if not ranges:
            continue
        same = next((days for days, others in groups if others == ranges), None)
        if same is None:
            groups.append(([number], ranges))
        else:
            same.append(number)
    return groups


def _days(days: Sequence[int], portuguese: bool) -> str:
    if len(days) == 7:
        return "todos os dias" if portuguese else "every day"
    names = _PT_DAYS if portuguese else _EN_DAYS
    runs: list[list[int]] = []
    for day in days:
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    spoken = []
    for run in runs:
        if len(run) > 2:
            spoken.append(
                f"de {names[run[0]]} a {names[run[-1]]}" if portuguese else f"{names[run[0]]} to {names[run[-1]]}"
            )
        else:
            spoken += [("no " if day >= 5 else "na ") + names[day] if portuguese else names[day] for day in run]
    return _listed(spoken, "e" if portuguese else "and")


def _ranges(ranges: Sequence[Range], portuguese: bool) -> str:
    if len(ranges) == 1 and ranges[0].start == 0 and ranges[0].end == DAY_MIN:
        return "vinte e quatro horas" if portuguese else "around the clock"
    return _listed([_range(one, portuguese) for one in ranges], "e" if portuguese else "and")


def _range(one: Range, portuguese: bool) -> str:
    if portuguese:
        # The word for hours stands once, at the end: das treze às dezoito horas.
        begin = _clock_pt(one.start).removesuffix(" horas").removesuffix(" hora")
        return f"{_from_pt(begin)} {_at_pt(_clock_pt(one.end))}"
    # Nine to six needs no more words; what begins or ends at other times of the day is told apart.
    plain = 5 * 60 <= one.start < 14 * 60 and 11 * 60 < one.end <= 20 * 60 and one.end - one.start <= 12 * 60
    return f"from {_clock_en(one.start, plain)} to {_clock_en(one.end, plain)}"


def _time(when: datetime, portuguese: bool) -> str:
    minutes = _minutes(when)
    return _clock_pt(minutes) if portuguese else _clock_en(minutes, 7 * 60 <= minutes <= 18 * 60)


def _minutes(when: datetime) -> int:
    return when.hour * 60 + when.minute


def _clock_en(minutes: int, plain: bool) -> str:
    hour, minute = divmod(minutes % DAY_MIN, 60)
    if minute == 0 and hour in (0, 12):
        return "noon" if hour else "midnight"
    spoken = _EN_NUMBERS[hour % 12 or 12]
    if minute:
        spoken += f" {'oh ' if minute < 10 else ''}{_number(minute, False)}"
    if plain:
        return spoken
    return f"{spoken} {'in the morning' if hour < 12 else 'in the afternoon' if hour < 18 else 'in the evening'}"


def _clock_pt(minutes: int) -> str:
    hour, minute = divmod(minutes % DAY_MIN, 60)
    if minute == 0 and hour in (0, 12):
        return "meio-dia" if hour else "meia-noite"
    hours = {1: "uma", 2: "duas", 21: "vinte e uma", 22: "vinte e duas", 0: "zero"}.get(hour, _number(hour, True))
    if minute == 30:
        return f"{hours} e meia" if hour else "meia-noite e meia"
    if minute:
        return f"{hours} e {_number(minute, True)}"
    return f"{hours} hora" if hour == 1 else f"{hours} horas"


def _article(clock: str) -> str:
    """Of a time after `até`: o meio-dia, a meia-noite, a uma, as nove."""
    if clock.startswith("meio"):
        return "o "
    return "a " if clock.startswith(("meia", "uma")) else "as "


def _at_pt(clock: str) -> str:
    """ao meio-dia, à meia-noite, à uma, às nove."""
    return {"o ": "ao ", "a ": "à ", "as ": "às "}[_article(clock)] + clock


def _from_pt(clock: str) -> str:
    return {"o ": "do ", "a ": "da ", "as ": "das "}[_article(clock)] + clock


def _number(value: int, portuguese: bool) -> str:
    numbers, tens = (_PT_NUMBERS, _PT_TENS) if portuguese else (_EN_NUMBERS, _EN_TENS)
    if value < 20:
        return numbers[value]
    ten, one = divmod(value, 10)
    if not one:
        return tens[ten]
    return f"{tens[ten]} e {numbers[one]}" if portuguese else f"{tens[ten]} {numbers[one]}"


def _ordinal(day: int) -> str:
    special = {1: "first", 2: "second", 3: "third", 5: "fifth", 8: "eighth", 9: "ninth", 12: "twelfth"}
    if day in special:
        return special[day]
    if day < 20:
        return _EN_NUMBERS[day] + "th"
    if day % 10 == 0:
        return {20: "twentieth", 30: "thirtieth"}[day]
    return f"{_EN_TENS[day // 10]} {special.get(day % 10, _EN_NUMBERS[day % 10] + 'th')}"


def _listed(parts: Sequence[str], word: str, *, pause: bool = False) -> str:
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])}{',' if pause else ''} {word} {parts[-1]}"
