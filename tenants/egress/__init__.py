"""The one way out for HTTP requests whose address a tenant chose: webhooks, tools.

    response = request("POST", url, headers={"Content-Type": "application/json"}, body=b"{}")

`target` reads the URL, `policy` says what is allowed, `addresses` judges what a name resolved to, `exchange` speaks
HTTP without a socket. `client` (threads) and `aio` (asyncio) only resolve, connect and carry bytes. A name is resolved
once, every address of it is judged, and the connection goes to a judged address itself: there is no second look-up
that could answer differently. Redirects are handed back, never followed; proxies of the environment are not used.
"""

from __future__ import annotations

from tenants.egress.client import request
from tenants.egress.errors import BlockedError, EgressError, EgressTimeout, ResponseError, UnreachableError
from tenants.egress.exchange import Limits, Response
from tenants.egress.policy import check_url

__all__ = [
    "BlockedError",
    "EgressError",
    "EgressTimeout",
    "Limits",
    "Response",
    "ResponseError",
    "UnreachableError",
    "check_url",
    "request",
]
