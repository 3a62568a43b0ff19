from secretary.models.call import Call, CallOutcome
from secretary.models.destination import Destination, DestinationKind
from secretary.models.event import CallEvent
from secretary.models.extension import ExtensionMapping
from secretary.models.member_destination import MemberDestination
from secretary.models.message import Message
from secretary.models.secretary import Secretary
from secretary.models.utterance import Speaker, Utterance

__all__ = [
    "Call",
    "CallEvent",
    "CallOutcome",
    "Destination",
    "DestinationKind",
    "ExtensionMapping",
    "MemberDestination",
    "Message",
    "Secretary",
    "Speaker",
    "Utterance",
]
