"""From `EMAIL_URL` to what Django wants to be told about a mail server."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.exceptions import ImproperlyConfigured

from secretary.config import env

WANTED = "smtp://user:password@host:587?tls=true, or smtps://user:password@host:465"


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail server; without one, mail goes to the console."""

    backend: str = "django.core.mail.backends.console.EmailBackend"
    host: str = ""
    port: int = 25
    user: str = ""
    password: str = ""
    starttls: bool = False
    tls: bool = False


def settings_of(url: str) -> Mail:
    """Raises ImproperlyConfigured, which does not repeat the URL: it may hold a password."""
    if not url:
        return Mail()
    try:
        parts = env.split_url(url)
    except ValueError as error:
        raise ImproperlyConfigured(f"EMAIL_URL is not a usable URL; wanted: {WANTED}.") from error
    wants_tls = parts.query.get("tls", "false").lower()
    if parts.scheme not in ("smtp", "smtps") or not parts.host or wants_tls not in env.TRUE | env.FALSE:
        raise ImproperlyConfigured(f"EMAIL_URL is not a mail server's; wanted: {WANTED}.")
    tls = parts.scheme == "smtps"
    return Mail(
        backend="django.core.mail.backends.smtp.EmailBackend",
        host=parts.host,
        port=parts.port or (465 if tls else 587),
        user=parts.user,
        password=parts.password,
        starttls=not tls and wants_tls in env.TRUE,
        tls=tls,
    )
