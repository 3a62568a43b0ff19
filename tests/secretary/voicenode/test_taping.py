"""The switch records: a real file, written by the stand-in, fetched by the worker's task."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.utils import timezone

from eslbridge.simulator import Extension
from eslbridge.simulator.caller import Caller, HangUp, Pause, Say, WaitSilence
from secretary.models import Call, Secretary
from secretary.services import switch_recordings
from tenants.context import in_tenant, in_thread
from tenants.quotas import set_rules
from tests.cast import Tenant
from tests.secretary.voicenode.conftest import TONE, Exchange, row_of


@pytest.fixture
def mount(tmp_path: Path, settings: Any) -> Path:
    folder = tmp_path / "switch"
    settings.SWITCH_RECORDINGS_PATH = settings.SWITCH_RECORDINGS_MOUNT = str(folder)
    return folder


async def recorded(exchange: Exchange, tenant: Tenant, **more: Any) -> Call:
    await exchange.install(tenant)
    await in_tenant(tenant.domain_uuid, lambda: Secretary.objects.update(record_calls=True, recorder="switch", **more))
    channel = exchange.dial(tenant, Caller([WaitSilence(300), Pause(600), HangUp()]))
    await exchange.ended(channel)
    return await row_of(tenant, channel)


def tapes(folder: Path) -> list[Path]:
    """What lies on the switch."""
    return sorted(folder.rglob("*.wav"))


def sound(path: Path) -> Any:
    return np.frombuffer(path.read_bytes()[44:], "<i2").reshape(-1, 2).astype(int)


async def test_the_switch_records_and_its_file_is_fetched(
    exchange: Exchange, acme: Tenant, globex: Tenant, mount: Path, tmp_path: Path
) -> None:
    """The file lies in the tenant's own folder, comes below DATA_DIR, and is gone from the switch."""
    await in_thread(set_rules, domain_uuid=acme.domain_uuid, announce_recording=False)
    call = await recorded(exchange, acme)
    assert (call.recording, call.recording_state) == ("", "waiting")
    assert [path.parent.name for path in tapes(mount)] == [str(acme.domain_uuid)]
    assert await in_thread(switch_recordings.collect, timezone.now() + timedelta(minutes=2)) == 1
    fetched = await in_tenant(acme.domain_uuid, lambda: Call.objects.get(pk=call.pk))
    assert fetched.recording_state == "stored"
    assert np.abs(sound(tmp_path / fetched.recording)[:, 1]).max() > 5_000
    assert not tapes(mount)
    assert not await in_tenant(globex.domain_uuid, lambda: Call.objects.filter(pk=call.pk).exists())


async def test_it_goes_on_with_the_colleague(exchange: Exchange, acme: Tenant, mount: Path) -> None:
    """Whoever the caller talks to after the secretary is on the right; fetched when that is over, and not before."""
    await in_thread(set_rules, domain_uuid=acme.domain_uuid, announce_recording=False)
    await exchange.install(acme)
    await in_tenant(acme.domain_uuid, lambda: Secretary.objects.update(record_calls=True, recorder="switch"))
    exchange.switch.add_extension(Extension("1001", acme.name, answer_after_s=0.1, steps=(Say(TONE * 5),)))
    channel = exchange.dial(acme, Caller([Pause(2_500), HangUp()]))
    while not (exchange.providers.sessions and exchange.providers.sessions[0].spoke):
        await asyncio.sleep(0.01)
    channel.transfer("1001", acme.name)
    await exchange.reached(channel, "1001")
    assert await exchange.reception.emptied(10)
    later = timezone.now() + timedelta(minutes=2)
    assert await in_thread(switch_recordings.collect, later) == 0
    (file,) = tapes(mount)
    await exchange.ended(channel)
    talked = sound(file)[-8_000:]
    assert np.abs(talked[:, 1]).max() > 1_000 and np.abs(talked[:, 0]).max() < 100
    assert await in_thread(switch_recordings.collect, later) == 1


async def test_nothing_before_the_caller_was_told(exchange: Exchange, acme: Tenant, mount: Path) -> None:
    """Where callers must be told, the switch begins after the sentence: the file holds less than the call."""
    await in_thread(set_rules, domain_uuid=acme.domain_uuid, announce_recording=True)
    call = await recorded(exchange, acme)
    assert call.recording_state == "waiting" and call.ended_at and call.answered_at
    (file,) = tapes(mount)
    whole = (call.ended_at - call.answered_at).total_seconds()
    assert 0 < len(sound(file)) / 8_000 < whole - 0.35  # the sentence is 0.4 s long


async def test_a_folder_that_cannot_be_written(exchange: Exchange, acme: Tenant, mount: Path, tmp_path: Path) -> None:
    """The node records instead, the timeline says why, and the caller notices nothing."""
    await asyncio.to_thread(mount.write_text, "not a folder")
    await in_thread(set_rules, domain_uuid=acme.domain_uuid, announce_recording=False)
    call = await recorded(exchange, acme)
    assert (call.outcome, call.recording_state) == ("caller_hung_up", "")
    assert "recording_failed" in [event.kind for event in call.events.all()]
    assert call.recording and len(sound(tmp_path / call.recording))


async def test_without_a_shared_folder(exchange: Exchange, acme: Tenant, settings: Any, tmp_path: Path) -> None:
    """The node records as ever, and nothing is said about it."""
    settings.SWITCH_RECORDINGS_PATH = ""
    call = await recorded(exchange, acme)
    assert call.recording_state == "" and len(sound(tmp_path / call.recording))
    assert "recording_failed" not in [event.kind for event in call.events.all()]


async def test_a_pause_is_silence_in_the_switch_s_file(exchange: Exchange, acme: Tenant, mount: Path) -> None:
    """While the recording is paused neither side is in it."""
    await in_thread(set_rules, domain_uuid=acme.domain_uuid, announce_recording=False)
    await in_tenant(acme.domain_uuid, lambda: Secretary.objects.update(tools=["pause_recording"]))
    await exchange.install(acme)
    await in_tenant(acme.domain_uuid, lambda: Secretary.objects.update(record_calls=True, recorder="switch"))
    caller = Caller([WaitSilence(300), Pause(1_500), HangUp()])
    channel = exchange.dial(acme, caller)
    while not (exchange.providers.sessions and exchange.providers.sessions[0].spoke):
        await asyncio.sleep(0.01)
    session = exchange.providers.sessions[0]
    session.tool("pause_recording")
    while ("pause_recording", "ok") not in exchange.providers.results:
        await asyncio.sleep(0.01)
    await exchange.ended(channel)
    (file,) = tapes(mount)
    both = sound(file)
    assert np.abs(both[-4_000:]).max() == 0
    kinds = [event.kind for event in (await row_of(acme, channel)).events.all()]
    assert "recording_paused" in kinds and "recording_resumed" in kinds
