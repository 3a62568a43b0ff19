from secretary.models.call import Call, CallOutcome, RecordingState
from secretary.models.callback import Callback, CallbackAttempt, CallbackState, ConsentHow
from secretary.models.caller_request import CallerRequest, CallerRequestKind, CallerRequestState
from secretary.models.calling_rules import CallingRules
from secretary.models.destination import Destination, DestinationKind
from secretary.models.event import CallEvent
from secretary.models.extension import ExtensionMapping
from secretary.models.member_destination import MemberDestination
from secretary.models.message import Message, Urgency
from secretary.models.message_mail import MailState, MessageMail
from secretary.models.opening_hours import HoursSource, OpeningHours, SpecialDay
from secretary.models.price import DomainPrice, ProviderPrice, UsageUnit
from secretary.models.provider import InstallationProvider, ProviderCredential
from secretary.models.secretary import ClosedAction, Recorder, Secretary
from secretary.models.usage import UsageDay, UsageRecord
from secretary.models.utterance import Speaker, Utterance

__all__ = [
    "Call",
    "CallEvent",
    "CallOutcome",
    "Callback",
    "CallbackAttempt",
    "CallbackState",
    "CallerRequest",
    "CallerRequestKind",
    "CallerRequestState",
    "CallingRules",
    "ClosedAction",
    "ConsentHow",
    "Destination",
    "DestinationKind",
    "DomainPrice",
    "ExtensionMapping",
    "HoursSource",
    "InstallationProvider",
    "MailState",
    "MemberDestination",
    "Message",
    "MessageMail",
    "OpeningHours",
    "ProviderCredential",
    "ProviderPrice",
    "Recorder",
    "RecordingState",
    "Secretary",
    "Speaker",
    "SpecialDay",
    "Urgency",
    "UsageDay",
    "UsageRecord",
    "UsageUnit",
    "Utterance",
]
