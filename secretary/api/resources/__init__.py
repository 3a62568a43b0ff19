"""The list of resources. A new one is a file here and a line below; tests/secretary/api/ asks for its row."""

from __future__ import annotations

from functools import lru_cache
from itertools import chain

from django.urls import URLPattern

from secretary.api.principal import ALL, ALL_READ, READ, WRITE
from secretary.api.resources import about, usage
from secretary.api.resources.api_keys import ApiKeys, InstallationKeys
from secretary.api.resources.callbacks import Callbacks
from secretary.api.resources.callbacks import Rules as CallingRules
from secretary.api.resources.caller_facts import CallerFacts
from secretary.api.resources.caller_requests import CallerRequests
from secretary.api.resources.calls import Calls
from secretary.api.resources.destinations import Destinations
from secretary.api.resources.dial_rules import Dials
from secretary.api.resources.dial_rules import Rules as DialRules
from secretary.api.resources.domains import OneDomain
from secretary.api.resources.esl_credential import Credential
from secretary.api.resources.extensions import Extensions
from secretary.api.resources.installation_providers import InstallationProviders
from secretary.api.resources.jobs import Jobs
from secretary.api.resources.messages import Messages
from secretary.api.resources.opening_hours import Hours, SpecialDays
from secretary.api.resources.prompts import Prompts
from secretary.api.resources.providers import Providers
from secretary.api.resources.provisioning import urls as provisioning_urls
from secretary.api.resources.record import Record
from secretary.api.resources.rules import DomainDataRules, DomainQuota
from secretary.api.resources.secretaries import Secretaries
from secretary.api.resources.tools import Tools
from secretary.api.resources.webhooks import Webhooks

RESOURCES = (
    OneDomain,
    Credential,
    DomainQuota,
    DomainDataRules,
    Secretaries,
    Prompts,
    Providers,
    Tools,
    Extensions,
    Destinations,
    Hours,
    SpecialDays,
    DialRules,
    Dials,
    Calls,
    Messages,
    CallerFacts,
    CallerRequests,
    Callbacks,
    CallingRules,
    Jobs,
    ApiKeys,
    Webhooks,
    Record,
)
"""Of a domain. Whoever has `urls`, `scope` and an entry here is part of the API."""


def urls() -> list[URLPattern]:
    parts = (InstallationKeys.urls(), InstallationProviders.urls(), provisioning_urls(), usage.urls(), about.urls())
    return list(chain(*(resource.urls() for resource in RESOURCES), *parts))


@lru_cache(maxsize=1)
def scope_names() -> frozenset[str]:
    """The names that scopes are made of, as the views say them."""
    views = (
        getattr(pattern.callback, "cls", None) or getattr(pattern.callback, "view_class", None) for pattern in urls()
    )
    return frozenset(scope for view in views if (scope := getattr(view, "scope", "")))


def known_scopes() -> frozenset[str]:
    """Every scope that a key can have."""
    each = {f"{name}:{verb}" for name in scope_names() for verb in (READ, WRITE)}
    return frozenset(each | {ALL, ALL_READ})
