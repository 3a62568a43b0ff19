"""How an attempt to reach somebody ended: one word for each of FreeSWITCH's hangup causes.

The names and numbers of the causes are those of `switch_types.h` of 1.11 (`switch_call_cause_t`).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class TransferOutcome(StrEnum):
    """What became of putting a caller through. Everything but OK has the caller back with the secretary."""

    OK = "ok"
    """Accepted: the caller is with the colleague."""
    DECLINED = "declined"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    DND = "dnd"
    UNREGISTERED = "unregistered"
    """No telephone is registered."""
    UNREACHABLE = "unreachable"
    """The number, the gateway or the switch cannot be reached."""
    CLOSED = "closed"
    """Outside the destination's hours."""
    NOT_ALLOWED = "not_allowed"
    CALLER_GONE = "caller_gone"
    FAILED = "failed"


_O = TransferOutcome
_CAUSES: Final[Mapping[TransferOutcome, str]] = {
    _O.BUSY: "USER_BUSY BUSY_EVERYWHERE",
    _O.DECLINED: "CALL_REJECTED DECLINE REJECT_ALL UNWANTED",
    # NORMAL_CLEARING of a leg that was never answered: a dialplan (ring group, queue) came to its end without anybody.
    _O.NO_ANSWER: "NO_ANSWER NO_USER_RESPONSE ALLOTTED_TIMEOUT PROGRESS_TIMEOUT NO_PICKUP NORMAL_CLEARING"
    " NORMAL_UNSPECIFIED",
    _O.UNREGISTERED: "USER_NOT_REGISTERED SUBSCRIBER_ABSENT",
    _O.NOT_ALLOWED: "OUTGOING_CALL_BARRED INCOMING_CALL_BARRED FACILITY_REJECTED FACILITY_NOT_SUBSCRIBED"
    " BEARERCAPABILITY_NOTAUTH USER_CHALLENGE NO_IDENTITY BAD_IDENTITY_INFO INVALID_IDENTITY STALE_DATE"
    " UNSUPPORTED_CERTIFICATE",
    _O.CALLER_GONE: "ORIGINATOR_CANCEL",
    _O.UNREACHABLE: "UNALLOCATED_NUMBER NO_ROUTE_TRANSIT_NET NO_ROUTE_DESTINATION CHANNEL_UNACCEPTABLE NUMBER_CHANGED"
    " REDIRECTION_TO_NEW_DESTINATION EXCHANGE_ROUTING_ERROR DESTINATION_OUT_OF_ORDER INVALID_NUMBER_FORMAT"
    " NORMAL_CIRCUIT_CONGESTION NETWORK_OUT_OF_ORDER NORMAL_TEMPORARY_FAILURE SWITCH_CONGESTION"
    " REQUESTED_CHAN_UNAVAIL BEARERCAPABILITY_NOTAVAIL SERVICE_UNAVAILABLE INCOMPATIBLE_DESTINATION INTERWORKING"
    " RECOVERY_ON_TIMER_EXPIRE GATEWAY_DOWN INVALID_GATEWAY INVALID_URL INVALID_PROFILE DOES_NOT_EXIST_ANYWHERE"
    " NOT_ACCEPTABLE",
    _O.FAILED: "NONE CALL_AWARDED_DELIVERED RESPONSE_TO_STATUS_ENQUIRY ACCESS_INFO_DISCARDED PRE_EMPTED"
    " BEARERCAPABILITY_NOTIMPL CHAN_NOT_IMPLEMENTED FACILITY_NOT_IMPLEMENTED SERVICE_NOT_IMPLEMENTED"
    " INVALID_CALL_REFERENCE INVALID_MSG_UNSPECIFIED MANDATORY_IE_MISSING MESSAGE_TYPE_NONEXIST WRONG_MESSAGE"
    " IE_NONEXIST INVALID_IE_CONTENTS WRONG_CALL_STATE MANDATORY_IE_LENGTH_ERROR PROTOCOL_ERROR SUCCESS CRASH"
    " SYSTEM_SHUTDOWN LOSE_RACE MANAGER_REQUEST BLIND_TRANSFER ATTENDED_TRANSFER MEDIA_TIMEOUT PICKED_OFF"
    " SRTP_READ_ERROR BOWOUT",
}
OUTCOME_OF_CAUSE: Final[Mapping[str, TransferOutcome]] = {
    cause: outcome for outcome, causes in _CAUSES.items() for cause in causes.split()
}


def outcome_of(cause: str) -> TransferOutcome:
    """The outcome of a leg that was never answered, by its hangup cause; `failed` for one that is not known."""
    return OUTCOME_OF_CAUSE.get(cause.strip().upper(), TransferOutcome.FAILED)
