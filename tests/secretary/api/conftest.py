from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction

from secretary.api import shared_memory
from tests.cast import Tenant, make_tenant
from tests.secretary.api.cast import Cast, cast_of
from tests.secretary.api.client import Api, bearer, domain_key, installation_key


@pytest.fixture(autouse=True)
def fresh_counts() -> Iterator[None]:
    """Nobody has asked for anything yet, and no nonce was seen."""
    redis = shared_memory.client()
    for name in redis.scan_iter(f"{shared_memory.PREFIX}*"):
        redis.delete(name)
    yield


@pytest.fixture
def acme(db: None) -> Tenant:
    return make_tenant("acme.example")


@pytest.fixture
def globex(db: None) -> Tenant:
    return make_tenant("globex.example")


@pytest.fixture
def api(acme: Tenant) -> Api:
    """Acme's own key, with every scope."""
    return bearer(domain_key(acme.domain_uuid))


@pytest.fixture
def operator(db: None) -> Api:
    """The installation's key, with every scope."""
    return bearer(installation_key())


@pytest.fixture(scope="module")
def houses(django_db_setup: None, django_db_blocker: Any) -> Iterator[tuple[Cast, Cast]]:
    """Two domains with one object of each kind, made once a module."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield cast_of("acme.example"), cast_of("globex.example")
        transaction.set_rollback(True)


@pytest.fixture
def ours(houses: tuple[Cast, Cast], db: None) -> Cast:
    """What a test does to it is undone: `db` is a savepoint here."""
    return houses[0]


@pytest.fixture
def theirs(houses: tuple[Cast, Cast], db: None) -> Cast:
    return houses[1]
