"""What the rest of the platform is told of a domain's switch: frozen values, without a database behind them."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID


@dataclass(frozen=True, slots=True)
class MediaProfile:
    """How the audio of a domain's calls reaches the node. No secret in it."""

    audio_transport: str
    """One of `eslbridge.models.AudioTransport`."""
    switch_media_host: str
    """Where FreeSWITCH binds its unicast socket (direct UDP)."""
    switch_media_port_min: int
    switch_media_port_max: int
    node_media_host: str
    """Where FreeSWITCH sends to; empty: the node's own VOICENODE_ADVERTISED_HOST."""


@dataclass(frozen=True, slots=True)
class EslEndpoint:
    """How a worker reaches a domain's switch. Times in seconds. The password is kept out of `repr` and logs."""

    domain_uuid: UUID
    domain_name: str
    host: str
    port: int
    password: str = field(repr=False)
    connect_timeout_s: float = 5.0
    read_timeout_s: float = 30.0
    reconnect_delay_s: float = 2.0
    max_reconnects: int = 3
