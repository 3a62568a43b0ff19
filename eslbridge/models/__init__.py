from eslbridge.models.credential import AudioTransport, EslCredential
from eslbridge.models.dial_attempt import DialAttempt
from eslbridge.models.dial_rules import DialForm, DialRules
from eslbridge.models.job import Job, JobKind, JobOutcome, JobState

__all__ = [
    "AudioTransport",
    "DialAttempt",
    "DialForm",
    "DialRules",
    "EslCredential",
    "Job",
    "JobKind",
    "JobOutcome",
    "JobState",
]
