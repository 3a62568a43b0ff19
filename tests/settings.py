"""The settings under test: the product's, with what a test run decides. DATABASE_URL and REDIS_URL come from outside.

`script/test` starts servers of its own and sets both; plain `pytest` uses those in the environment.
"""

from __future__ import annotations

import base64
import os
import secrets
from pathlib import Path

DEFAULTS = {
    "SECRET_KEY": secrets.token_urlsafe(50),
    "FIELD_ENCRYPTION_KEYS": base64.urlsafe_b64encode(os.urandom(32)).decode(),
    # Of each pytest-xdist worker its own: one worker's sweep of orphans would take another's recordings.
    "DATA_DIR": str(
        Path(__file__).resolve().parents[1] / "var" / "test" / os.environ.get("PYTEST_XDIST_WORKER", "alone")
    ),
    "HTTPS_ONLY": "false",  # the test client speaks plain HTTP
}
for _name, _value in DEFAULTS.items():
    if f"{_name}_FILE" not in os.environ:
        os.environ.setdefault(_name, _value)

# Each pytest-xdist worker has a database of its own by pytest-django; here it gets a Redis database of its own, too.
_worker = os.environ.get("PYTEST_XDIST_WORKER", "")
if _worker and "REDIS_URL" in os.environ and not os.environ.get("TESTS_REDIS_WORKER"):
    os.environ["TESTS_REDIS_WORKER"] = _worker
    _base, _, _ = os.environ["REDIS_URL"].rpartition("/")
    os.environ["REDIS_URL"] = f"{_base}/{int(_worker.removeprefix('gw')) % 15 + 1}"

from secretary.config.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Redis's publish and subscribe know no database numbers, hence a prefix.
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [{"address": os.environ.get("REDIS_URL")}], "prefix": f"test-{_worker or os.getpid()}"},
    }
}
