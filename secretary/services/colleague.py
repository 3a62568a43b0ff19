"""Whether a colleague is free, asked from a worker that has no event loop."""

from __future__ import annotations

import asyncio
from typing import Final
from uuid import UUID

import structlog

from eslbridge.esl.errors import EslError
from eslbridge.esl.inbound import InboundClient
from eslbridge.esl.pool import address_of
from eslbridge.profiles import EslEndpoint
from eslbridge.selectors import esl_endpoint
from secretary.services.availability import UNKNOWN, Availability, availability_of
from tenants.errors import UndecryptableError

log = structlog.get_logger(__name__)

LONGEST_S: Final = 3.0


def colleague_free(*, domain_uuid: UUID, kind: str, number: str) -> Availability:
    """What the domain's switch says of a telephone; `unknown` where it does not say. Outside of every transaction."""
    try:
        endpoint = esl_endpoint(domain_uuid=domain_uuid)
    except UndecryptableError:
        return UNKNOWN
    if endpoint is None:
        return UNKNOWN
    return asyncio.run(_ask(endpoint, kind, number))


async def _ask(endpoint: EslEndpoint, kind: str, number: str) -> Availability:
    client = InboundClient(address_of(endpoint), reconnects=False)
    try:
        async with asyncio.timeout(LONGEST_S):
            await client.connect()
            return await availability_of(client, kind=kind, number=number, domain_name=endpoint.domain_name)
    except (EslError, OSError, TimeoutError) as error:
        log.info("colleague.unknown", error=repr(error)[:200])
        return UNKNOWN
    finally:
        await client.close()
