"""A record that PostgreSQL would not take waits on the disk, and is whole when it is written at last."""

from __future__ import annotations

import stat
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import orjson
import pytest
from django.db import OperationalError
from hypothesis import given
from hypothesis import strategies as st

from secretary.models import Call, CallOutcome, Message, Utterance
from secretary.profiles import CallRecord, EventRecord, MessageRecord, UsageItem, UtteranceRecord
from secretary.redaction import CARDS
from secretary.services.redacting import without_secrets
from secretary.voicenode.spool import Spool, message_of, record_of
from tenants.context import tenant_context
from tests.cast import Tenant

RECORD = CallRecord(
    outcome="message",
    answered_at=datetime(2026, 11, 21, 9, 0, tzinfo=UTC),
    utterances=(UtteranceRecord("caller", "My card is 4111 1111 1111 1111.", 100, 900),),
    events=(EventRecord(50, "answered", {"how": "at once"}),),
    usage=(UsageItem("local", "second", 3.0),),
    facts={"name": "Mary"},
)


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool")


def keep(spool: Spool, tenant: Tenant, call_uuid: UUID, *messages: MessageRecord) -> Path:
    return spool.keep(
        domain_uuid=tenant.domain_uuid, call_uuid=call_uuid, node="node-a", record=RECORD, messages=messages
    )


@pytest.mark.django_db
def test_what_waits_is_written_once(acme: Tenant, spool: Spool) -> None:
    """Transcript, message and end, as if PostgreSQL had been there; the file is gone."""
    call = acme.call()
    path = keep(spool, acme, call.pk, MessageRecord(text="Call me.", complete=True))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert spool.write_back() == 1 and spool.write_back() == 0
    assert not path.exists()
    with tenant_context(acme.domain_uuid):
        assert Call.objects.get(pk=call.pk).outcome == CallOutcome.MESSAGE
        assert Utterance.objects.filter(call=call).count() == 1
        assert Message.objects.get(call=call).text == "Call me."


@pytest.mark.django_db
def test_database_that_is_still_away_loses_nothing(acme: Tenant, spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file stays until the record is in."""
    path = keep(spool, acme, acme.call().pk)

    def away(**_: object) -> bool:
        raise OperationalError("no connection")

    with monkeypatch.context() as patch:
        patch.setattr("secretary.services.calls.finish_call", away)
        with pytest.raises(OperationalError):
            spool.write_back()
    assert path.exists()
    assert spool.write_back() == 1


@pytest.mark.django_db
def test_record_for_another_tenants_call_changes_nothing(acme: Tenant, globex: Tenant, spool: Spool) -> None:
    """A file that names acme and a call of globex ends no call of globex."""
    foreign = globex.call()
    keep(spool, acme, foreign.pk)
    assert spool.write_back() == 1
    with tenant_context(globex.domain_uuid):
        assert Call.objects.get(pk=foreign.pk).outcome == CallOutcome.IN_PROGRESS


@pytest.mark.django_db
def test_broken_file_does_not_hold_up_the_others(acme: Tenant, spool: Spool, tmp_path: Path) -> None:
    """It is put aside and said to be broken."""
    keep(spool, acme, acme.call().pk)
    (tmp_path / "spool" / "0.json").write_text('{"domain_uuid": 7}')
    assert spool.write_back() == 1
    assert [path.name for path in (tmp_path / "spool").iterdir()] == ["0.broken"]


def test_the_disk_sees_no_secret() -> None:
    """What may not be stored in the database may not wait on the disk either."""
    record, messages = without_secrets(RECORD, [MessageRecord(text="4111 1111 1111 1111")], CARDS)
    assert "1111 1111 1111" not in record.utterances[0].text and "1111 1111 1111" not in messages[0].text


@given(st.text(max_size=50), st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=3))
def test_every_text_comes_back_as_it_was(text: str, facts: dict[str, str]) -> None:
    """Quotes, line breaks, other scripts: JSON keeps them."""
    record = CallRecord(outcome="completed", utterances=(UtteranceRecord("caller", text, 0, 1),), facts=facts)
    message = MessageRecord(text=text, message_uuid=uuid4())
    assert record_of(orjson.loads(orjson.dumps(asdict(record)))) == record
    assert message_of(orjson.loads(orjson.dumps(asdict(message)))) == message
