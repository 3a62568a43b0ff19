"""The Django project's wiring: settings, urls, asgi, celery."""

# Importing it here makes `@shared_task` and `.delay()` find this application in every process that loads the settings.
from secretary.config.celery import app as celery

__all__ = ["celery"]
