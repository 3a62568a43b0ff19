"""Settings of every process (web, voicenode, worker, beat, commands), read from the environment.

`.env.example` lists the variables. A wrong value raises ImproperlyConfigured at start; nothing is guessed. With DEBUG
off the defaults are those of a public site behind HTTPS; the profiles that serve plain HTTP on a loopback address say
`HTTPS_ONLY=false`.
"""

from __future__ import annotations

import platform
import sys
from pathlib import Path
from typing import Any

from secretary.config import databases, env, mail
from secretary.config.logs import logging_config

BASE_DIR = Path(__file__).resolve().parents[2]

# --- What must be decided first -------------------------------------------------------------------------------------
DEBUG = env.boolean("DEBUG", False)
HTTPS_ONLY = env.boolean("HTTPS_ONLY", not DEBUG)
SECRET_KEY = env.secret("SECRET_KEY", "only-for-development-" + "x" * 40 if DEBUG else None, min_length=40)
SECRET_KEY_FALLBACKS = env.strings("SECRET_KEY_FALLBACKS")
ALLOWED_HOSTS = env.strings("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.strings("CSRF_TRUSTED_ORIGINS")
DATA_DIR = Path(env.string("DATA_DIR", str(BASE_DIR / "var"))).resolve()
"""Recordings, messages and the voice cache live below it."""
FIELD_ENCRYPTION_KEYS = env.strings("FIELD_ENCRYPTION_KEYS")
"""Fernet keys, the newest first. `tenants.E002` complains where there is none."""

# --- Applications ---------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    # As an app, daphne only lends its `runserver`; loading Twisted would cost every other process 16 MB.
    *(["daphne"] if sys.argv[1:2] == ["runserver"] else []),
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "channels",
    "tenants",
    "eslbridge",
    "secretary",
    "secretary.webhooks",
    "secretary.tools",
    "secretary.panel",
    "rest_framework",
    "drf_spectacular",
    "secretary.api",
    "django.forms",  # the templates of form fields, which the panel draws its own around
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "secretary.config.middleware.ContentSecurityPolicyMiddleware",
    "tenants.middleware.OriginMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
ROOT_URLCONF = "secretary.config.urls"
ASGI_APPLICATION = "secretary.config.asgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- PostgreSQL and Redis -------------------------------------------------------------------------------------------
DATABASE_URL = env.url(
    "DATABASE_URL", "postgresql://127.0.0.1:5432/voice_secretary", schemes=["postgresql", "postgres"]
)
REDIS_URL = env.url("REDIS_URL", "redis://127.0.0.1:6379/0", schemes=["redis", "rediss", "unix"])
DATABASES = {
    "default": databases.postgresql(
        DATABASE_URL,
        pool_size=env.integer("DATABASE_POOL_SIZE", 10, least=0, most=500),
        statement_timeout_ms=env.integer("DATABASE_STATEMENT_TIMEOUT_MS", 15_000, least=0),
    )
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [{"address": REDIS_URL}], "prefix": "secretary"},
    }
}

# --- Celery ---------------------------------------------------------------------------------------------------------
# A message carries a job's id and no more: the row is the truth and claims itself, so that a message delivered twice
# does nothing and a lost one is sent again by the sweeper. Hence acknowledged late, one at a time, results ignored.
CELERY_BROKER_URL = databases.celery_broker(REDIS_URL)
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_TIME_LIMIT = 120
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # Longer than any task, or Redis would hand out a task that is still running.
    "visibility_timeout": 300,
    "socket_timeout": 10,
    "socket_connect_timeout": 3,
    "health_check_interval": 25,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# Who publishes is a request or a call: it may not wait for a broker that is gone. The sweeper sends again.
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0, "interval_step": 0.2, "interval_max": 0.2}
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {"eslbridge.run_job": {"queue": "esl"}, "webhooks.deliver": {"queue": "webhooks"}}
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_REDIRECT_STDOUTS = False
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "celerybeat-schedule")
CELERY_BEAT_SCHEDULE = {
    # An unsent sweep is worthless once the next is due: expired ones are dropped instead of piling up.
    "sweep-jobs": {"task": "eslbridge.sweep_jobs", "schedule": 15.0, "options": {"expires": 14}},
    "sweep-calls": {"task": "secretary.sweep_calls", "schedule": 15.0, "options": {"expires": 14}},
    "sweep-sign-ins": {"task": "panel.sweep_sign_ins", "schedule": 3600.0, "options": {"expires": 3500}},
    "sweep-webhooks": {"task": "webhooks.sweep", "schedule": 15.0, "options": {"expires": 14}},
    "switch-recordings": {"task": "secretary.switch_recordings", "schedule": 60.0, "options": {"expires": 55}},
    "mail-messages": {"task": "secretary.mail_messages", "schedule": 20.0, "options": {"expires": 18}},
    "mail-quota-alarms": {"task": "secretary.mail_quota_alarms", "schedule": 60.0, "options": {"expires": 55}},
    "forget-old-data": {"task": "secretary.forget_old_data", "schedule": 3600.0, "options": {"expires": 3000}},
    "sweep-orphans": {"task": "secretary.sweep_orphans", "schedule": 6 * 3600.0, "options": {"expires": 3000}},
    "place-callbacks": {"task": "secretary.place_callbacks", "schedule": 10.0, "options": {"expires": 9}},
    "caller-requests": {"task": "secretary.caller_requests", "schedule": 60.0, "options": {"expires": 55}},
    "forget-webhooks": {"task": "webhooks.forget", "schedule": 3600.0, "options": {"expires": 3000}},
    "forget-answers": {"task": "api.forget_answers", "schedule": 600.0, "options": {"expires": 500}},
}

# --- The voice node -------------------------------------------------------------------------------------------------
VOICENODE_NAME = env.string("VOICENODE_NAME", platform.node() or "voicenode")
VOICENODE_ESL_BIND = env.host_port("VOICENODE_ESL_BIND", "127.0.0.1:8022")
VOICENODE_MEDIA_BIND = env.host_port("VOICENODE_MEDIA_BIND", "127.0.0.1:8085")
VOICENODE_UDP_BIND = env.host_port("VOICENODE_UDP_BIND", "127.0.0.1:10200")
VOICENODE_ADVERTISED_HOST = env.string("VOICENODE_ADVERTISED_HOST", VOICENODE_UDP_BIND.host)
"""Where FreeSWITCH reaches this node's audio, unless a domain's credential says otherwise."""
VOICENODE_MAX_CALLS = env.integer("VOICENODE_MAX_CALLS", 200, least=1)
VOICENODE_DRAIN_S = env.number("VOICENODE_DRAIN_S", 20.0, least=0)
"""How long a node that is told to end waits for its calls before it gives them to the fallback."""
VOICENODE_ESL_PEERS = env.networks("VOICENODE_ESL_PEERS")
"""From where switches may connect at all; empty: from anywhere."""
VOICENODE_ESL_TRUSTED = env.networks("VOICENODE_ESL_TRUSTED", ["127.0.0.0/8", "::1"])
"""From where a switch is believed about every domain; from elsewhere only about those whose credential names it."""
VOICENODE_ESL_MAX_CONNECTIONS = env.integer("VOICENODE_ESL_MAX_CONNECTIONS", 5000, least=1)

# --- Money, and what is kept -----------------------------------------------------------------------------------------
CURRENCY = env.string("CURRENCY", "USD", choices=["USD", "EUR", "BRL", "GBP", "CHF", "MXN", "ARS", "CLP", "COP"])
"""Of prices and budgets, for the whole installation."""
CALLER_EXPORTS_KEPT_H = env.integer("CALLER_EXPORTS_KEPT_H", 72, least=1)
"""Hours that the export of a caller's data can be downloaded."""
SWITCH_RECORDINGS_PATH = env.string("SWITCH_RECORDINGS_PATH", "")
"""The folder that switches record to, as they see it. Empty: recordings are made by the voice node."""
SWITCH_RECORDINGS_MOUNT = env.string("SWITCH_RECORDINGS_MOUNT", SWITCH_RECORDINGS_PATH)
"""The same folder as it is mounted here."""
AUDIT_KEPT_DAYS = env.integer("AUDIT_KEPT_DAYS", 400, least=90)
"""How long the record of changes is kept, of domains and of the installation. PostgreSQL lets nothing younger than 90
days go."""
ORPHANS_KEPT_DAYS = env.integer("ORPHANS_KEPT_DAYS", 7, least=1)
"""Days that a recording without a row is left: its row may yet be written, by hand at worst."""

# --- What eslbridge asks of the product, which it must not import ---------------------------------------------------
ESLBRIDGE_OWNS_CALL = "secretary.selectors.calls.owns_call"
ESLBRIDGE_JOBS_ENDED = "secretary.services.ended_jobs.jobs_ended"
ESLBRIDGE_DIAL_FACTS = "secretary.selectors.dial_facts.dial_facts"

# --- Requests to where a tenant points: webhooks, tools -------------------------------------------------------------
EGRESS_PORTS = env.strings("EGRESS_PORTS", ["80", "443", "8080", "8443"])
EGRESS_ALLOW = env.strings("EGRESS_ALLOW")
"""Internal hosts that tenants may reach all the same: see tenants/egress/policy.py."""
EGRESS_DENY = env.strings("EGRESS_DENY")
EGRESS_CA_BUNDLE = env.string("EGRESS_CA_BUNDLE", "")
"""Certificates (PEM) of an authority of one's own, trusted beside the system's."""
WEBHOOKS_PER_DOMAIN = env.integer("WEBHOOKS_PER_DOMAIN", 4, least=1, most=100)
"""Deliveries of one domain that are on their way at the same time."""
WEBHOOKS_KEPT_DAYS = env.integer("WEBHOOKS_KEPT_DAYS", 30, least=4)
"""How long events and their deliveries are kept for the log and for replay; longer than the retries last."""

# --- The REST API (its views say the rest themselves) ---------------------------------------------------------------
API_DOMAIN_RATE = env.integer("API_DOMAIN_RATE", 600, least=1)
API_INSTALLATION_RATE = env.integer("API_INSTALLATION_RATE", 6_000, least=1)
"""Requests per minute of a key that has no limit of its own."""
REST_FRAMEWORK = {"DEFAULT_SCHEMA_CLASS": "secretary.api.schema.ApiSchema"}
SPECTACULAR_SETTINGS = {
    "TITLE": "Voice secretary",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "COMPONENT_NO_READ_ONLY_REQUIRED": False,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "secretary.api.schema.close_bodies",
    ],
    "ENUM_NAME_OVERRIDES": {
        "LanguageEnum": "tenants.models.domain.Language.choices",
        "JobKindEnum": "eslbridge.models.job.JobKind.choices",
        "DestinationKindEnum": "secretary.models.destination.DestinationKind.choices",
        "CallOutcomeEnum": "secretary.models.call.CallOutcome.choices",
        "CallerRequestKindEnum": "secretary.models.caller_request.CallerRequestKind.choices",
    },
}

# --- Language and time ----------------------------------------------------------------------------------------------
LANGUAGES = [("en", "English"), ("pt-br", "Português (Brasil)")]
LANGUAGE_CODE = env.string("LANGUAGE_CODE", "en", choices=[code for code, _ in LANGUAGES])
TIME_ZONE = env.string("TIME_ZONE", "UTC")
USE_I18N = True
USE_TZ = True
LOCALE_PATHS = [BASE_DIR / "locale"]

# --- Static files ---------------------------------------------------------------------------------------------------
STATIC_URL = "static/"
STATIC_MANIFEST = env.boolean("STATIC_MANIFEST", False)
"""On where `collectstatic` runs (the container image): hashed, compressed names. Off: served from the sources."""
STATIC_ROOT = BASE_DIR / "staticfiles" if STATIC_MANIFEST else None
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "whitenoise.storage.CompressedManifestStaticFilesStorage"
            if STATIC_MANIFEST
            else "django.contrib.staticfiles.storage.StaticFilesStorage"
        )
    },
}
WHITENOISE_USE_FINDERS = not STATIC_MANIFEST

# --- People and their browsers --------------------------------------------------------------------------------------
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "login"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
PASSWORD_RESET_TIMEOUT = 3600
SECOND_FACTOR_REQUIRED = env.string(
    "SECOND_FACTOR_REQUIRED",
    "administrators" if HTTPS_ONLY else "nobody",
    choices=["nobody", "administrators", "everybody"],
)
"""Who must sign in with two factors. A domain may ask for more, never for less."""
SESSION_ENGINE = "tenants.sessions"
SESSION_IDLE_S = env.integer("SESSION_IDLE_S", 3 * 3600, least=60)
"""A session ends so many seconds after it was last used, and SESSION_COOKIE_AGE after it began."""
SESSION_COOKIE_NAME = "__Host-session" if HTTPS_ONLY else "session"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = HTTPS_ONLY
SESSION_COOKIE_AGE = 12 * 3600
CSRF_COOKIE_NAME = "__Host-csrftoken" if HTTPS_ONLY else "csrftoken"
CSRF_COOKIE_SECURE = HTTPS_ONLY
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
SECURE_SSL_REDIRECT = HTTPS_ONLY
SECURE_REDIRECT_EXEMPT = [r"^livez$", r"^readyz$", r"^api/v1/(?!docs$)"]
"""The API refuses by itself what comes in clear: a redirect would hide that the key went over the wire readable."""
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HTTPS_ONLY else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS_ONLY
SECURE_HSTS_PRELOAD = HTTPS_ONLY
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if env.boolean("TRUST_PROXY_HEADERS", False):
    # Only behind a proxy that sets this header itself: otherwise anybody could claim to come by HTTPS.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500

# --- E-mail ---------------------------------------------------------------------------------------------------------
EMAIL_URL = env.string("EMAIL_URL", "")
"""`smtp://user:password@host:587?tls=true` or `smtps://…`. Empty: mail is written to the log, and links are shown."""
MAIL = mail.settings_of(EMAIL_URL)
EMAIL_BACKEND = MAIL.backend
EMAIL_HOST, EMAIL_PORT = MAIL.host, MAIL.port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = MAIL.user, MAIL.password
EMAIL_USE_TLS, EMAIL_USE_SSL = MAIL.starttls, MAIL.tls
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.string("MAIL_FROM", "Voice Secretary <secretary@localhost>")

# --- Logging --------------------------------------------------------------------------------------------------------
LOG_LEVEL = env.string("LOG_LEVEL", "INFO", choices=["DEBUG", "INFO", "WARNING", "ERROR"])
LOG_FORMAT = env.string("LOG_FORMAT", "console", choices=["console", "json"])
LOGGING = logging_config(level=LOG_LEVEL, form=LOG_FORMAT)
