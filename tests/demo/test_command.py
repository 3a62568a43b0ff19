"""`manage.py standin_switch`: the installation's own dialplans and extensions."""

from __future__ import annotations

import socket

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command

from secretary.demo.tenants import TENANTS, Switch, seed

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_call_without_a_node_reaches_the_fallback(caplog: pytest.LogCaptureFixture, settings: LazySettings) -> None:
    """Every domain's dialplan is installed; where no node listens, the caller is not left in silence."""
    with socket.create_server(("127.0.0.1", 0)) as taken:  # a port of our own: on 8022 somebody's node may listen
        settings.VOICENODE_ESL_BIND = settings.VOICENODE_ESL_BIND._replace(port=taken.getsockname()[1])
    for tenant in TENANTS:
        seed(tenant, Switch("127.0.0.1", 8021, "x", "direct-udp"), "a-long-password")
    caplog.set_level("INFO", logger="standin_switch")
    options = {"listen": "127.0.0.1:0", "call": "8001@globex.example", "once": True, "patience": 1.5}
    call_command("standin_switch", **options)
    assert "4 extensions" in caplog.text  # both tenants' destinations
    assert "refused" in caplog.text
    assert "first voice" in caplog.text
    assert "first voice None" not in caplog.text  # the fallback's tone was heard


def test_wrong_extension() -> None:
    """One sentence, no traceback."""
    with pytest.raises(CommandError, match="not an extension"):
        call_command("standin_switch", listen="127.0.0.1:0", extension=["1001"])
