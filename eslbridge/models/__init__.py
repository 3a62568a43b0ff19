from eslbridge.models.credential import AudioTransport, EslCredential
from eslbridge.models.job import Job, JobKind, JobOutcome, JobState

__all__ = ["AudioTransport", "EslCredential", "Job", "JobKind", "JobOutcome", "JobState"]
