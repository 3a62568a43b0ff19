"""Open or closed: weeks, nights, holidays, exceptions, and the days on which clocks jump."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secretary.opening.timetable import Special, Timetable
from secretary.opening.weekly import DAYS, NotOpeningHours, Range, Weekly, read_ranges, read_weekly

OFFICE = read_weekly({day: ["09:00-12:00", "13:00-18:00"] for day in DAYS[:5]})
BERLIN = ZoneInfo("Europe/Berlin")
SAO_PAULO = ZoneInfo("America/Sao_Paulo")


def table(weekly: Weekly = OFFICE, zone: str = "Europe/Berlin", **about: object) -> Timetable:
    return Timetable(zone, weekly, **about)  # type: ignore[arg-type]


def at(text: str, zone: ZoneInfo = BERLIN, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold)


@pytest.mark.parametrize(
    ("moment", "is_open", "changes"),
    [
        ("2026-11-23 08:59:59", False, "2026-11-23 09:00"),
        ("2026-11-23 09:00", True, "2026-11-23 12:00"),
        ("2026-11-23 11:59:59", True, "2026-11-23 12:00"),
        ("2026-11-23 12:00", False, "2026-11-23 13:00"),
        ("2026-11-23 18:00", False, "2026-11-24 09:00"),
        ("2026-11-27 18:00", False, "2026-11-30 09:00"),
        ("2026-11-28 12:00", False, "2026-11-30 09:00"),
    ],
)
def test_a_week(moment: str, is_open: bool, changes: str) -> None:
    """Open from the first minute to before the last; closed over lunch, at night and at the weekend."""
    opening = table().at(at(moment))
    assert opening.open is is_open
    assert (opening.until if is_open else opening.next_open) == at(changes)


def test_nights() -> None:
    """A range over midnight belongs to the day on which it begins, and joins the next where they touch."""
    bar = read_weekly({"fri": ["20:00-00:00"], "sat": ["00:00-04:00", "20:00-04:00"]})
    opening = table(bar).at(at("2026-11-27 23:00"))
    assert opening.open and opening.until == at("2026-11-28 04:00")
    assert table(bar).at(at("2026-11-29 03:59")).open
    assert table(bar).at(at("2026-11-29 04:00")).next_open == at("2026-12-04 20:00")


def test_around_the_clock() -> None:
    """Open day and night there is no end to tell; never open, no beginning."""
    whole = read_weekly(dict.fromkeys(DAYS, ("00:00-24:00",)))
    assert (table(whole).at(at("2026-11-27 03:00")).open, table(whole).at(at("2026-11-27 03:00")).until) == (True, None)
    never = table(Weekly()).at(at("2026-11-27 03:00"))
    assert (never.open, never.next_open) == (False, None)


@pytest.mark.parametrize(
    ("weekly", "moment", "is_open", "changes"),
    [
        # 29 March 2026: 02:00 becomes 03:00. What begins or ends in the hour that is not there does so at the jump.
        ({"sun": ["02:30-06:00"]}, at("2026-03-29 03:00"), True, at("2026-03-29 06:00")),
        ({"sun": ["02:30-06:00"]}, at("2026-03-29 01:59"), False, at("2026-03-29 03:00")),
        ({"sat": ["22:00-02:30"]}, at("2026-03-29 01:59"), True, at("2026-03-29 03:00")),
        ({"sat": ["22:00-02:30"]}, at("2026-03-29 03:00"), False, at("2026-04-04 22:00")),
        ({"sun": ["02:15-02:45"]}, at("2026-03-29 01:00"), False, at("2026-04-05 02:15")),
        # 25 October 2026: the hour from 02:00 comes twice, and is open both times.
        ({"sun": ["02:00-03:00"]}, at("2026-10-25 02:30"), True, at("2026-10-25 03:00")),
        ({"sun": ["02:00-03:00"]}, at("2026-10-25 02:30", fold=1), True, at("2026-10-25 03:00")),
        ({"sat": ["22:00-02:30"]}, at("2026-10-25 02:29", fold=1), True, at("2026-10-25 02:30", fold=1)),
        ({"sun": ["02:30-06:00"]}, at("2026-10-25 02:30"), True, at("2026-10-25 06:00")),
        # The office opens at nine on the wall before and after.
        ({"sun": ["09:00-10:00"]}, at("2026-03-29 08:59"), False, at("2026-03-29 09:00")),
        ({"mon": ["09:00-10:00"]}, at("2026-10-24 12:00"), False, at("2026-10-26 09:00")),
    ],
)
def test_days_on_which_clocks_jump(
    weekly: dict[str, list[str]], moment: datetime, is_open: bool, changes: datetime
) -> None:
    """Daylight saving turns nobody away and keeps nobody too long."""
    opening = table(read_weekly(weekly)).at(moment)
    assert opening.open is is_open
    told = opening.until if is_open else opening.next_open
    assert told is not None and told.astimezone(UTC) == changes.astimezone(UTC)


def test_midnight_that_does_not_exist() -> None:
    """Where the clock jumps at midnight (São Paulo until 2018), the day begins at one."""
    opening = table(read_weekly({"sun": ["00:00-02:00"]}), "America/Sao_Paulo").at(at("2018-11-03 23:59", SAO_PAULO))
    assert opening.next_open is not None
    assert opening.next_open.astimezone(UTC) == datetime(2018, 11, 4, 3, 0, tzinfo=UTC)


def test_special_days() -> None:
    """A date before every year, one's own before the domain's, all of them before public holidays and the week."""
    christmas, eve = date(2026, 12, 25), date(2026, 12, 24)
    half = read_ranges(["09:00-12:00"])
    days = (
        Special(date(2020, 12, 24), (), "Christmas Eve", every_year=True, own=False),
        Special(eve, half, "Stocktaking", own=False),
        Special(christmas, half, "Sale", own=True),
        Special(christmas, (), "Closed", own=False),
    )
    holiday = table(specials=days, country="DE", subdivision="BY", language="en")
    opening = holiday.at(at("2026-12-24 10:00"))
    assert (opening.open, opening.reason, opening.name) == (True, "special_day", "Stocktaking")
    assert holiday.at(at("2026-12-25 10:00")).open
    assert holiday.at(at("2027-12-24 10:00")).name == "Christmas Eve"
    boxing = holiday.at(at("2026-12-26 10:00"))
    assert (boxing.open, boxing.reason) == (False, "holiday")


@pytest.mark.parametrize(
    ("country", "subdivision", "day", "is_open"),
    [
        ("BR", "SP", "2026-07-09", False),
        ("BR", "RJ", "2026-07-09", True),
        ("BR", "", "2026-11-20", False),
        ("DE", "BY", "2026-01-06", False),
        ("DE", "BE", "2026-01-06", True),
        ("US", "", "2026-11-26", False),
        ("", "", "2026-12-25", True),
        ("DE", "nowhere", "2026-12-25", False),
    ],
)
def test_public_holidays(country: str, subdivision: str, day: str, is_open: bool) -> None:
    """Of the country, and of the state where one is chosen."""
    assert table(country=country, subdivision=subdivision).at(at(f"{day} 10:00")).open is is_open


def test_the_holidays_name_is_in_the_language() -> None:
    """As the secretary says it."""
    names = {
        language: table(country="BR", language=language).at(at("2026-12-25 10:00")).name for language in ("en", "pt-br")
    }
    assert names == {"en": "Christmas Day", "pt-br": "Natal"}


@pytest.mark.parametrize(
    "value",
    [
        {"monday": ["09:00-18:00"]},
        {"mon": "09:00-18:00"},
        {"mon": ["9-18"]},
        {"mon": ["09:00-25:00"]},
        {"mon": ["09:00-09:00"]},
        {"mon": ["09:00-12:00", "11:00-13:00"]},
        {"mon": ["22:00-06:00"], "tue": ["05:00-12:00"]},
        {"mon": ["09:00-10:00"] * 7},
        {"mon": [None]},
        ["09:00-18:00"],
        None,
    ],
)
def test_what_is_no_week(value: object) -> None:
    """Said in a sentence, and never stored."""
    with pytest.raises(NotOpeningHours) as error:
        read_weekly(value)
    assert error.value.sentence


ZONES = ("Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Kathmandu")
RANGES = st.lists(st.integers(0, 1439), min_size=2, max_size=4, unique=True).map(sorted)


@given(
    st.lists(RANGES, min_size=7, max_size=7),
    st.datetimes(datetime(2024, 1, 1), datetime(2028, 1, 1)),
    st.sampled_from(ZONES),
)
@settings(max_examples=80)
def test_always_consistent(days: list[list[int]], moment: datetime, zone: str) -> None:
    """What is told about the next change is true: just before it nothing has changed, and at it everything has."""
    weekly = Weekly(tuple(tuple(Range(a, b) for a, b in zip(day[::2], day[1::2], strict=False)) for day in days))
    hours = Timetable(zone, weekly)
    now = moment.replace(tzinfo=UTC)
    opening = hours.at(now)
    change = opening.until if opening.open else opening.next_open
    if change is not None:
        assert change > now
        assert hours.at(change).open is not opening.open
        assert hours.at(change - timedelta(seconds=1)).open is opening.open
    assert read_weekly(weekly.as_json()) == weekly
