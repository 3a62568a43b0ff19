"""How hours are said: whole sentences, in both languages."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from secretary.opening.timetable import Opening, Timetable
from secretary.opening.weekly import DAYS, read_weekly
from secretary.opening.words import closed_sentence, describe, week

ZONE = ZoneInfo("America/Sao_Paulo")
OFFICE = {day: ["09:00-18:00"] for day in DAYS[:5]}


@pytest.mark.parametrize(
    ("weekly", "english", "portuguese"),
    [
        (
            OFFICE,
            "We are open Monday to Friday from nine to six.",
            "Abrimos de segunda a sexta das nove às dezoito horas.",
        ),
        (
            {**{day: ["08:30-12:00", "13:00-17:45"] for day in DAYS[:5]}, "sat": ["09:00-12:00"]},
            "We are open Monday to Friday from eight thirty to noon and from one to five forty five,"
            " and Saturday from nine to noon.",
            "Abrimos de segunda a sexta das oito e meia ao meio-dia e das treze às dezessete e quarenta e cinco,"
            " e no sábado das nove ao meio-dia.",
        ),
        (
            {"fri": ["22:00-06:00"], "sat": ["22:00-06:00"]},
            "We are open Friday and Saturday from ten in the evening to six in the morning.",
            "Abrimos na sexta e no sábado das vinte e duas às seis horas.",
        ),
        (
            {day: ["00:00-00:00"] for day in DAYS},
            "We are open every day around the clock.",
            "Abrimos todos os dias vinte e quatro horas.",
        ),
        (
            {"mon": ["01:00-02:05"], "wed": ["12:00-00:00"]},
            "We are open Monday from one in the morning to two oh five in the morning,"
            " and Wednesday from noon to midnight.",
            "Abrimos na segunda da uma às duas e cinco, e na quarta do meio-dia à meia-noite.",
        ),
        ({}, "", ""),
    ],
)
def test_a_week(weekly: dict[str, list[str]], english: str, portuguese: str) -> None:
    """Days that are alike stand together; times are words."""
    assert (week(read_weekly(weekly), "en"), week(read_weekly(weekly), "pt-br")) == (english, portuguese)


@pytest.mark.parametrize(
    ("moment", "english", "portuguese"),
    [
        (
            "2026-11-23 10:00",
            "We are open until six. We are open Monday to Friday from nine to six.",
            "Estamos abertos até as dezoito horas. Abrimos de segunda a sexta das nove às dezoito horas.",
        ),
        (
            "2026-11-23 08:00",
            "We are closed at the moment. We are open Monday to Friday from nine to six. We open again today at nine.",
            "No momento estamos fechados. Abrimos de segunda a sexta das nove às dezoito horas."
            " Abrimos de novo hoje às nove horas.",
        ),
        (
            "2026-11-20 10:00",
            "We are closed today: National Day of Zumbi and Black Awareness."
            " We are open Monday to Friday from nine to six. We open again on Monday at nine.",
            "Hoje estamos fechados: Dia Nacional de Zumbi e da Consciência Negra."
            " Abrimos de segunda a sexta das nove às dezoito horas. Abrimos de novo na segunda às nove horas.",
        ),
    ],
)
def test_how_things_stand(moment: str, english: str, portuguese: str) -> None:
    """Now, the week, and when it opens again: today, tomorrow, a weekday, a date."""
    at = datetime.fromisoformat(moment).replace(tzinfo=ZONE)
    for language, said in (("en", english), ("pt-br", portuguese)):
        hours = Timetable("America/Sao_Paulo", read_weekly(OFFICE), country="BR", language=language)
        assert describe(hours.at(at), language) == said


def test_far_away_and_unknown() -> None:
    """A date where a weekday would be mistaken; nothing where nothing is set up."""
    at = datetime(2026, 12, 23, 19, tzinfo=ZONE)
    far = Opening(False, "hours", None, datetime(2027, 1, 1, 9, 30, tzinfo=ZONE), at=at)
    assert closed_sentence(far, "en").endswith("We open again on January first at nine thirty.")
    assert closed_sentence(far, "pt-br").endswith("Abrimos de novo no dia primeiro de janeiro às nove e meia.")
    assert closed_sentence(Opening(False, "switch", at=at), "en") == "We are closed at the moment."
    assert describe(Opening(True, "no_hours", at=at), "en") == ""
