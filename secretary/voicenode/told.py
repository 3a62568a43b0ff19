"""What a call's parts are told of its secretary and its domain: the provider its briefing, the audio its route."""

from __future__ import annotations

from eslbridge.media.attach import Route
from eslbridge.profiles import MediaProfile
from secretary.profiles import SecretaryProfile
from secretary.selectors.greetings import greeting_of
from secretary.speech.contract import Briefing, Place, ToolSpec
from secretary.tools.beginning import Beginning
from secretary.tools.beginning import told as instructions_of
from secretary.voicenode.arrival import Arrival
from secretary.voicenode.coming_back import Back


def route(media: MediaProfile) -> Route:
    """Where the audio of the domain's calls runs."""
    return Route(
        transport=media.audio_transport,
        switch_media_host=media.switch_media_host,
        port_min=media.switch_media_port_min,
        port_max=media.switch_media_port_max,
        node_media_host=media.node_media_host,
    )


def briefing(
    profile: SecretaryProfile,
    arrival: Arrival | None = None,
    beginning: Beginning | None = None,
    tools: tuple[ToolSpec, ...] = (),
    back: Back | None = None,
) -> Briefing:
    """What the provider is told: names, never numbers to dial. Without a call: what it may prepare."""
    greeting = back.sentence(profile.language) if back is not None else greeting_of(profile)
    return Briefing(
        call_uuid=arrival.call_uuid if arrival else "",
        domain_uuid=str(profile.domain_uuid),
        secretary_uuid=str(profile.secretary_uuid),
        secretary_name=profile.name,
        language=profile.language,
        voice=profile.voice,
        greeting=greeting,
        prompt=profile.prompt,
        places=tuple(Place(str(place.destination_uuid), place.name, place.aliases) for place in profile.destinations),
        caller_number=arrival.caller_number if arrival else "",
        caller_name=arrival.caller_name if arrival else "",
        instructions=instructions_of(
            profile,
            tools=frozenset(tool.name for tool in tools),
            greeting=greeting,
            caller_name=arrival.caller_name if arrival else "",
            beginning=beginning,
        ),
        tools=tools,
        history=back.said if back is not None else (),
        came_back=back.told if back is not None else None,
    )
