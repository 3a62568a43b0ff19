"""What the states and outcomes of callbacks and jobs are called on a page."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from secretary.panel.words import Text

TONES: Mapping[str, str] = {
    "waiting": "note", "running": "live", "done": "good", "failed": "bad", "cancelled": "", "expired": "bad",
    "queued": "note",
}  # fmt: skip
"""The pill's class, by state."""

OUTCOMES: Mapping[str, Text] = {
    "done": _("They talked"),
    "by_hand": _("Called by hand"),
    "declined": _("Declined"),
    "no_answer": _("No answer"),
    "busy": _("Busy"),
    "dnd": _("Does not want to be disturbed"),
    "unregistered": _("The telephone is not registered"),
    "unreachable": _("Not reached"),
    "not_allowed": _("The platform does not dial it"),
    "caller_gone": _("Hung up meanwhile"),
    "failed": _("It failed"),
    "cancelled": _("Taken back"),
    "unknown": _("Dialled, and the connection to the telephone system was lost: nobody knows whether they talked"),
    "closed": _("Put off: closed at that time"),
    "colleague_busy": _("Put off: the colleague was on the telephone"),
    "colleague_dnd": _("Put off: the colleague does not want to be disturbed"),
    "colleague_unregistered": _("Put off: the colleague's telephone is not registered"),
    "colleague_no_agents": _("Put off: nobody was there"),
}
LEGS: Mapping[str, Text] = {"colleague": _("the colleague"), "customer": _("the caller")}

REFUSALS: Mapping[str, Text] = {
    "no_consent": _("Nobody is called back who has not agreed to it."),
    "too_late": _("That time is over."),
    "too_many": _("So many callbacks are open already."),
    "unknown_destination": _("The destination is not there any more. Choose again."),
    "not_a_person": _("Nobody picks up a telephone there."),
    "nobody": _("Say whose telephone is to ring."),
    "not_open": _("It is being called at this moment, or is over."),
    "no_extension": _("The secretary answers at no extension. Give it one first."),
    "emergency": _("Emergency numbers are never dialled by the platform."),
    "secretary_loop": _("8000 to 8999 lead to a secretary."),
    "external": _("The domain does not permit calls to outside numbers: see what may be dialled."),
    "country": _("The domain does not permit calls to that country: see what may be dialled."),
    "malformed": _("This is no number that can be dialled."),
    "invalid": _("This is no number that can be dialled."),
}


def outcome(value: str) -> Text:
    """An outcome in words; one that a newer worker wrote shows by its own name."""
    return OUTCOMES.get(value) or value.replace("_", " ")


def refusal(reason: str) -> Text:
    """Why something is not done; the policy's other words in one sentence."""
    return REFUSALS.get(reason) or _("The platform does not dial this number (%s).") % reason
