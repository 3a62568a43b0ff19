"""Did what must hold, hold? Gives every sentence of what did not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from eslbridge.media.contract import FRAME_MS
from secretary.scenarios.caller import Deed
from secretary.scenarios.run import Performance
from secretary.scenarios.telephone import Telephone

STILL_MS: Final = 200
"""A voice that is silent so long has been stopped."""


def failures(performance: Performance) -> list[str]:
    """What the scenario expects and did not get, in words; empty when all of it held."""
    return [*_end(performance), *_words(performance), *_tools(performance), *_timing(performance)]


def stop_ms(telephone: Telephone, deed: Deed) -> int | None:
    """From the caller's first sound of this deed to the secretary's last frame of voice; None: it went on to its end.

    A voice that was silent by itself when the caller began is no stop either.
    """
    first = deed.start_ms // FRAME_MS
    sounds = telephone.caller_sounds
    onset = next((at for at in range(first, len(sounds)) if sounds[at]), None)
    if onset is None:
        return None
    still = STILL_MS // FRAME_MS
    voice = telephone.secretary_sounds
    last = None
    for at in range(onset, len(voice)):
        if voice[at]:
            last = at
        elif last is None and at - onset >= still:
            return None
        elif last is not None and at - last >= still:
            return (last - onset + 1) * FRAME_MS
    return None


def longest_silence_ms(telephone: Telephone) -> int:
    """The longest time in which neither side made a sound."""
    longest = now = 0
    for secretary, caller in zip(telephone.secretary_sounds, telephone.caller_sounds, strict=True):
        now = 0 if secretary or caller else now + FRAME_MS
        longest = max(longest, now)
    return longest


def _end(done: Performance) -> Iterator[str]:
    expect, record = done.script.expect, done.record
    if expect.outcome and record.outcome != expect.outcome:
        yield f"outcome {record.outcome!r} ({record.detail}), not {expect.outcome!r}"
    if expect.detail and expect.detail not in record.detail:
        yield f"detail {record.detail!r} without {expect.detail!r}"
    if expect.destination:
        name = next((one.name for one in done.answering.places if one.destination_uuid == record.destination_uuid), "")
        if name != expect.destination:
            yield f"put through to {name or 'nobody'!r}, not to {expect.destination!r}"
    if expect.within_s and done.took_ms > expect.within_s * 1000:
        yield f"took {done.took_ms / 1000:.1f} s, more than {expect.within_s:g} s"
    if expect.message_contains or expect.message_complete is not None:
        texts = " ".join(" ".join([one.text, *one.given.values()]) for one in done.office.messages.values())
        yield from (
            f"no message with {one!r}, but {texts!r}"
            for one in expect.message_contains
            if one.lower() not in texts.lower()
        )
        complete = any(one.complete for one in done.office.messages.values())
        if expect.message_complete is not None and (not done.office.messages or complete != expect.message_complete):
            yield f"messages kept: {list(done.office.messages.values())}, complete should be {expect.message_complete}"


def _words(done: Performance) -> Iterator[str]:
    expect, lines = done.script.expect, done.record.lines
    said = " ".join(line.text for line in lines if line.who == "secretary").lower()
    caller = " ".join(line.text for line in lines if line.who == "caller").lower()
    yield from (f"the secretary did not say {one!r}: {said!r}" for one in expect.said if one.lower() not in said)
    yield from (f"the secretary said {one!r}" for one in expect.never_said if one.lower() in said)
    yield from (
        f"{one!r} of the caller is missing: {caller!r}" for one in expect.caller_said if one.lower() not in caller
    )
    kinds = [note.kind for note in done.record.notes]
    yield from (f"no {one!r} in the timeline: {kinds}" for one in expect.notes if one not in kinds)
    yield from (f"{one!r} in the timeline" for one in expect.no_notes if one in kinds)
    cut = sum(line.interrupted for line in lines)
    if expect.interruptions is not None and cut != expect.interruptions:
        yield f"{cut} lines were cut, not {expect.interruptions}"


def _tools(done: Performance) -> Iterator[str]:
    expect = done.script.expect
    called = [str(note.detail.get("name")) for note in done.record.notes if note.kind == "tool"]
    rest = iter(called)
    if not all(any(one == wanted for one in rest) for wanted in expect.tools):
        yield f"tools {called}, not {list(expect.tools)} in this order"
    yield from (f"tool {one!r} was called" for one in expect.no_tools if one in called)
    if expect.sent_keys is not None and done.switch.sent_dtmf != expect.sent_keys:
        yield f"the keys {done.switch.sent_dtmf!r} were sent, not {expect.sent_keys!r}"
    if expect.provider and (name := done.answering.chain.step.provider) != expect.provider:
        yield f"{name!r} held the call at its end, not {expect.provider!r}"
    keys = "".join(one.keys for one in done.answering.standins)
    if expect.keys and expect.keys not in keys:
        yield f"the provider was told of the keys {keys!r}, not {expect.keys!r}"


def _timing(done: Performance) -> Iterator[str]:
    expect = done.script.expect
    if expect.voice_stopped_within_ms:
        into_voice = [one for one in done.deeds if one.into_voice and one.step.say]
        if not into_voice:
            yield "the caller never spoke into the secretary's voice"
        for deed in into_voice:
            took = stop_ms(done.telephone, deed)
            if took is None or took > expect.voice_stopped_within_ms:
                yield f"the voice stopped after {took} ms, not within {expect.voice_stopped_within_ms} ms"
    silence = longest_silence_ms(done.telephone)
    if expect.longest_silence_s and silence > expect.longest_silence_s * 1000:
        yield f"nobody made a sound for {silence / 1000:.1f} s, longer than {expect.longest_silence_s:g} s"
