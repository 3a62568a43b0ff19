"""A client of the API for tests: a token, and paths below /api/v1."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from django.test import Client

from tenants import assertions, keys

Reply = Any  # Django's test response, which has more members than its type says


@dataclass
class Api:
    """Sends JSON with an Authorization header (`""`: none)."""

    authorization: str = ""
    client: Client = field(default_factory=Client)

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        if self.authorization:
            headers = {"Authorization": self.authorization, **headers}
        data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        kind = {"content_type": "application/json"} if body is not None else {}
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.generic(method, f"/api/v1/{path}", data, headers=sent, **kind)  # type: ignore[arg-type]

    def get(self, path: str, **headers: str) -> Reply:
        return self.send("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Reply:
        return self.send("POST", path, {} if body is None else body, **headers)

    def put(self, path: str, body: Any, **headers: str) -> Reply:
        return self.send("PUT", path, body, **headers)

    def patch(self, path: str, body: Any, **headers: str) -> Reply:
        return self.send("PATCH", path, body, **headers)

    def delete(self, path: str, **headers: str) -> Reply:
        return self.send("DELETE", path, **headers)


def domain_key(domain_uuid: UUID, *scopes: str, **about: Any) -> str:
    return keys.issue_domain_key(domain_uuid=domain_uuid, name="a key", scopes=scopes or ("*",), **about).token


def installation_key(*scopes: str, **about: Any) -> str:
    return keys.issue_installation_key(name="the hosting company", scopes=scopes or ("*",), **about).token


def bearer(token: str) -> Api:
    return Api(f"Bearer {token}")


def claims(token: str, domain_uuid: UUID, **changes: Any) -> dict[str, Any]:
    parsed = keys.parse_token(token)
    assert parsed is not None
    return {
        "kid": parsed.prefix,
        "aud": "api",
        "dom": str(domain_uuid),
        "sub": "alice",
        "exp": int(time.time()) + 50,
        "jti": uuid4().hex,
        **changes,
    }


def assertion(token: str, domain_uuid: UUID, **changes: Any) -> Api:
    """FusionPBX, for one request."""
    text = assertions.sign(claims(token, domain_uuid, **changes), secret=keys.assertion_secret(token))
    return Api(f"Assertion {text}")
