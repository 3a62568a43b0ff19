"""Is it open at a moment, until when, and when next: from a week, special days and public holidays, in a time zone.

What counts is the clock on the wall. Where it jumps forward, a time that does not exist is the moment of the jump;
where it goes back, an hour that comes twice is open both times: nobody is turned away by daylight saving.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from datetime import date as Date
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from secretary.opening.holiday_calendar import public_holidays
from secretary.opening.weekly import DAY_MIN, Range, Weekly

LOOK_AHEAD: Final = 400
"""Days in which the next opening is looked for: what happens once a year is found."""
ALWAYS: Final = timedelta(days=9)
"""Open for longer than this without a break: no end is told."""


@dataclass(frozen=True, slots=True)
class Opening:
    """How things stand at a moment. Times are aware; None: no such time is known."""

    open: bool
    reason: str
    """hours (the week), special_day, holiday, switch (the telephone system says so), no_hours (nothing is set up)."""
    until: datetime | None = None
    """Open: when it closes."""
    next_open: datetime | None = None
    """Closed: when it opens."""
    name: str = ""
    """Of the holiday or special day."""
    at: datetime | None = field(default=None, compare=False)
    """The moment, in the domain's time zone."""
    weekly: Weekly | None = None


@dataclass(frozen=True, slots=True)
class Special:
    """A day that is not like its weekday; `own`: of these hours alone, which goes before those of the whole domain."""

    date: Date
    ranges: tuple[Range, ...] = ()
    name: str = ""
    every_year: bool = False
    own: bool = True

    def falls_on(self, day: Date) -> bool:
        if self.every_year:
            return (self.date.month, self.date.day) == (day.month, day.day)
        return self.date == day


@dataclass(frozen=True, slots=True)
class Day:
    """What holds on a date."""

    ranges: tuple[Range, ...]
    reason: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Timetable:
    """Everything that decides. `country` empty: no public holidays."""

    zone: str
    weekly: Weekly
    specials: tuple[Special, ...] = field(default=())
    country: str = ""
    subdivision: str = ""
    language: str = "en"

    def day(self, day: Date) -> Day:
        falling = [special for special in self.specials if special.falls_on(day)]
        if falling:
            chosen = min(falling, key=lambda special: (special.every_year, not special.own))
            return Day(chosen.ranges, "special_day", chosen.name)
        if self.country:
            name = public_holidays(self.country, self.subdivision, day.year, self.language).get(day)
            if name is not None:
                return Day((), "holiday", name)
        return Day(self.weekly.days[day.weekday()], "hours")

    def at(self, moment: datetime) -> Opening:
        """How things stand at an aware moment."""
        zone = ZoneInfo(self.zone)
        local = moment.astimezone(zone)
        today = self.day(local.date())
        for begin, end in self._spans(local.date()):
            if end <= moment:
                continue
            if begin <= moment:
                until = end.astimezone(zone) if end - moment <= ALWAYS else None
                return Opening(True, today.reason, until, None, today.name, local, self.weekly)
            return Opening(False, today.reason, None, begin.astimezone(zone), today.name, local, self.weekly)
        return Opening(False, today.reason, None, None, today.name, local, self.weekly)

    def _spans(self, first: Date) -> Iterator[tuple[datetime, datetime]]:
        """The times when it is open, from the day before, in UTC, without breaks between those that touch."""
        zone = ZoneInfo(self.zone)
        begin = end = None
        for number in range(-1, LOOK_AHEAD):
            day = first + timedelta(days=number)
            for one in self.day(day).ranges:
                since = wall_time(day, one.start, zone, last=False)
                till = wall_time(day, one.end, zone, last=True)
                if till <= since:
                    continue  # the whole of it was skipped by the clock
                if end is not None and since <= end:
                    end = max(end, till)
                    continue
                if begin is not None and end is not None:
                    yield begin, end
                begin, end = since, till
            if begin is not None and end is not None and end - begin > 2 * ALWAYS:
                break
        if begin is not None and end is not None:
            yield begin, end


def wall_time(day: Date, minutes: int, zone: ZoneInfo, *, last: bool) -> datetime:
    """The instant (UTC) of a time on the wall. `last`: of two, the later one."""
    days, minute = divmod(minutes, DAY_MIN)
    naive = datetime.combine(day + timedelta(days=days), time(*divmod(minute, 60)))
    instant = naive.replace(tzinfo=zone, fold=int(last)).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == naive:
        return instant
    return _jump(naive, zone)


@lru_cache(maxsize=64)
def _jump(naive: datetime, zone: ZoneInfo) -> datetime:
    """The instant at which the clock jumped over a time: where the offset changes, between both readings of it."""
    early, late = sorted(naive.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    before = early.astimezone(zone).utcoffset()
    while late - early > timedelta(seconds=1):
        middle = early + (late - early) / 2
        if middle.astimezone(zone).utcoffset() == before:
            early = middle
        else:
            late = middle
    return late.replace(microsecond=0)  # clocks jump on whole seconds
