from __future__ import annotations

import pytest

from tests.cast import Tenant, make_tenant


@pytest.fixture
def acme(db: None) -> Tenant:
    return make_tenant("acme.example")


@pytest.fixture
def globex(db: None) -> Tenant:
    return make_tenant("globex.example")
