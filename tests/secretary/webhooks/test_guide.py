"""docs/webhooks.md says what is so."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from secretary.webhooks import signing
from secretary.webhooks.catalogue import EVENT_TYPES, PING

GUIDE = (Path(settings.BASE_DIR) / "docs" / "webhooks.md").read_text(encoding="utf-8")


def test_example() -> None:
    """The receiver in the guide takes what we sign, with the old secret and the new, and nothing else."""
    found = re.search(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    assert found is not None
    names: dict[str, Any] = {}
    exec(found[1], names)  # noqa: S102 - our own page
    old, new = signing.new_secret(), signing.new_secret()
    headers = signing.headers([new, old], message_id="m", now=timezone.now(), body=b"{}")
    is_genuine = names["is_genuine"]
    assert is_genuine(old, headers, b"{}") and is_genuine(new, headers, b"{}")
    assert not is_genuine(signing.new_secret(), headers, b"{}") and not is_genuine(new, headers, b"{ }")
    assert not is_genuine(new, {**headers, "webhook-timestamp": "1"}, b"{}")


def test_every_type_is_described() -> None:
    """No event without a line, no line without an event."""
    table = "".join(line.split("|")[1] for line in GUIDE.splitlines() if line.startswith("| `"))
    assert set(re.findall(r"`([a-z]+\.[a-z]+)`", table)) == {*EVENT_TYPES, PING}
