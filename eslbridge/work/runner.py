"""Running one job: claim it, speak to the domain's switch, write its end. No transaction is open meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from uuid import UUID

import structlog

from eslbridge import jobs
from eslbridge.esl.errors import EslError
from eslbridge.esl.interface import EslClient
from eslbridge.jobs import JobResult
from eslbridge.models import Job, JobKind, JobOutcome
from eslbridge.ownership import owns_call
from eslbridge.profiles import EslEndpoint
from eslbridge.selectors import esl_endpoint
from eslbridge.work import actions
from tenants.context import give_connection_back
from tenants.errors import UndecryptableError

log = structlog.get_logger(__name__)

WAITING = frozenset({JobKind.CONSULT, JobKind.ORIGINATE})
"""Kinds that mostly wait for a telephone: they share connections."""
OpenSwitch = Callable[[EslEndpoint], AbstractContextManager[EslClient]]


def run(*, domain_uuid: UUID, job_uuid: UUID, open_switch: OpenSwitch | None = None) -> JobResult | None:
    """Do one job. None: it was not ours to do (delivered twice, cancelled, expired, or not this tenant's)."""
    with structlog.contextvars.bound_contextvars(domain=str(domain_uuid), job=str(job_uuid)):
        job = jobs.claim(domain_uuid=domain_uuid, job_uuid=job_uuid)
        if job is None:
            log.info("job.not_claimed")
            return None
        with structlog.contextvars.bound_contextvars(call_uuid=str(job.call_uuid or "")):
            begun = time.monotonic()
            try:
                result = _perform(job, open_switch or (_shared if job.kind in WAITING else _pooled))
            except jobs.JobLost:
                # Changes nothing where the job was cancelled or is another worker's.
                jobs.finish(job, JobResult(JobOutcome.FAILED, "too late to send it"))
                log.warning("job.not_sent", kind=job.kind)
                return None
            kept = jobs.finish(job, result)
            elapsed_ms = round((time.monotonic() - begun) * 1000)
            log.info(
                "job.finished", kind=job.kind, outcome=result.outcome, reason=result.reason, kept=kept, ms=elapsed_ms
            )
            return result


def _perform(job: Job, open_switch: OpenSwitch) -> JobResult:
    try:
        # Before anything is decrypted or connected: may this tenant touch this channel at all?
        if job.call_uuid is not None and not owns_call(domain_uuid=job.domain_uuid, call_uuid=job.call_uuid):
            return JobResult(JobOutcome.NOT_ALLOWED, "the call is not this domain's")
        endpoint = esl_endpoint(domain_uuid=job.domain_uuid)
        if endpoint is None:
            return JobResult(JobOutcome.NOT_ALLOWED, "the domain is disabled or has no ESL credential")
        refusal = actions.refuse(job)
        if refusal is not None:
            return refusal
        give_connection_back()
        try:
            with open_switch(endpoint) as switch:
                return actions.perform(job, switch, endpoint)
        except EslError as error:
            return actions.result_of(error)
    except UndecryptableError as error:
        return JobResult(JobOutcome.UNREACHABLE, str(error))
    except jobs.JobLost:
        raise
    except Exception as error:  # whatever it was, the row must end and the caller be told
        log.exception("job.crashed", kind=job.kind)
        return JobResult(JobOutcome.FAILED, f"{type(error).__name__}")


def _pooled(endpoint: EslEndpoint) -> AbstractContextManager[EslClient]:
    """This process's connection to the switch. Imported late: greenswitch brings gevent, which only a worker wants."""
    from eslbridge.esl.pool import switch_of

    return switch_of(endpoint)


def _shared(endpoint: EslEndpoint) -> AbstractContextManager[EslClient]:
    from eslbridge.esl.pool import shared_switch_of

    return shared_switch_of(endpoint)
