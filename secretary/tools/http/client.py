"""One run of a tenant's tool: build the request, sign it, send it through the egress guard, say what came back.

    POST /orders HTTP/1.1
    webhook-id: <the run's UUID>                  also as Idempotency-Key
    webhook-timestamp, webhook-signature          as webhooks have them: see `secretary.webhooks.signing`

    {"id": "<run>", "tool": "find_order", "arguments": {…}, "call": {"call_uuid": …, "secretary_uuid": …}}

A request without a body signs `<METHOD> <path and query>` in its place. Redirects are not followed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID, uuid4

import orjson

from secretary.conversation.office import Outcome
from secretary.tools.http import result, template
from secretary.tools.http.load import Ready
from secretary.webhooks import signing
from tenants.egress import BlockedError, EgressError, EgressTimeout, Limits, Response, aio
from tenants.egress.target import parse_target

USER_AGENT: Final = "VoiceSecretary-Tools/1"
WITHOUT_BODY: Final = ("GET", "DELETE")
CONNECT_S: Final = 3.0
RESERVED: Final = frozenset(
    {"host", "content-length", "connection", "transfer-encoding", "upgrade", "expect", "te", "trailer", "keep-alive",
     "content-type", "user-agent", "idempotency-key", "webhook-id", "webhook-timestamp", "webhook-signature"}
)  # fmt: skip
"""Headers that are the platform's to set."""
MOST_REFUSAL: Final = 500
"""Characters of a server's refusal (4xx) that a model is told."""

Send = Callable[..., Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class About:
    """The call that a tool is used in."""

    domain_uuid: UUID
    secretary_uuid: UUID
    call_uuid: str
    caller_number: str = ""
    caller_name: str = ""


async def run(tool: Ready, arguments: Mapping[str, Any], about: About, *, send: Send = aio.request) -> Outcome:
    """Do it once. Never raises for what a server, an address or an argument does.

    The outcome's detail is for the model, in English, and names no address.
    """
    has_body = tool.method not in WITHOUT_BODY
    run_uuid = str(uuid4())
    try:
        url = template.fill(tool.url, arguments, rest_in_query=not has_body)
        body = _body(run_uuid, tool, arguments, about) if has_body else b""
        signed = body or f"{tool.method} {parse_target(url).path}".encode()
        headers = {
            **{name: value for name, value in tool.headers.items() if name.lower() not in RESERVED},
            "Accept": "application/json",
            "User-Agent": USER_AGENT,
            "Idempotency-Key": run_uuid,
            **({"Content-Type": "application/json"} if body else {}),
            **signing.headers(tool.secrets, message_id=run_uuid, now=datetime.now(UTC), body=signed),
        }
        limits = Limits(connect_s=min(CONNECT_S, tool.timeout_s), total_s=tool.timeout_s, max_body=tool.max_bytes)
        response = await send(tool.method, url, headers=headers, body=body, limits=limits)
    except template.TemplateError as error:
        return Outcome("invalid_arguments", str(error))
    except EgressTimeout:
        return Outcome("timeout", "It took too long. Do not try again in this call; offer to take a message.")
    except BlockedError:
        return Outcome("not_allowed", "The address of this tool is not allowed. Do not try again.")
    except EgressError as error:
        return Outcome("failed", f"It cannot be reached at the moment ({error.reason}).")
    except ValueError:  # a header that HTTP does not know
        return Outcome("failed", "This tool is not set up rightly. Do not try again.")
    return told(tool, response)


def _body(run_uuid: str, tool: Ready, arguments: Mapping[str, Any], about: About) -> bytes:
    call: dict[str, Any] = {
        "call_uuid": about.call_uuid,
        "secretary_uuid": str(about.secretary_uuid),
        "domain_uuid": str(about.domain_uuid),
    }
    if tool.shares_caller:
        call |= {"caller_number": about.caller_number, "caller_name": about.caller_name}
    content = {"id": run_uuid, "tool": tool.name, "arguments": dict(arguments), "call": call}
    return orjson.dumps(content, option=orjson.OPT_SORT_KEYS)


def told(tool: Ready, response: Response) -> Outcome:
    """What the server answered, for the model."""
    kind = response.headers.get("content-type", "").lower()
    status = response.status
    if 200 <= status < 300:
        try:
            text = result.words(response.body, content_type=kind, path=tool.result_path, text=tool.result_text)
        except result.Garbage as error:
            return Outcome("failed", f"Its answer cannot be used: {error}.")
        return Outcome("ok", result.marked(text))
    if 300 <= status < 400:
        return Outcome("failed", "It answered with a redirect, which is not followed.")
    if status == 429:
        return Outcome("busy", "It is used too much at the moment.")
    if status >= 500:
        return Outcome("failed", f"It has a problem of its own (status {status}).")
    word = "not_found" if status in (404, 410) else "refused"
    try:
        text = result.words(response.body, content_type=kind, most=MOST_REFUSAL)
    except result.Garbage:
        text = f"status {status}"
    return Outcome(word, result.marked(text))
