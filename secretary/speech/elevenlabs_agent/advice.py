"""What is missing in an agent's settings at ElevenLabs: it takes calls, but cannot do for a caller what it should.

Its tools are made there and cannot be sent along, so nothing tells that one is missing until a caller wants it.
"""

from __future__ import annotations

from typing import Any, Final

import httpx
from django.utils.translation import gettext as _

from secretary.speech.contract import Access, ProviderError
from secretary.speech.elevenlabs_agent import messages
from secretary.speech.net import check_status, http_client, provider_error
from secretary.tools.names import BUILT_IN, USUAL

MOST_NAMED: Final = 100
"""Tools of an account that are looked at: one page."""
BEST: Final = "ulaw_8000"
Json = dict[str, Any]


async def advice(access: Access) -> str:
    """What should be changed there, in whole sentences; empty: nothing. Never raises for what a server does."""
    headers = {"xi-api-key": access.api_key} if access.api_key else {}
    try:
        async with http_client(guarded=access.guarded, headers=headers) as client:
            agent = await _get(client, f"{messages.api_of(access)}/agents/{messages.agent_of(access)}")
            tools = await _tools(client, access, agent)
    except (ProviderError, httpx.HTTPError, ValueError, TypeError, AttributeError) as error:
        kind = provider_error(error).kind
        words = _("Its settings could not be read with this key (%(kind)s): look yourself whether it has all tools.")
        return words % {"kind": kind}
    return " ".join(_sentences(access, agent, tools))


async def _get(client: httpx.AsyncClient, url: str) -> Json:
    answer = await client.get(url)
    check_status(answer)
    found = answer.json()
    if not isinstance(found, dict):
        raise ValueError("no object")
    return found


async def _tools(client: httpx.AsyncClient, access: Access, agent: Json) -> list[Json]:
    """The agent's client tools; newer agents name them by ids only."""
    prompt = _at(agent, "conversation_config", "agent", "prompt")
    tools = [tool for tool in prompt.get("tools") or () if isinstance(tool, dict)]
    if not tools and (ids := set(prompt.get("tool_ids") or ())):
        page = await _get(client, f"{messages.api_of(access)}/tools?page_size={MOST_NAMED}")
        tools = [_at(tool, "tool_config") for tool in page.get("tools") or () if tool.get("id") in ids]
    return [tool for tool in tools if tool.get("type") == "client"]


def _sentences(access: Access, agent: Json, tools: list[Json]) -> list[str]:
    found = []
    names = {str(tool.get("name")) for tool in tools}
    if missing := [name for name in USUAL if name not in names]:
        words = _("It lacks these client tools, and cannot do what they do: %(names)s.")
        found.append(words % {"names": ", ".join(missing)})
    deaf = {str(tool.get("name")) for tool in tools if not tool.get("expects_response")}.intersection(BUILT_IN)
    if deaf:  # names of ours alone: nothing of what the other side says is repeated
        words = _("These tools do not wait for their response, so it never knows how they end: %(names)s.")
        found.append(words % {"names": ", ".join(sorted(deaf))})
    overrides = _at(agent, "platform_settings", "overrides", "conversation_config_override")
    own, tts = _at(overrides, "agent"), _at(overrides, "tts")
    allowed = {
        "prompt": _at(own, "prompt").get("prompt"),
        "first_message": own.get("first_message"),
        "language": own.get("language"),
        "voice": tts.get("voice_id"),
    }
    if refused := [name for name, allows in allowed.items() if name in messages.overridden(access) and not allows]:
        words = _("Its security settings do not allow these overrides: %(names)s.")
        found.append(words % {"names": ", ".join(refused)})
    config = _at(agent, "conversation_config")
    formats = (_at(config, "asr").get("user_input_audio_format"), _at(config, "tts").get("agent_output_audio_format"))
    if set(formats) != {BEST}:
        found.append(_("Its audio is not μ-law 8000 Hz both ways: it is resampled, which costs quality and time."))
    return found


def _at(value: Json, *path: str) -> Json:
    """The object at this place; an empty one where there is none."""
    for name in path:
        inner = value.get(name)
        value = inner if isinstance(inner, dict) else {}
    return value
