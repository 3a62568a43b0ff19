"""Two-factor sign-in: an authenticator app, and recovery codes for the day it is lost."""

from __future__ import annotations

import base64
import hashlib
import secrets
from typing import Any, Final

from django.conf import settings
from django.utils import timezone

from tenants import audit
from tenants.context import platform_context
from tenants.models import Domain
from tenants.models.domain import SecondFactorRule
from tenants.models.member import Role
from tenants.models.second_factor import RecoveryCode, SecondFactor
from tenants.people import totp

RECOVERY_CODES: Final = 10
_BY_STRICTNESS: Final = ("", "nobody", SecondFactorRule.ADMINISTRATORS.value, SecondFactorRule.EVERYBODY.value)


def required(*, role: str, domain: Domain | None) -> bool:
    """Whether a role must sign in with two factors: the stricter of the installation's rule and the domain's.

    An operator (`role` "operator") counts as an administrator, in every domain and outside of all.
    """
    rules = [settings.SECOND_FACTOR_REQUIRED, domain.second_factor if domain is not None else ""]
    strictest = max(rules, key=_BY_STRICTNESS.index)
    if strictest == SecondFactorRule.EVERYBODY:
        return True
    return strictest == SecondFactorRule.ADMINISTRATORS and role in (Role.ADMIN, "operator")


def is_on(user_id: int) -> bool:
    with platform_context():
        return SecondFactor.objects.filter(pk=user_id, confirmed_at__isnull=False).exists()


def codes_left(user_id: int) -> int:
    with platform_context():
        return RecoveryCode.objects.filter(user_id=user_id, used_at__isnull=True).count()


def begin(user_id: int) -> str:
    """The secret to scan. Not in force until `confirm`; asked again, it stays the same, so that a page can be reloaded.

    Raises ValueError where a second factor is on already.
    """
    with platform_context():
        SecondFactor.objects.bulk_create(
            [SecondFactor(user_id=user_id, secret=totp.new_secret())], ignore_conflicts=True
        )
        factor = SecondFactor.objects.select_for_update().get(pk=user_id)
        if factor.confirmed_at is not None:
            raise ValueError("Two-factor sign-in is on already.")
        return str(factor.secret)


def confirm(user: Any, typed: str) -> list[str] | None:
    """Switch it on with a first code. The recovery codes, which are shown this once; None where the code is wrong."""
    now = timezone.now()
    with platform_context():
        factor = SecondFactor.objects.select_for_update().filter(pk=user.pk, confirmed_at__isnull=True).first()
        step = totp.matching_step(factor.secret, tidy(typed), now=now.timestamp()) if factor is not None else None
        if factor is None or step is None:
            return None
        factor.confirmed_at, factor.last_step = now, step
        factor.save(update_fields=["confirmed_at", "last_step", "updated_at"])
        codes = _new_codes(user.pk)
        audit.log("second-factor.switched-on", _subject(user))
        return codes


def check(user: Any, typed: str) -> str:
    """Use a code: `app`, `recovery`, or empty where it is neither, spent, replayed or out of its time."""
    now, code = timezone.now(), tidy(typed)
    with platform_context():
        factor = SecondFactor.objects.select_for_update().filter(pk=user.pk, confirmed_at__isnull=False).first()
        if factor is None:
            return ""
        step = totp.matching_step(factor.secret, code, now=now.timestamp(), after=factor.last_step)
        if step is not None:
            factor.last_step = step
            factor.save(update_fields=["last_step", "updated_at"])
            return "app"
        spent = RecoveryCode.objects.filter(
            user_id=user.pk, code_hash=_hash(user.pk, code), used_at__isnull=True
        ).update(used_at=now)
        if not spent:
            return ""
        audit.log("recovery-code.used", _subject(user))
        return "recovery"


def renew_codes(user: Any) -> list[str]:
    """Fresh recovery codes; the old ones are void."""
    with platform_context():
        SecondFactor.objects.select_for_update().get(pk=user.pk, confirmed_at__isnull=False)
        codes = _new_codes(user.pk)
        audit.log("recovery-codes.renewed", _subject(user))
        return codes


def switch_off(user: Any) -> bool:
    """Forget app and codes. False where nothing was on."""
    with platform_context():
        RecoveryCode.objects.filter(user_id=user.pk).delete()
        was_on = SecondFactor.objects.filter(pk=user.pk, confirmed_at__isnull=False).exists()
        SecondFactor.objects.filter(pk=user.pk).delete()
        if was_on:
            audit.log("second-factor.switched-off", _subject(user))
        return was_on


def tidy(typed: str) -> str:
    """As people type codes: with spaces and dashes, in either case."""
    return "".join(letter for letter in typed if letter.isalnum())[:64].upper()


def _new_codes(user_id: int) -> list[str]:
    RecoveryCode.objects.filter(user_id=user_id).delete()
    codes = [base64.b32encode(secrets.token_bytes(10)).decode() for _ in range(RECOVERY_CODES)]
    RecoveryCode.objects.bulk_create(RecoveryCode(user_id=user_id, code_hash=_hash(user_id, code)) for code in codes)
    return ["-".join(code[at : at + 4] for at in range(0, 16, 4)).lower() for code in codes]


def _hash(user_id: int, code: str) -> str:
    return hashlib.sha256(f"{user_id} {code}".encode()).hexdigest()


def _subject(user: Any) -> audit.Subject:
    return audit.Subject("account", str(user.pk), user.get_username())
