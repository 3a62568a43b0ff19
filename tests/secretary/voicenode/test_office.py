"""A call's door to the platform: nothing that a caller left is lost."""

from __future__ import annotations

from uuid import UUID

import pytest

from eslbridge.tasks import run_job
from secretary.voicenode import office
from secretary.voicenode.live import Live
from secretary.voicenode.office import CallOffice
from tenants.context import in_thread
from tests.cast import Tenant

pytestmark = [pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_job, "apply_async", lambda arguments: None)


async def door(tenant: Tenant) -> CallOffice:
    call = await in_thread(tenant.call)
    return CallOffice(await in_thread(tenant.profile), str(call.call_uuid), Live())


async def test_messages_wait_until_postgresql_takes_them(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be stored is kept, and stored once when it can be."""
    saved: list[UUID] = []
    broken = True

    def save(**about: object) -> None:
        if broken:
            raise OSError("PostgreSQL is away")
        saved.append(about["record"].message_uuid)  # type: ignore[attr-defined]

    monkeypatch.setattr(office, "save_message", save)
    monkeypatch.setattr(office, "SAVE_PAUSE_S", 0.0)
    one = await door(acme)
    assert (await one.save_message(text="call me", audio=None, complete=True)).word == "failed"
    with pytest.raises(OSError, match="away"):
        await one.save_rest()
    broken = False
    await one.save_rest()
    await one.save_rest()
    assert len(saved) == 1
