"""Who does each stage of a pipeline, out of a provider's `Access`.

    stt, llm, tts                     the service: `openai` (any compatible server), `deepgram`, `anthropic`, …
    stt_url, llm_url, tts_url         its address; empty: the vendor's own
    stt_key, llm_key, tts_key         its key
    stt_model, llm_model, tts_model   its model

A stage without an address of its own that is `openai` is at `Access.base_url` with `Access.api_key`: one OpenAI key,
or one self-hosted server that does everything, needs nothing else. That key goes nowhere else: a stage with another
address or vendor has a key of its own or none.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from secretary.speech.contract import Access, ProviderError
from secretary.speech.openai_realtime.address import is_azure_host

STAGES: Final[Mapping[str, Mapping[str, str]]] = {
    "stt": {"openai": "https://api.openai.com/v1", "deepgram": "https://api.deepgram.com"},
    "llm": {"openai": "https://api.openai.com/v1", "anthropic": "https://api.anthropic.com"},
    "tts": {"local": "", "openai": "https://api.openai.com/v1", "elevenlabs": "https://api.elevenlabs.io"},
}
"""Stage to its services, each with the vendor's own address. The first is the default, but a stage that was given an
address and no service is `openai`: that is what self-hosted servers speak. (OpenAI's own speech endpoint closes in
January 2027, so it is nobody's default.)"""
MODELS: Final[Mapping[tuple[str, str], str]] = {
    ("stt", "openai"): "gpt-transcribe",
    ("stt", "deepgram"): "nova-3",
    ("llm", "openai"): "gpt-6-luna",
    ("llm", "anthropic"): "claude-haiku-5-5",
    ("tts", "openai"): "gpt-4o-mini-tts",
    ("tts", "elevenlabs"): "eleven_flash_v2_5",
}
"""What is asked for where nothing is said; not at other servers that speak OpenAI's dialect."""
ELSEWHERE: Final[Mapping[str, str]] = {"stt": "whisper-1", "llm": "default", "tts": "tts-1"}
"""What those are asked for: names that many self-hosted servers take for "whatever you have"."""
TIMEOUTS: Final[Mapping[str, float]] = {"stt": 3.0, "llm": 4.0, "tts": 3.0}
"""Seconds until a stage must have begun to answer; also the longest pause within its answer."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One service, and how it is to be used."""

    stage: str
    service: str
    url: str
    model: str
    key: str = field(default="", repr=False)
    guarded: bool = True
    timeout_s: float = 4.0
    options: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """The stage's further options, without its prefix: `voice`, `language`, `temperature`, …"""

    def option(self, name: str, default: str = "") -> str:
        return next((value for given, value in self.options if given == name and value), default)

    def number(self, name: str, default: float, lowest: float, highest: float) -> float:
        """An option that is a number within bounds. Raises ProviderError."""
        text = self.option(name)
        try:
            value = float(text) if text else default
        except ValueError:
            value = highest + 1
        if not lowest <= value <= highest:
            raise ProviderError(f"{self.stage}_{name} is no number from {lowest:g} to {highest:g}", kind="refused")
        return value

    def extra(self) -> dict[str, Any]:
        """`<stage>_extra`: a JSON object that goes into every request as it is. Raises ProviderError."""
        try:
            value = json.loads(self.option("extra", "{}"))
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise ProviderError(f"{self.stage}_extra is no JSON object", kind="refused")
        return value

    def at(self, path: str) -> str:
        """The address of a request. What the service's has behind a `?` (Azure's api-version) stays there."""
        before, mark, query = self.url.partition("?")
        return f"{before.rstrip('/')}{path}{mark}{query}"

    def bearer(self) -> dict[str, str]:
        """The key as servers of OpenAI's dialect take it; Azure has a header of its own."""
        if not self.key:
            return {}
        return {"api-key": self.key} if is_azure_host(self.url) else {"Authorization": f"Bearer {self.key}"}

    @property
    def name(self) -> str:
        """For messages: the stage and its service, nothing secret."""
        words = {"stt": "speech to text", "llm": "language model", "tts": "text to speech"}
        return f"{words[self.stage]} ({self.service})"


@dataclass(frozen=True, slots=True)
class Pipeline:
    stt: Stage
    llm: Stage
    tts: Stage


def pipeline_of(access: Access) -> Pipeline:
    """Raises ProviderError (`refused`) that names the option which does not fit."""
    return Pipeline(*(_stage(access, name) for name in ("stt", "llm", "tts")))


def _stage(access: Access, stage: str) -> Stage:
    services = STAGES[stage]
    own_url = access.option(f"{stage}_url")
    service = access.option(stage) or ("openai" if own_url else next(iter(services)))
    if service not in services:
        raise ProviderError(f"{stage} is {service!r}: known are {', '.join(services)}", kind="refused")
    shared = service == "openai" and not own_url
    url = (own_url or (access.base_url if shared else "") or services[service]).rstrip("/")
    if url and urlsplit(url).scheme not in ("http", "https", "ws", "wss"):
        raise ProviderError(f"{stage}_url is no address that begins with https:// or http://", kind="refused")
    elsewhere = service == "openai" and url != services[service]
    usual = ELSEWHERE[stage] if elsewhere else MODELS.get((stage, service), "")
    model = access.option(f"{stage}_model") or (access.model if stage == "llm" else "") or usual
    prefix = f"{stage}_"
    own = ("url", "key", "model", "timeout")
    named = ((name.removeprefix(prefix), value) for name, value in access.options if name.startswith(prefix))
    options = tuple((name, value) for name, value in named if name not in own)
    given = Stage(stage, service, url, model, options=(("timeout", access.option(f"{stage}_timeout")),))
    return Stage(
        stage,
        service,
        url,
        model,
        key=access.option(f"{stage}_key") or (access.api_key if shared else ""),
        guarded=access.guarded,
        timeout_s=given.number("timeout", TIMEOUTS[stage], 0.1, 60.0),
        options=options,
    )
