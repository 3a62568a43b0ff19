"""Two-factor sign-in: setting up, codes, replay, recovery, and who must."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import connection
from pytest_django import Settings

from tenants.context import platform_context, tenant_context
from tenants.errors import NoTenantError
from tenants.models import Domain, RecoveryCode, SecondFactor
from tenants.people import second_factor, totp
from tests.cast import Tenant
from tests.tenants.people.conftest import Clock


def code(secret: str, clock: Clock, steps: int = 0) -> str:
    return totp.code_at(secret, int(clock.now.timestamp() // 30) + steps)


def set_up(user: User, clock: Clock) -> tuple[str, list[str]]:
    secret = second_factor.begin(user.pk)
    codes = second_factor.confirm(user, code(secret, clock))
    assert codes is not None
    return secret, codes


def test_not_in_force_before_a_code_was_typed(alice: User, clock: Clock) -> None:
    """Whoever only looks at the QR code is not locked out; a wrong first code switches nothing on."""
    secret = second_factor.begin(alice.pk)
    assert second_factor.begin(alice.pk) == secret
    assert second_factor.confirm(alice, "000000") is None
    assert not second_factor.is_on(alice.pk)
    assert second_factor.check(alice, code(secret, clock)) == ""


def test_codes_serve_once(alice: User, clock: Clock) -> None:
    """The code that switched it on is spent; the next one serves once; an older one no more."""
    secret, _ = set_up(alice, clock)
    assert second_factor.check(alice, code(secret, clock)) == ""
    clock.pass_s(30)
    assert second_factor.check(alice, code(secret, clock)) == "app"
    assert second_factor.check(alice, code(secret, clock)) == ""
    assert second_factor.check(alice, code(secret, clock, -1)) == ""
    clock.pass_s(300)
    typed = code(secret, clock)
    assert second_factor.check(alice, f" {typed[:3]} {typed[3:]} ") == "app"


def test_recovery_codes(alice: User, bob: User, clock: Clock) -> None:
    """Ten, each once, however they are typed, for their owner only; new ones make the old ones void."""
    _, codes = set_up(alice, clock)
    set_up(bob, clock)
    assert len(set(codes)) == 10 and second_factor.codes_left(alice.pk) == 10
    assert second_factor.check(bob, codes[0]) == ""
    assert second_factor.check(alice, codes[0].upper().replace("-", " ")) == "recovery"
    assert second_factor.check(alice, codes[0]) == ""
    assert second_factor.codes_left(alice.pk) == 9
    fresh = second_factor.renew_codes(alice)
    assert second_factor.check(alice, codes[1]) == ""
    assert second_factor.check(alice, fresh[0]) == "recovery"


def test_nothing_of_it_is_readable(alice: User, clock: Clock) -> None:
    """The secret is encrypted, recovery codes are hashes, and a tenant's code sees neither."""
    secret, codes = set_up(alice, clock)
    with platform_context(), connection.cursor() as cursor:
        cursor.execute("select string_agg(t::text, ' ') from tenants_secondfactor t")
        assert secret not in cursor.fetchone()[0]
        cursor.execute("select string_agg(t::text, ' ') from tenants_recoverycode t")
        text = cursor.fetchone()[0]
    assert not any(code in text or code.replace("-", "").upper() in text for code in codes)


def test_tenants_see_none(acme: Tenant, alice: User, clock: Clock) -> None:
    """Two walls: the manager raises, and PostgreSQL shows no row."""
    set_up(alice, clock)
    with tenant_context(acme.domain_uuid):
        for model in (SecondFactor, RecoveryCode):
            with pytest.raises(NoTenantError):
                model._default_manager.count()
        with connection.cursor() as cursor:
            cursor.execute(
                "select (select count(*) from tenants_secondfactor) + (select count(*) from tenants_recoverycode)"
            )
            assert cursor.fetchone() == (0,)


def test_switched_off(alice: User, clock: Clock) -> None:
    """Off, nothing is left of it; on again, it is another secret."""
    secret, codes = set_up(alice, clock)
    assert second_factor.switch_off(alice) and not second_factor.switch_off(alice)
    assert second_factor.check(alice, codes[0]) == ""
    assert second_factor.begin(alice.pk) != secret


@pytest.mark.parametrize(
    ("installation", "domain", "who"),
    [
        ("nobody", "", ""),
        ("nobody", "administrators", "admin operator"),
        ("nobody", "everybody", "admin operator agent viewer"),
        ("administrators", "", "admin operator"),
        ("administrators", "everybody", "admin operator agent viewer"),
        ("everybody", "", "admin operator agent viewer"),
        ("everybody", "administrators", "admin operator agent viewer"),
    ],
)
def test_who_must(installation: str, domain: str, who: str, settings: Settings) -> None:
    """The stricter of the installation's rule and the domain's."""
    settings.SECOND_FACTOR_REQUIRED = installation
    roles = ("admin", "operator", "agent", "viewer")
    row = Domain(name="acme.example", second_factor=domain)
    assert [role for role in roles if second_factor.required(role=role, domain=row)] == [
        role for role in roles if role in who.split()
    ]
