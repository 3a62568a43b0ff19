"""What the record's values are called on a page. One place, so that lists, filters and one call say the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a call. `tone` is the pill's class: live, good, note, bad, or empty for neither."""

    label: Text
    tone: str = ""


OUTCOMES: Mapping[str, Outcome] = {
    "in_progress": Outcome(_("In progress"), "live"),
    "transferred": Outcome(_("Put through"), "good"),
    "message": Outcome(_("Message taken"), "note"),
    "completed": Outcome(_("Completed"), "good"),
    "caller_hung_up": Outcome(_("Caller hung up")),
    "fallback": Outcome(_("Sent to the fallback"), "note"),
    "failed": Outcome(_("Failed"), "bad"),
}

STAGES: Mapping[str, tuple[Text, int]] = {
    # Stage of secretary.conversation.latency: its name on the page, and from how many ms on it counts as slow.
    "greeting": (_("Until the greeting"), 500),
    "response": (_("Until the answer is heard"), 2000),
    "end_of_turn": (_("Noticing that the caller has finished"), 1200),
    "understanding": (_("Understanding"), 1200),
    "answer": (_("Finding the answer"), 1500),
    "thinking": (_("Until the first sign of an answer"), 1000),
    "voice": (_("From there to its first sound"), 800),
    "to_switch": (_("From there to the telephone system"), 60),
    "stop": (_("Falling silent when interrupted"), 300),
}

EVENTS: Mapping[str, tuple[Text, str]] = {
    # Kind of an entry in a call's timeline: its words and its tone.
    "answered": (_("Answered"), "good"),
    "closed": (_("Out of hours"), "note"),
    "came_back": (_("The caller came back"), "note"),
    "transfer_tried": (_("Could not be put through"), "note"),
    "barge_in": (_("The caller interrupted"), "note"),
    "resumed": (_("The secretary went on: the caller had not interrupted"), ""),
    "turn": (_("Answered a turn"), ""),
    "not_understood": (_("The caller was not understood"), "note"),
    "long_turn": (_("Somebody spoke without a pause"), "note"),
    "filler": (_("The secretary asked the caller to wait"), ""),
    "menu": (_("A key of the menu"), ""),
    "language": (_("The caller changed the language"), "note"),
    "watchdog": (_("The conversation had to end"), "bad"),
    "dtmf": (_("A key was pressed"), ""),
    "tool": (_("The secretary began to act"), ""),
    "tool_done": (_("The action ended"), ""),
    "briefed": (_("The speech service was told its rules"), ""),
    "tool_run": (_("A tool was used"), ""),
    "disclosed": (_("The caller was told"), "good"),
    "reprompt": (_("The caller was silent and was asked again"), "note"),
    "provider_silent": (_("The speech service did not answer in time"), "bad"),
    "provider_failed": (_("A speech service failed"), "bad"),
    "provider_changed": (_("Another speech service took over"), "note"),
    "provider_skipped": (_("A speech service was passed over"), "note"),
    "provider_bridged": (_("The platform spoke meanwhile"), "note"),
    "providers_exhausted": (_("No speech service was left"), "bad"),
    "broken": (_("A part of the call failed"), "bad"),
    "ended": (_("The call ended"), ""),
    "transferred": (_("Put through"), "good"),
    "transfer": (_("Transfer"), ""),
    "hung_up": (_("The caller hung up"), ""),
    "message": (_("Message taken"), "note"),
    "recording": (_("Recording"), ""),
    "recording_failed": (_("The switch did not record as it should"), "bad"),
    "recording_paused": (_("The recording was paused"), "note"),
    "recording_resumed": (_("The recording went on"), ""),
    "greeting": (_("Greeting"), ""),
}

DETAILS: Mapping[str, Text] = {
    # Names inside an entry's detail.
    "heard_ms": _("heard of the sentence (ms)"),
    "onset_ms": _("began to speak at (ms)"),
    "digit": _("key"),
    "name": _("what"),
    "outcome": _("outcome"),
    "detail": _("detail"),
    "part": _("part"),
    "reason": _("reason"),
    "number": _("number"),
    "destination": _("destination"),
    "day": _("day"),
    "opens": _("opens"),
    "secretary": _("secretary"),
    "provider": _("service"),
    "from": _("from"),
    "to": _("to"),
    "kind": _("kind"),
    "text": _("words"),
    "whole": _("heard to its end"),
    "language": _("language"),
    "start_ms": _("from (ms)"),
    "end_ms": _("to (ms)"),
    "end_of_turn": _("noticed after (ms)"),
    "thinking": _("first sign after (ms)"),
    "voice": _("voice after (ms)"),
    "answer": _("answer after (ms)"),
    "response": _("in all (ms)"),
}

RESULTS: Mapping[str, Text] = {
    "ok": _("it worked"),
    "refused": _("refused"),
    "failed": _("it failed"),
    "busy": _("busy"),
    "no_answer": _("no answer"),
    "declined": _("declined"),
    "dnd": _("do not disturb"),
    "unregistered": _("no telephone is registered"),
    "unreachable": _("cannot be reached"),
    "not_allowed": _("not allowed"),
    "caller_gone": _("the caller is gone"),
    "over": _("it came to its end there"),
    "cut_off": _("the conversation had broken off"),
    "timeout": _("no answer in time"),
    "interrupted": _("the caller spoke"),
    "incomplete": _("there is more to ask"),
    "invalid": _("not possible"),
}
"""How an action ended: the value of `outcome` in the detail of `tool_done`."""

REASONS: Mapping[str, Text] = {
    # Why a call ended as it did: words of the conversation, of a refusal, and the switch's hangup causes.
    "silent_caller": _("the caller said nothing"),
    "provider_silent": _("the speech service did not answer in time"),
    "provider_failed": _("the speech service failed"),
    "leg_failed": _("the audio of the call broke off"),
    "node_failed": _("the voice node failed"),
    "node_lost": _("the voice node was lost"),
    "burst": _("a short sound, and quiet again"),
    "backchannel": _("only a sound like “uh-huh”"),
    "unheeded": _("nothing that the speech service heeded"),
    "music": _("music on the line"),
    "recording": _("somebody who never pauses"),
    "circles": _("the same sentence again and again"),
    "repeats": _("the caller said the same again and again"),
    "turns": _("as many turns as a call may have"),
    "cost": _("as much as a call may cost"),
    "music_on_line": _("there was music on the line, and nobody"),
    "recording_on_line": _("there was a recording on the line"),
    "going_in_circles": _("the secretary went round in circles"),
    "caller_repeats": _("the caller said the same again and again"),
    "turns_used_up": _("as many turns as a call may have were used up"),
    "cost_used_up": _("the call cost as much as it may"),
    "caller_asked": _("the caller asked for it by a key"),
    "caller_ended": _("the caller ended the call by a key"),
    "time_is_up": _("the longest time for a call was reached"),
    "transferred": _("put through"),
    "bridged": _("put through"),
    "domain_disabled": _("the domain is switched off"),
    "unknown_secretary": _("the dialplan names a secretary that does not exist"),
    "unmapped_extension": _("no secretary answers at the extension"),
    "secretary_disabled": _("the secretary is switched off"),
    "no_credential": _("the domain has no connection to a telephone switch"),
    "quota_full": _("as many calls as the domain may have at once were going on"),
    "minutes_used_up": _("the domain's minutes were used up"),
    "goes_round": _("the call was sent to secretaries again and again"),
    "closed": _("it was out of hours"),
    "hours": _("outside of the week's hours"),
    "holiday": _("a public holiday"),
    "special_day": _("a special day"),
    "switch": _("the telephone system says so"),
    "budget_used_up": _("the domain's budget was used up"),
    "allowance_used_up": _("the domain's minutes or budget ran out during the call"),
    "NORMAL_CLEARING": _("hung up normally"),
    "ORIGINATOR_CANCEL": _("the caller gave up"),
    "USER_BUSY": _("busy"),
    "NO_ANSWER": _("no answer"),
    "NO_USER_RESPONSE": _("no answer"),
    "CALL_REJECTED": _("the call was rejected"),
}

TOOLS: Mapping[str, Text] = {
    "transfer": _("put the caller through"),
    "take_message": _("take a message"),
    "end_call": _("end the call"),
    "request_callback": _("promise a callback"),
    "business_info": _("look something up"),
    "opening_hours": _("look up opening hours"),
    "check_available": _("see who is free"),
    "send_dtmf": _("press keys"),
    "hold": _("put the caller on hold"),
    "resume": _("take the caller back"),
    "pause_recording": _("pause the recording"),
    "resume_recording": _("go on recording"),
    "remember_caller": _("remember the caller"),
}
"""The value of `name` in the detail of `tool` and `tool_done`."""


def outcome(value: str) -> Outcome:
    """Its words; an outcome that a newer node wrote shows by its own name."""
    return OUTCOMES.get(value) or Outcome(value.replace("_", " "))


def reason(value: str) -> Text:
    """Why a call ended as it did; an unknown reason shows by its own name."""
    return REASONS.get(value) or value.replace("_", " ")


def event(kind: str) -> tuple[Text, str]:
    """Words and tone of a timeline entry; an unknown kind shows by its own name."""
    return EVENTS.get(kind) or (kind.replace("_", " "), "")
