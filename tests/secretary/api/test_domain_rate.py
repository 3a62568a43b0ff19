"""A domain's quota of requests: of all its keys together, and of nobody else's."""

from __future__ import annotations

from tenants.quotas import set_quota
from tests.cast import Tenant
from tests.secretary.api.client import bearer, domain_key


def test_keys_share_it(acme: Tenant, globex: Tenant) -> None:
    """A second key brings no more requests; another domain's are its own; the headers tell what is left."""
    set_quota(domain_uuid=acme.domain_uuid, api_per_minute=4)
    one, two = bearer(domain_key(acme.domain_uuid)), bearer(domain_key(acme.domain_uuid))
    where = f"domains/{acme.domain_uuid}/calls"
    answers = [key.get(where) for key in (one, two, one, two)]
    assert [answer.status_code for answer in answers] == [200] * 4
    assert answers[0].headers["RateLimit-Limit"] == "4"
    refused = one.get(where)
    assert refused.status_code == 429 and int(refused.headers["Retry-After"]) > 0
    assert two.get(where).status_code == 429
    assert bearer(domain_key(globex.domain_uuid)).get(f"domains/{globex.domain_uuid}/calls").status_code == 200


def test_without_a_quota(acme: Tenant) -> None:
    """Each key has its own limit."""
    key = bearer(domain_key(acme.domain_uuid, rate_per_minute=9))
    assert key.get(f"domains/{acme.domain_uuid}/calls").headers["RateLimit-Limit"] == "9"
