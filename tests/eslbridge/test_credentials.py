"""A domain's way to its switch: validated on the way in, complete and discreet on the way out."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError

from eslbridge.selectors import esl_endpoint, media_profile
from eslbridge.services import save_credential
from tests.cast import Tenant


def test_password_stays_when_none_is_given(acme: Tenant) -> None:
    """A form that shows no password changes everything else."""
    save_credential(domain_uuid=acme.domain_uuid, host="10.0.0.9", audio_transport="mod-audio-fork")
    endpoint, media = esl_endpoint(domain_uuid=acme.domain_uuid), media_profile(domain_uuid=acme.domain_uuid)
    assert endpoint is not None and media is not None
    assert (endpoint.host, endpoint.password) == ("10.0.0.9", "password of acme.example")
    assert media.audio_transport == "mod-audio-fork"


def test_defaults_of_the_field(acme: Tenant) -> None:
    """Connect 5 s, read 30 s, reconnect after 2 s, at most 3 times."""
    endpoint = esl_endpoint(domain_uuid=acme.domain_uuid)
    assert endpoint is not None
    assert (endpoint.connect_timeout_s, endpoint.read_timeout_s) == (5.0, 30.0)
    assert (endpoint.reconnect_delay_s, endpoint.max_reconnects) == (2.0, 3)
    assert (endpoint.domain_uuid, endpoint.domain_name) == (acme.domain_uuid, "acme.example")


@pytest.mark.parametrize(
    "fields",
    [
        {"password": "a\nexit"},
        {"password": ""},
        {"host": "10.0.0.1 x"},
        {"host": "node\n"},
        {"host": "${x}"},
        {"port": 0},
        {"port": 70_000},
        {"audio_transport": "pigeon"},
        {"switch_media_port_min": 200, "switch_media_port_max": 100},
        {"connect_timeout_s": 0},
        {"read_timeout_s": 1e9},
        {"node_media_host": "a;b"},
    ],
)
def test_wrong_values(acme: Tenant, fields: dict[str, object]) -> None:
    """Nothing that could end a line, or that no switch has, is stored."""
    with pytest.raises(ValidationError):
        save_credential(domain_uuid=acme.domain_uuid, **fields)  # type: ignore[arg-type]
    endpoint = esl_endpoint(domain_uuid=acme.domain_uuid)
    assert endpoint is not None and endpoint.host == "127.0.0.1"


def test_nobodys_switch(db: None) -> None:
    """A domain that does not exist has none."""
    assert esl_endpoint(domain_uuid=uuid4()) is None
    assert media_profile(domain_uuid=uuid4()) is None
