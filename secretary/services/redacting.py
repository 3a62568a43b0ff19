"""A call's record without what its tenant does not keep: numbers over several turns, and digits pressed one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from secretary.profiles import CallRecord, EventRecord, MessageRecord
from secretary.redaction import Kinds, redact, redact_lines, redact_value
from secretary.selectors.data_rules import redaction_of

HIDDEN: Final = "•"


def transcript(record: CallRecord) -> tuple[list[str], list[Mapping[str, object]]]:
    """The words of each line and the details of each event. Inside the tenant."""
    kinds = redaction_of()
    return _lines(record, kinds), _details(record, kinds)


def without_secrets(
    record: CallRecord, messages: Sequence[MessageRecord], kinds: Kinds
) -> tuple[CallRecord, tuple[MessageRecord, ...]]:
    """A record and its messages as they may be stored anywhere."""
    lines, details = _lines(record, kinds), _details(record, kinds)
    kept = replace(
        record,
        utterances=tuple(replace(one, text=text) for one, text in zip(record.utterances, lines, strict=True)),
        events=tuple(replace(one, detail=detail) for one, detail in zip(record.events, details, strict=True)),
        facts={name: redact(text, kinds) for name, text in record.facts.items()},
        summary=redact(record.summary, kinds),
        message=_message(record.message, kinds) if record.message is not None else None,
    )
    return kept, tuple(_message(one, kinds) for one in messages)


def _message(message: MessageRecord, kinds: Kinds) -> MessageRecord:
    given = {name: redact(text, kinds) for name, text in message.given.items()}
    return replace(message, text=redact(message.text, kinds), given=given)


def _lines(record: CallRecord, kinds: Kinds) -> list[str]:
    texts = [line.text for line in record.utterances]
    for speaker in {line.who for line in record.utterances}:
        places = [place for place, line in enumerate(record.utterances) if line.who == speaker]
        for place, text in zip(places, redact_lines([texts[place] for place in places], kinds), strict=True):
            texts[place] = text
    return texts


def _details(record: CallRecord, kinds: Kinds) -> list[Mapping[str, object]]:
    details: list[Mapping[str, object]] = []
    for event in record.events:
        detail = redact_value(event.detail, kinds)
        details.append(detail if isinstance(detail, Mapping) else {})
    pressed = [place for place, event in enumerate(record.events) if _digit(event)]
    digits = [_digit(record.events[place]) for place in pressed]
    for place, kept in zip(pressed, redact_lines(digits, kinds), strict=True):
        if kept != record.events[place].detail["digit"]:
            details[place] = {**details[place], "digit": HIDDEN}
    return details


def _digit(event: EventRecord) -> str:
    return str(event.detail.get("digit", "")) if event.kind == "dtmf" else ""
