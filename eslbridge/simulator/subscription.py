"""Which events a connection wants: `event`, `nixevent`, `noevents`, `myevents` and `filter`."""

from __future__ import annotations

import re

from eslbridge.simulator.events import Event

MY_EVENTS = frozenset(
    """CHANNEL_ANSWER CHANNEL_APPLICATION CHANNEL_BRIDGE CHANNEL_CREATE CHANNEL_DATA CHANNEL_DESTROY CHANNEL_EXECUTE
    CHANNEL_EXECUTE_COMPLETE CHANNEL_HANGUP CHANNEL_HANGUP_COMPLETE CHANNEL_ORIGINATE CHANNEL_UUID CHANNEL_OUTGOING
    CHANNEL_PARK CHANNEL_PROGRESS CHANNEL_PROGRESS_MEDIA CHANNEL_STATE CHANNEL_UNBRIDGE CHANNEL_UNPARK DETECTED_SPEECH
    DTMF NOTALK TALK""".split()
)
"""What `myevents` subscribes to: channel events, but not CUSTOM, BACKGROUND_JOB, PLAYBACK_* or RECORD_*."""

KNOWN_EVENTS = MY_EVENTS | frozenset(
    """ALL CUSTOM BACKGROUND_JOB HEARTBEAT CHANNEL_CALLSTATE CHANNEL_HOLD CHANNEL_UNHOLD PLAYBACK_START PLAYBACK_STOP
    RECORD_START RECORD_STOP API COMMAND MESSAGE RE_SCHEDULE ADD_SCHEDULE DEL_SCHEDULE EXE_SCHEDULE SESSION_HEARTBEAT
    MEDIA_BUG_START MEDIA_BUG_STOP CALL_UPDATE SHUTDOWN MODULE_LOAD NOTIFY PRESENCE_IN""".split()
)


class Subscription:
    """One connection's interest. Several filters are ORed; `/regex/` and a leading `-` work as in FreeSWITCH."""

    def __init__(self) -> None:
        self.form = "plain"
        self.enabled = False
        self.names: set[str] = set()
        self.subclasses: set[str] = set()
        self.all_events = False
        self.filters: list[tuple[str, str]] = []
        self.only_uuid: str | None = None
        """Set by `myevents`: no other call's events."""

    def subscribe(self, words: list[str]) -> bool:
        """`event …` after the keyword. False when no known event was named."""
        custom = False
        known = 0
        for position, word in enumerate(words):
            if position == 0 and word.lower() in {"plain", "json", "xml"}:
                self.form = word.lower()
            elif custom:
                self.subclasses.add(word)
            elif word.upper() in KNOWN_EVENTS:
                known += 1
                if word.upper() == "ALL":
                    self.all_events = True
                elif word.upper() == "CUSTOM":
                    custom = True
                else:
                    self.names.add(word.upper())
        if known:
            self.enabled = True
        return known > 0

    def unsubscribe(self, words: list[str]) -> bool:
        custom = False
        known = 0
        for word in words:
            if custom:
                self.subclasses.discard(word)
            elif word.upper() in KNOWN_EVENTS:
                known += 1
                if word.upper() == "ALL":
                    self.all_events = False
                    self.names.clear()
                elif word.upper() == "CUSTOM":
                    custom = True
                else:
                    self.names.discard(word.upper())
        return known > 0

    def clear(self) -> bool:
        """`noevents`. False when nothing was subscribed."""
        was = self.enabled
        self.enabled = self.all_events = False
        self.names.clear()
        self.subclasses.clear()
        return was

    def wants(self, name: str, subclass: str, channel_uuid: str) -> bool:
        """Whether an event of this kind could be delivered: asked before the event is built."""
        if not self.enabled:
            return False
        if self.only_uuid is not None and channel_uuid != self.only_uuid:
            return False
        if self.all_events:
            return True
        return subclass in self.subclasses if name == "CUSTOM" else name in self.names

    def passes(self, event: Event) -> bool:
        """Whether the filters let this event through."""
        if not self.filters:
            return True
        return any(self._matches(event, header, wanted) for header, wanted in self.filters)

    @staticmethod
    def _matches(event: Event, header: str, wanted: str) -> bool:
        value = event.get(header)
        if value is None:
            return False
        negative = wanted.startswith("-")
        wanted = wanted[1:] if negative else wanted
        if wanted.startswith("/"):
            hit = re.search(wanted.strip("/"), value) is not None
        else:
            hit = value == wanted
        return hit != negative
