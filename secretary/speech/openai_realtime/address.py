"""Where OpenAI Realtime is: at OpenAI, at Azure, or at a server of one's own.

    base_url                                    connects to
    (empty)                                     wss://api.openai.com/v1/realtime?model=M
    https://speech.example/v1                   wss://speech.example/v1/realtime?model=M
    https://speech.example/v1/realtime          the same
    https://R.openai.azure.com                  wss://R.openai.azure.com/openai/v1/realtime?model=DEPLOYMENT
    the same with option api_version            wss://R…/openai/realtime?api-version=V&deployment=DEPLOYMENT

Azure takes its key in `api-key`, all others as a bearer token. Option `azure` (`yes`, `no`) where the host does not
tell. Sources: the vendors' API references, and the URL that OpenAI's Python SDK builds.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from secretary.speech.contract import Access

BASE_URL: Final = "wss://api.openai.com/v1"
MODEL: Final = "gpt-realtime-1.5"
_AZURE: Final = (".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com")
_SCHEMES: Final = {"http": "ws", "https": "wss"}


def is_azure_host(url: str) -> bool:
    return (urlsplit(url).hostname or "").endswith(_AZURE)


def is_azure(access: Access) -> bool:
    said = access.option("azure").lower()
    if said:
        return said in ("yes", "true", "1")
    return is_azure_host(access.base_url)


def model_of(access: Access) -> str:
    """The model, or at Azure the deployment."""
    return (access.option("deployment") if is_azure(access) else "") or access.model or MODEL


def url_of(access: Access) -> str:
    parts = urlsplit(access.base_url or BASE_URL)
    path, query = parts.path.rstrip("/"), parse_qsl(parts.query)
    version = access.option("api_version")
    if is_azure(access):
        path = path.removesuffix("/realtime").removesuffix("/v1").removesuffix("/openai")
        path += "/openai/realtime" if version else "/openai/v1/realtime"
    elif not path.endswith("/realtime"):
        path += "/realtime"
    if is_azure(access) and version:
        query += [("api-version", version), ("deployment", model_of(access))]
    else:
        query += [("model", model_of(access))]
    return urlunsplit((_SCHEMES.get(parts.scheme, parts.scheme), parts.netloc, path, urlencode(query), ""))


def headers_of(access: Access) -> dict[str, str]:
    if not access.api_key:
        return {}
    return {"api-key": access.api_key} if is_azure(access) else {"Authorization": f"Bearer {access.api_key}"}
