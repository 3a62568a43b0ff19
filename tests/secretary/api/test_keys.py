"""API keys and assertions: shown once, bound, rotated, refused."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client, override_settings
from django.utils import timezone

from secretary.api import shared_memory
from tenants import assertions, keys
from tenants.context import platform_context, tenant_context
from tenants.errors import NoTenantError
from tenants.models import ApiKey, InstallationKey
from tests.cast import Tenant
from tests.secretary.api.client import Api, assertion, bearer, claims, domain_key, installation_key


def test_a_key_is_shown_once_and_stored_as_a_hash(acme: Tenant, api: Api) -> None:
    """The row holds SHA-256 and prefix; no later answer holds the key."""
    where = f"domains/{acme.domain_uuid}/api-keys"
    made = api.post(where, {"name": "CRM", "scopes": ["calls:read"]}).json()
    token = made["token"]
    assert token.startswith(f"vsd_{acme.domain_uuid.hex}_{made['prefix']}_")
    with tenant_context(acme.domain_uuid):
        row = ApiKey.objects.get(pk=made["key_uuid"])
    assert row.secret_hash == hashlib.sha256(token.encode()).hexdigest()
    assert token not in api.get(where).content.decode()
    assert "secret_hash" not in api.get(where).content.decode()
    crm = bearer(token)
    assert crm.get(f"domains/{acme.domain_uuid}/calls").status_code == 200
    assert crm.get(f"domains/{acme.domain_uuid}/messages").status_code == 403


def test_no_key_beyond_ones_own(acme: Tenant) -> None:
    """Neither a new key, nor a changed one, nor a rotated one may do more than its maker."""
    limited = bearer(domain_key(acme.domain_uuid, "api-keys:write", "calls:read"))
    where = f"domains/{acme.domain_uuid}/api-keys"
    assert limited.post(where, {"name": "x", "scopes": ["*"]}).json()["errors"][0]["code"] == "scope_exceeded"
    mine = limited.post(where, {"name": "x", "scopes": ["calls:read"]}).json()["key_uuid"]
    assert limited.patch(f"{where}/{mine}", {"scopes": ["secretaries:write"]}, If_Match="*").status_code == 400
    assert limited.patch(f"{where}/{mine}", {"rate_per_minute": 9999}, If_Match="*").status_code == 400
    strong = keys.issue_domain_key(domain_uuid=acme.domain_uuid, name="strong", scopes=["*"]).key
    assert limited.post(f"{where}/{strong.key_uuid}/rotate").status_code == 400


def test_unknown_scopes_and_past_expiry(acme: Tenant, api: Api) -> None:
    """A misspelt scope would be a key that cannot do its work."""
    where = f"domains/{acme.domain_uuid}/api-keys"
    assert api.post(where, {"name": "x", "scopes": ["call:read"]}).json()["errors"][0]["code"] == "unknown_scope"
    past = {"name": "x", "scopes": ["calls:read"], "expires_at": "2020-01-01T00:00:00Z"}
    assert api.post(where, past).json()["errors"][0]["field"] == "expires_at"
    net = {"name": "x", "scopes": ["calls:read"], "allowed_ips": ["10.0.0.300"]}
    assert api.post(where, net).status_code == 400


def test_a_dead_key_opens_nothing(acme: Tenant) -> None:
    """Revoked, expired, of a disabled domain, from a wrong address, with one letter changed."""
    me = "me"
    token = domain_key(acme.domain_uuid)
    assert bearer(token).get(me).status_code == 200
    assert bearer(token[:-1] + ("a" if token[-1] != "a" else "b")).get(me).status_code == 401
    expired = domain_key(acme.domain_uuid, expires_at=timezone.now() - timedelta(seconds=1))
    assert bearer(expired).get(me).status_code == 401
    elsewhere = domain_key(acme.domain_uuid, allowed_ips=["192.0.2.0/24"])
    assert bearer(elsewhere).get(me).status_code == 401
    here = domain_key(acme.domain_uuid, allowed_ips=["192.0.2.0/24", "127.0.0.0/8"])
    assert bearer(here).get(me).status_code == 200
    with tenant_context(acme.domain_uuid):
        keys.revoke(ApiKey.objects.get(prefix=parsed(token).prefix))
    answer = bearer(token).get(me)
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")


def parsed(token: str) -> keys.ParsedToken:
    found = keys.parse_token(token)
    assert found is not None
    return found


def test_a_disabled_domain_is_closed(acme: Tenant, api: Api, operator: Api) -> None:
    """Its own keys get 403, FusionPBX's users 401; the operator can still enable it."""
    where = f"domains/{acme.domain_uuid}"
    token = installation_key()
    assert operator.patch(where, {"enabled": False}, If_Match="*").status_code == 200
    assert api.get(where).status_code == 403
    assert assertion(token, acme.domain_uuid).get(where).status_code == 401
    assert operator.patch(where, {"enabled": True}, If_Match="*").status_code == 200
    assert api.get(where).status_code == 200


def test_the_address_behind_a_proxy(acme: Tenant) -> None:
    """Behind a trusted proxy its X-Forwarded-For counts, and of that only what the proxy wrote: the last."""
    token = domain_key(acme.domain_uuid, allowed_ips=["192.0.2.7"])
    assert bearer(token).send("GET", "me", X_Forwarded_For="192.0.2.7").status_code == 401
    with override_settings(SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https")):
        assert bearer(token).send("GET", "me", X_Forwarded_For="10.9.9.9, 192.0.2.7").status_code == 200
        assert bearer(token).send("GET", "me", X_Forwarded_For="192.0.2.7, 10.9.9.9").status_code == 401


def test_ipv6_and_mapped_addresses() -> None:
    """An IPv4 client on a dual-stack socket is an IPv4 client."""
    key = ApiKey(allowed_ips=["192.0.2.0/24", "2001:db8::/32"])
    assert key.admits("::ffff:192.0.2.9")
    assert key.admits("2001:db8::1")
    assert not key.admits("2001:db9::1")
    assert not key.admits(None)
    assert not key.admits("not an address")


def test_rotation_overlaps(acme: Tenant, api: Api) -> None:
    """The successor works at once, the old one until the overlap ends; a second rotation is refused."""
    where = f"domains/{acme.domain_uuid}/api-keys"
    old = api.post(where, {"name": "CRM", "scopes": ["calls:read"], "allowed_ips": ["127.0.0.0/8"]}).json()
    new = api.post(f"{where}/{old['key_uuid']}/rotate", {"overlap_s": 3600})
    assert new.status_code == 201
    assert (new.json()["scopes"], new.json()["allowed_ips"]) == (["calls:read"], ["127.0.0.0/8"])
    assert bearer(old["token"]).get("me").status_code == 200
    assert bearer(new.json()["token"]).get("me").status_code == 200
    kept = api.get(f"{where}/{old['key_uuid']}").json()
    assert kept["replaced_by"] == new.json()["key_uuid"]
    assert kept["expires_at"] is not None
    assert api.post(f"{where}/{old['key_uuid']}/rotate").status_code == 409
    at_once = api.post(f"{where}/{new.json()['key_uuid']}/rotate", {"overlap_s": 0}).json()
    assert bearer(new.json()["token"]).get("me").status_code == 401
    assert bearer(at_once["token"]).get("me").status_code == 200


def test_the_last_use_is_written_once_a_minute(acme: Tenant) -> None:
    """Two requests, one write; after a minute, another."""
    token = domain_key(acme.domain_uuid)

    def used() -> ApiKey:
        bearer(token).get("me")
        with tenant_context(acme.domain_uuid):
            return ApiKey.objects.get(prefix=parsed(token).prefix)

    first = used()
    assert first.last_used_at is not None
    assert first.last_used_ip == "127.0.0.1"
    assert used().last_used_at == first.last_used_at
    with tenant_context(acme.domain_uuid):
        ApiKey.objects.update(last_used_at=timezone.now() - timedelta(seconds=61))
    assert used().last_used_at > first.last_used_at  # type: ignore[operator]


def test_the_operator_manages_installation_keys(operator: Api) -> None:
    """Made, listed, rotated, revoked; the secret of assertions is never shown."""
    made = operator.post("api-keys", {"name": "FusionPBX", "scopes": ["*"]}).json()
    assert made["token"].startswith(f"vsi_{made['prefix']}_")
    assert "assertion_secret" not in made
    assert made["key_uuid"] in [one["key_uuid"] for one in operator.get("api-keys").json()["items"]]
    assert operator.post(f"api-keys/{made['key_uuid']}/rotate", {"overlap_s": 60}).status_code == 201
    assert operator.delete(f"api-keys/{made['key_uuid']}", If_Match="*").status_code == 204
    assert bearer(made["token"]).get("me").status_code == 401


def test_no_tenant_sees_the_installations_keys(acme: Tenant) -> None:
    """The manager raises inside a tenant, and PostgreSQL shows nothing even to raw SQL."""
    installation_key()
    with tenant_context(acme.domain_uuid):
        with pytest.raises(NoTenantError):
            InstallationKey.objects.count()
        with connection.cursor() as cursor:
            cursor.execute("select count(*) from tenants_installationkey")
            assert cursor.fetchone() == (0,)
    with platform_context():
        assert InstallationKey.objects.count() == 1


def test_an_assertion_acts_for_a_user_of_one_domain(acme: Tenant, globex: Tenant) -> None:
    """It says who and where; another domain is out of its reach."""
    token = installation_key("secretaries:read", "calls:read")
    me = assertion(token, acme.domain_uuid).get("me").json()
    assert (me["kind"], me["name"], me["domain_uuid"]) == ("fusionpbx-user", "alice", str(acme.domain_uuid))
    assert assertion(token, acme.domain_uuid).get(f"domains/{acme.domain_uuid}/secretaries").status_code == 200
    assert assertion(token, acme.domain_uuid).get(f"domains/{globex.domain_uuid}/secretaries").status_code == 404
    assert assertion(token, acme.domain_uuid).post("domains", {"name": "x.example"}).status_code == 403


def test_an_assertion_may_narrow_and_never_widen(acme: Tenant) -> None:
    """`scp` takes scopes away; what the key has not is not added."""
    token = installation_key("calls:read", "messages:write")
    me = assertion(token, acme.domain_uuid, scp=["messages:read", "secretaries:write"]).get("me").json()
    assert me["scopes"] == ["messages:read"]


def test_an_assertion_works_once(acme: Tenant) -> None:
    """The same again is refused."""
    once = assertion(installation_key(), acme.domain_uuid)
    assert once.get("me").status_code == 200
    assert once.get("me").status_code == 401


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": 0},
        {"exp": 2**40},
        {"aud": "panel"},
        {"jti": "short"},
        {"jti": 7},
        {"sub": ""},
        {"sub": "a\nb"},
        {"dom": "x"},
        {"dom": str(uuid4())},
        {"kid": "nobody0000"},
        {"scp": "calls:read"},
        {"exp": True},
    ],
)
def test_wrong_assertions(acme: Tenant, changes: dict[str, Any]) -> None:
    """Each with a good signature, and one thing wrong."""
    assert assertion(installation_key(), acme.domain_uuid, **changes).get("me").status_code == 401


def test_forged_assertions(acme: Tenant) -> None:
    """Signed with the stored hash, or with a changed claim, or no signature at all."""
    token = installation_key()
    good = claims(token, acme.domain_uuid)
    with_hash = assertions.sign(good, secret=keys.hash_token(token))
    payload, _, signature = assertions.sign(good, secret=keys.assertion_secret(token)).partition(".")
    other = assertions.sign({**good, "sub": "bob"}, secret="x").partition(".")[0]
    for text in (with_hash, f"{other}.{signature}", payload, f"{payload}.", ".", "", "a" * 5000, "ü.ü"):
        assert Api(f"Assertion {text}").get("me").status_code == 401, text


def test_without_the_memory_of_nonces_no_assertion_counts(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Redis is out of reach: 503, because a stolen assertion could come again."""
    with _no_redis(monkeypatch):
        answer = assertion(installation_key(), acme.domain_uuid).get("me")
    assert (answer.status_code, answer["Retry-After"]) == (503, "2")


@contextmanager
def _no_redis(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    gone = shared_memory.connect("redis://127.0.0.1:1/0")
    with monkeypatch.context() as patch:
        patch.setattr(shared_memory, "client", lambda: gone)
        yield


def test_limits_fail_open(acme: Tenant, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Redis a key still works."""
    with _no_redis(monkeypatch):
        answer = api.get("me")
    assert answer.status_code == 200
    assert "RateLimit-Limit" not in answer


def test_limits_hold(acme: Tenant) -> None:
    """The fourth of three a minute: 429, with when to come again."""
    api = bearer(domain_key(acme.domain_uuid, rate_per_minute=3))
    left = [api.get("me")["RateLimit-Remaining"] for _ in range(3)]
    assert left == ["2", "1", "0"]
    answer = api.get("me")
    assert answer.status_code == 429
    assert 1 <= int(answer["Retry-After"]) <= 60
    assert (answer["RateLimit-Limit"], answer["RateLimit-Remaining"]) == ("3", "0")
    assert answer.json()["code"] == "too_many_requests"


def test_guessing_is_slowed_down(db: None) -> None:
    """After sixty wrong keys in a minute one address is told to wait, and one with a good key is not."""
    guess = Api("Bearer vsi_aaaaaaaaaa_" + "b" * 43)
    # A few more than one too many: where the minute turns meanwhile, the last one weighs a little less.
    statuses = [guess.get("me").status_code for _ in range(66)]
    assert statuses[:60] == [401] * 60
    assert statuses[-1] == 429
    assert bearer(installation_key()).get("me").status_code == 200


@override_settings(SECURE_SSL_REDIRECT=True)
def test_in_clear(acme: Tenant) -> None:
    """A key that came by http:// is refused and not looked at; nothing is redirected but the page for people."""
    token, client = domain_key(acme.domain_uuid), Client()
    headers = {"Authorization": f"Bearer {token}"}
    answer = client.get("/api/v1/me", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "in_clear")
    with tenant_context(acme.domain_uuid):
        assert ApiKey.objects.get().last_used_at is None
    assert client.get("/api/v1/me", headers=headers, secure=True).status_code == 200
    assert client.get("/api/v1/docs").status_code == client.get("/").status_code == 301
