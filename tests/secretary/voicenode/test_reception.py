"""The way of a call through the node, from a switch's connection to the row in PostgreSQL."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest
from django.db import OperationalError

from eslbridge.control import ControlError
from eslbridge.esl.call import OutboundCall
from eslbridge.simulator.caller import Caller, HangUp, Pause, Say, WaitSilence
from secretary.models import Call, ExtensionMapping, Message, Secretary, UsageRecord
from secretary.services.calls import open_call
from secretary.services.providers import create_credential
from secretary.voicenode import desk, metrics, office
from secretary.voicenode.arrival import Arrival
from tenants.context import in_tenant, in_thread
from tenants.services import update_domain
from tests.cast import Tenant
from tests.secretary.voicenode.conftest import Exchange, ScriptedSession, row_of

SPEECH = Path("secretary/demo/callers/no.wav")


async def test_greets_and_records_the_call(exchange: Exchange, acme: Tenant) -> None:
    """The caller hears the greeting; when they hang up, the row has outcome, transcript and timeline."""
    await exchange.install(acme)
    caller = Caller([WaitSilence(300), HangUp()])
    channel = exchange.dial(acme, caller)
    await exchange.ended(channel)
    assert caller.first_voice_ms is not None and caller.first_voice_ms < 500
    call = await row_of(acme, channel)
    assert (call.outcome, call.extension, call.caller_number) == ("caller_hung_up", "8001", "1000")
    assert [(line.who, line.text) for line in call.utterances.all()] == [("secretary", "Good morning.")]
    assert next(event.kind for event in call.events.all()) == "answered"
    assert call.latency["greeting"] < 500


@pytest.mark.parametrize("transport", ["direct-udp", "direct-udp-g711", "mod-audio-stream", "mod-audio-fork"])
async def test_every_audio_road_carries_both_voices(exchange: Exchange, acme: Tenant, transport: str) -> None:
    """Over each transport the caller hears the greeting and the provider hears the caller."""
    await exchange.install(acme, audio_transport=transport)
    caller = Caller([WaitSilence(400), Pause(300), HangUp()])
    channel = exchange.dial(acme, caller)
    await exchange.ended(channel)
    assert caller.heard and exchange.providers.frames > 20
    assert (await row_of(acme, channel)).outcome == "caller_hung_up"


async def test_recording_has_both_sides(exchange: Exchange, acme: Tenant, tmp_path: Path) -> None:
    """A secretary that records leaves a stereo file below DATA_DIR, named in the row by its relative path."""
    await exchange.install(acme)
    await in_tenant(acme.domain_uuid, lambda: Secretary.objects.update(record_calls=True))
    channel = exchange.dial(acme, Caller([WaitSilence(300), HangUp()]))
    await exchange.ended(channel)
    call = await row_of(acme, channel)
    assert call.recording.startswith(f"calls/{acme.domain_uuid}/")
    both = np.frombuffer((tmp_path / call.recording).read_bytes()[44:], "<i2").reshape(-1, 2)
    assert np.abs(both[:, 1].astype(int)).max() > 5_000


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"domain_uuid": "7d1bf8ac-0000-4000-8000-000000000000"}, "unknown_domain"),
        ({"domain_uuid": "' or 1=1 --"}, "unknown_domain"),
        ({"domain_uuid": ""}, "unknown_domain"),
        ({"secretary_uuid": "7d1bf8ac-0000-4000-8000-000000000000"}, "unknown_secretary"),
        ({"secretary_uuid": "nobody"}, "unknown_secretary"),
        ({"secretary_uuid": "", "secretary_extension": "8999"}, "unmapped_extension"),
    ],
)
async def test_calls_for_nobody_reach_the_fallback(
    exchange: Exchange, acme: Tenant, wrong: dict[str, str], reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A call whose variables name nobody is refused with a reason, counted, logged with its id, and not lost."""
    await exchange.install(acme)
    before = metrics.REFUSED.labels(reason)._value.get()
    plan = exchange.switch.dialplan.contexts[acme.name]
    for number, extension in enumerate(plan):
        conditions = tuple(
            replace(
                condition,
                actions=tuple(
                    replace(action, data=f"{name}={wrong[name]}")
                    if action.app == "set" and (name := action.data.partition("=")[0]) in wrong
                    else action
                    for action in condition.actions
                ),
            )
            for condition in extension.conditions
        )
        plan[number] = replace(extension, conditions=conditions)
    channel = exchange.dial(acme, Caller([], patience_ms=8_000))
    with caplog.at_level(logging.WARNING):
        await exchange.reached(channel, "1099")
    assert metrics.REFUSED.labels(reason)._value.get() == before + 1
    assert any(reason in record.getMessage() and channel.uuid in record.getMessage() for record in caplog.records)
    channel.phone_hung_up()
    await exchange.ended(channel)


async def test_another_tenants_secretary_is_nobody(exchange: Exchange, acme: Tenant, globex: Tenant) -> None:
    """A call of acme that names globex's secretary reaches acme's fallback, and nothing of globex."""
    await exchange.install(acme)
    await exchange.install(globex)
    plan = exchange.switch.dialplan.contexts[acme.name]
    foreign = str(globex.secretary.secretary_uuid)
    own = str(acme.secretary.secretary_uuid)
    for number, extension in enumerate(plan):
        plan[number] = replace(
            extension,
            conditions=tuple(
                replace(
                    condition,
                    actions=tuple(replace(one, data=one.data.replace(own, foreign)) for one in condition.actions),
                )
                for condition in extension.conditions
            ),
        )
    channel = exchange.dial(acme, Caller([], patience_ms=8_000))
    await exchange.reached(channel, "1099")
    assert channel.profile.context == acme.name
    assert not exchange.providers.sessions
    channel.phone_hung_up()
    await exchange.ended(channel)


async def test_disabled_domain(exchange: Exchange, acme: Tenant) -> None:
    """A disabled tenant's callers reach its fallback."""
    await exchange.install(acme)
    await in_thread(update_domain, domain_uuid=acme.domain_uuid, enabled=False)
    channel = exchange.dial(acme, Caller([], patience_ms=8_000))
    await exchange.reached(channel, "1099")
    assert not exchange.providers.sessions
    channel.phone_hung_up()
    await exchange.ended(channel)


async def test_disabled_mapping_falls_to_the_fallback(exchange: Exchange, acme: Tenant) -> None:
    """An extension that was switched off after the dialplan was printed is refused by the pattern's road."""
    await in_tenant(acme.domain_uuid, lambda: ExtensionMapping.objects.update(enabled=False))
    await exchange.install(acme)
    channel = exchange.dial(acme, Caller([], patience_ms=8_000))
    await exchange.reached(channel, "1099")
    channel.phone_hung_up()
    await exchange.ended(channel)


async def test_full_quota(exchange: Exchange, acme: Tenant) -> None:
    """The call beyond the domain's limit is not answered by us, and is on record as refused."""
    await exchange.install(acme)
    await in_thread(update_domain, domain_uuid=acme.domain_uuid, max_calls=1)
    await in_thread(open_call, profile=await in_thread(acme.profile), call_uuid=uuid4(), node="elsewhere")
    channel = exchange.dial(acme, Caller([], patience_ms=8_000))
    await exchange.reached(channel, "1099")
    channel.phone_hung_up()
    await exchange.ended(channel)
    call = await row_of(acme, channel)
    assert (call.outcome, call.outcome_detail) == ("fallback", "quota_full")


async def test_provider_that_cannot_be_opened(exchange: Exchange, acme: Tenant) -> None:
    """Without a provider the caller goes to the fallback, and the slot is free again."""
    await exchange.install(acme)
    exchange.providers.broken = True
    channel = exchange.dial(acme, Caller([], patience_ms=8_000))
    await exchange.reached(channel, "1099")
    channel.phone_hung_up()
    await exchange.ended(channel)
    call = await row_of(acme, channel)
    assert call.outcome == "fallback" and call.ended_at is not None


async def test_provider_without_a_voice(exchange: Exchange, acme: Tenant) -> None:
    """A greeting that never comes sends the caller to the fallback in time."""
    await exchange.install(acme)
    exchange.providers.mute = True
    channel = exchange.dial(acme, Caller([], patience_ms=15_000))
    await exchange.reached(channel, "1099")
    channel.phone_hung_up()
    await exchange.ended(channel)
    assert (await row_of(acme, channel)).outcome_detail == "provider_silent"


async def test_message_survives_hanging_up(exchange: Exchange, acme: Tenant, tmp_path: Path) -> None:
    """A caller who hangs up in mid-message has left a message with what was said."""

    def take_message(session: ScriptedSession) -> None:
        session.tool("record_message")

    exchange.providers.on_turn = take_message
    await exchange.install(acme)
    steps = [WaitSilence(300), Say(SPEECH), Pause(1_500), Say(SPEECH), HangUp()]
    channel = exchange.dial(acme, Caller(steps))
    await exchange.ended(channel)
    call = await row_of(acme, channel)
    (message,) = call.messages.all()
    assert call.outcome == "message" and not message.complete and message.caller_number == "1000"
    assert (tmp_path / message.audio).stat().st_size > 16_000


async def test_a_node_that_ends_gives_its_callers_away(exchange: Exchange, acme: Tenant) -> None:
    """Draining drops nobody: the caller reaches the fallback and the record says why."""
    await exchange.install(acme)
    channel = exchange.dial(acme, Caller([], patience_ms=15_000))
    async with asyncio.timeout(10):
        while not exchange.reception.call_uuids:
            await asyncio.sleep(0.01)
    exchange.reception.drop_all("the node is going down")
    await exchange.reached(channel, "1099")
    channel.phone_hung_up()
    await exchange.ended(channel)
    assert (await row_of(acme, channel)).outcome == "fallback"


def recordings(folder: Path) -> list[Path]:
    return list(folder.glob("calls/*/*/*.wav"))


async def test_a_call_that_comes_back_goes_on_as_one_call(exchange: Exchange, acme: Tenant, tmp_path: Path) -> None:
    """Transferred to the secretary again in mid-conversation: one row, both parts in order, the new part in charge."""
    await exchange.install(acme)
    await in_tenant(acme.domain_uuid, lambda: Secretary.objects.update(record_calls=True))
    caller = Caller([WaitSilence(300), Pause(30_000)], patience_ms=60_000)
    channel = exchange.dial(acme, caller)
    async with asyncio.timeout(10):
        while caller.first_voice_ms is None:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.3)
        channel.transfer("8001", acme.name)
        while len(exchange.providers.sessions) < 2 or not exchange.providers.sessions[1].spoke:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
    assert exchange.providers.sessions[0].closed
    assert exchange.reception.call_uuids == [UUID(channel.uuid)]
    assert (await row_of(acme, channel)).outcome == "in_progress"
    channel.phone_hung_up()
    await exchange.ended(channel)
    call = await row_of(acme, channel)
    assert call.outcome == "caller_hung_up"
    assert [event.kind for event in call.events.all()].count("answered") == 2
    times = [event.at_ms for event in call.events.all() if event.kind in ("answered", "ended")]
    assert times == sorted(times) and times[2] > 200
    assert len(recordings(tmp_path)) == 2


async def test_a_provider_that_is_not_there(exchange: Exchange, acme: Tenant) -> None:
    """A secretary whose speech service has no key: the local secretary takes the call, and the timeline says so."""
    await exchange.install(acme)
    await in_tenant(acme.domain_uuid, lambda: Secretary.objects.update(provider="nobody"))
    caller = Caller([WaitSilence(300), HangUp()])
    channel = exchange.dial(acme, caller)
    await exchange.ended(channel)
    call = await row_of(acme, channel)
    assert (call.outcome, call.provider, caller.first_voice_ms is not None) == ("caller_hung_up", "local", True)
    [skipped] = [event.detail for event in call.events.all() if event.kind == "provider_skipped"]
    assert skipped == {"provider": "nobody", "reason": "no key"}


async def test_a_provider_that_does_not_take_the_call(exchange: Exchange, acme: Tenant) -> None:
    """The next one of the secretary's chain greets in time; timeline and usage say who it was; no key is anywhere."""
    await exchange.install(acme)

    def choose() -> None:
        create_credential(provider="gemini-live", api_key="AIza-not-a-real-one", model="big")
        Secretary.objects.update(chain=[{"provider": "gemini-live"}], provider="gemini-live")

    await in_tenant(acme.domain_uuid, choose)
    caller = Caller([WaitSilence(300), HangUp()])
    channel = exchange.dial(acme, caller)
    await exchange.ended(channel)
    assert caller.first_voice_ms is not None and caller.first_voice_ms < 1_500
    call = await row_of(acme, channel)
    events = {event.kind: event.detail for event in call.events.all()}
    assert events["provider_failed"]["provider"] == "gemini-live"
    assert (events["provider_changed"]["from"], events["provider_changed"]["to"]) == ("gemini-live", "local")
    assert (call.provider, call.model, "AIza" in str(events)) == ("local", "", False)
    used = await in_tenant(acme.domain_uuid, lambda: list(UsageRecord.objects.values_list("provider", "unit")))
    assert used == [("local", "second")]


async def test_no_provider_at_all(exchange: Exchange, acme: Tenant) -> None:
    """Not even the local secretary opens: the fallback, a row that ended, and no call counted on."""
    await exchange.install(acme)
    exchange.providers.broken = True
    before = metrics.CALLS._value.get()
    channel = exchange.dial(acme, Caller([], patience_ms=8_000))
    await exchange.reached(channel, "1099")
    channel.phone_hung_up()
    await exchange.ended(channel)
    call = await row_of(acme, channel)
    assert call.outcome == "fallback" and call.ended_at is not None
    assert metrics.CALLS._value.get() == before


async def test_an_admission_that_comes_too_late_frees_its_slot(
    exchange: Exchange, acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL answers when the caller is gone to the fallback: the slot is not taken until its lease is over."""
    await exchange.install(acme)
    admit = desk.admit

    def slowly(arrival: Arrival) -> Any:
        admitted = admit(arrival)
        time.sleep(0.4)
        return admitted

    monkeypatch.setattr(desk, "admit", slowly)
    monkeypatch.setattr("secretary.voicenode.reception.ADMIT_S", 0.1)
    channel = exchange.dial(acme, Caller([], patience_ms=8_000))
    await exchange.reached(channel, "1099")
    channel.phone_hung_up()
    await exchange.ended(channel)
    call = await row_of(acme, channel)
    assert (call.outcome, call.outcome_detail) == ("fallback", "database_slow")


async def test_a_hang_up_that_the_switch_refuses_leaves_nobody_parked(
    exchange: Exchange, acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The conversation is over and the channel lives on: it is cut loose, and the dialplan has a human for it."""

    async def refused(call: OutboundCall, cause: str = "") -> None:
        raise ControlError("not today")

    monkeypatch.setattr(OutboundCall, "hang_up", refused)
    monkeypatch.setattr("secretary.voicenode.reception.OVER_S", 0.2)
    exchange.providers.on_turn = lambda session: session.tool("end_call", reason="done")
    await exchange.install(acme)
    channel = exchange.dial(acme, Caller([WaitSilence(300), Say(SPEECH)], patience_ms=15_000))
    await exchange.reached(channel, "1099")
    channel.phone_hung_up()
    await exchange.ended(channel)
    assert (await row_of(acme, channel)).outcome == "completed"


async def test_a_message_that_postgresql_would_not_take_is_written_with_the_record(
    exchange: Exchange, acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Storing failed as long as the call lived: the message is not lost."""
    tries = 0
    save = office.save_message

    def failing(**about: Any) -> Message:
        nonlocal tries
        tries += 1
        if tries <= 5:
            raise OperationalError("PostgreSQL restarts")
        return save(**about)

    monkeypatch.setattr(office, "save_message", failing)
    monkeypatch.setattr(office, "SAVE_PAUSE_S", 0.01)
    monkeypatch.setattr("secretary.voicenode.archive.WRITE_PAUSE_S", 0.01)
    exchange.providers.on_turn = lambda session: session.tool("take_message", text="call me")
    await exchange.install(acme)
    channel = exchange.dial(acme, Caller([WaitSilence(300), Say(SPEECH), Pause(1_500), HangUp()]))
    await exchange.ended(channel)
    (message,) = (await row_of(acme, channel)).messages.all()
    assert message.text == "call me" and message.complete


@pytest.mark.parametrize("transport", ["direct-udp", "mod-audio-stream", "mod-audio-fork"])
async def test_a_caller_may_hang_up_at_any_moment(
    exchange: Exchange, acme: Tenant, caplog: pytest.LogCaptureFixture, transport: str
) -> None:
    """Between any two steps of a call's beginning: every row has its end, and nothing of the call is left anywhere."""
    await exchange.install(acme, audio_transport=transport)
    await in_thread(update_domain, domain_uuid=acme.domain_uuid, max_calls=60)
    calls_before = metrics.CALLS._value.get()
    loop = asyncio.get_running_loop()
    channels = []
    for step in range(40):
        channel = exchange.dial(acme, Caller([], patience_ms=20_000))
        loop.call_later(step * 0.006, channel.phone_hung_up)
        channels.append(channel)
        await asyncio.sleep(0.01)
    for channel in channels:
        await exchange.ended(channel)
    rows = await in_tenant(acme.domain_uuid, lambda: list(Call.objects.all()))
    assert rows and all(row.ended_at is not None and row.outcome != "in_progress" for row in rows)
    assert not [row.outcome_detail for row in rows if row.outcome == "failed"]
    async with asyncio.timeout(5):  # an audio connection may still be under way
        while len(exchange.media.clock) or len(exchange.media.udp):
            await asyncio.sleep(0.01)
    assert exchange.voice_activity.open_slots == 0
    assert not any(pool.used for pool in exchange.media._pools.values())
    assert metrics.CALLS._value.get() == calls_before
    assert all(session.closed or session.listener is None for session in exchange.providers.sessions)
    assert not [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]


async def test_many_calls_of_two_tenants_at_once(exchange: Exchange, acme: Tenant, globex: Tenant) -> None:
    """Twenty calls at once: each greeted, each on its own tenant's record."""
    await exchange.install(acme)
    await exchange.install(globex)
    callers = [Caller([WaitSilence(300), HangUp()]) for _ in range(20)]
    channels = [exchange.dial(tenant, caller) for caller, tenant in zip(callers, [acme, globex] * 10, strict=True)]
    for channel in channels:
        await exchange.ended(channel)
    assert all(caller.heard for caller in callers)
    for channel, tenant in zip(channels, [acme, globex] * 10, strict=True):
        assert (await row_of(tenant, channel)).outcome == "caller_hung_up"
    assert exchange.reception.call_uuids == []
