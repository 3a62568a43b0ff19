"""What is kept of a call beside its transcript: what the caller told of themselves, what they were told, a summary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from secretary.models import Call, Callback, Message, Urgency
from secretary.profiles import CallRecord
from secretary.redaction import Kinds, redact
from secretary.services import clean
from secretary.tools.summary import MOST, Ending, summary

LENGTHS: Final[Mapping[str, int]] = {"name": 120, "number": 64, "reason": 200, "urgency": 8}
MOST_FIRST_WORDS: Final = 200


def facts_of(given: Mapping[str, str], kinds: Kinds) -> dict[str, str]:
    """What a caller gave, as it may be kept: known names, bounded lines, without what the tenant does not keep."""
    kept = {}
    for name, most in LENGTHS.items():
        if text := clean.line(redact(clean.text(str(given.get(name, ""))), kinds), most):
            kept[name] = text
    if kept.get("urgency", Urgency.NORMAL) not in Urgency.values:
        del kept["urgency"]
    return kept


def fill(call: Call, record: CallRecord, kinds: Kinds) -> None:
    """Put it into the call's row, which the caller of this saves. Inside the tenant, with its messages written."""
    message = Message.objects.filter(call=call).order_by("-complete", "-created_at").first()
    of_message = {} if message is None else {
        "name": message.given_name,
        "number": message.given_number,
        "reason": message.reason,
        "urgency": message.urgency if message.urgency != Urgency.NORMAL else "",
    }  # fmt: skip
    call.facts = {**call.facts, **facts_of(record.facts, kinds), **facts_of(of_message, kinds)}
    call.disclosure = clean.line(record.disclosure, 700) or call.disclosure
    call.prompt_version = record.prompt_version or call.prompt_version
    first = next((line.text for line in record.utterances if line.who == "caller" and line.text.strip()), "")
    call.summary = clean.line(redact(clean.text(record.summary), kinds), MOST) or summary(
        record.language,
        Ending(
            outcome=call.outcome,
            facts=call.facts,
            shown_name=call.caller_name,
            shown_number=call.caller_number,
            destination=call.destination.name if call.destination is not None else "",
            message=message.text if message is not None else "",
            message_complete=message is None or message.complete,
            callback=Callback.objects.filter(call=call).exists(),
            first_words=clean.line(redact(clean.text(first), kinds), MOST_FIRST_WORDS),
        ),
    )
