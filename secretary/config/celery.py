"""The Celery application: `celery -A secretary.config worker|beat`.

Two kinds of worker: `-Q esl -P gevent` speaks to switches with greenswitch, `-Q default` does the rest.
"""

from __future__ import annotations

import logging.config
import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "secretary.config.settings")

app = Celery("secretary")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def use_our_logging(**_: Any) -> None:
    """Log as every other process does; without a receiver here Celery would install handlers of its own."""
    from django.conf import settings

    logging.config.dictConfig(settings.LOGGING)
