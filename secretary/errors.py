"""Why a call cannot be taken by a secretary. Each names itself for the log and the counters."""

from __future__ import annotations

from typing import ClassVar


class CallRefused(Exception):
    """The call goes to the fallback. `reason` is a fixed word; the message is for people, without foreign text."""

    reason: ClassVar[str] = "refused"


class UnknownDomain(CallRefused):
    """No tenant of this UUID."""

    reason = "unknown_domain"


class DomainDisabled(CallRefused):
    reason = "domain_disabled"


class UnknownSecretary(CallRefused):
    """The tenant has no secretary of this UUID; somebody else's does not count."""

    reason = "unknown_secretary"


class UnmappedExtension(CallRefused):
    """No secretary answers at the extension that was dialled."""

    reason = "unmapped_extension"


class SecretaryDisabled(CallRefused):
    reason = "secretary_disabled"


class NoCredential(CallRefused):
    """The tenant has no switch: nobody said how the audio travels."""

    reason = "no_credential"


class QuotaFull(CallRefused):
    """As many calls as the tenant may have at once are in progress."""

    reason = "quota_full"


class MinutesUsedUp(CallRefused):
    """The tenant's minutes of the day or month are used, or held by other calls."""

    reason = "minutes_used_up"


class BudgetUsedUp(CallRefused):
    """The tenant's money of the day or month is used, or held by other calls."""

    reason = "budget_used_up"


class ClosedNow(CallRefused):
    """Out of hours, and nobody is to answer. `number`: where the caller goes; empty: the fallback."""

    reason = "closed"

    def __init__(self, message: str, *, number: str = "", context: str = "") -> None:
        super().__init__(message)
        self.number, self.context = number, context


class ForeignCall(CallRefused):
    """The channel is already on record as another tenant's call (it was transferred between domains)."""

    reason = "foreign_call"


class TransferRefused(Exception):
    """A transfer that the platform does not do. `reason` is the policy's word, or `unknown_destination`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class CallbackRefused(Exception):
    """A callback that the platform does not take, or not any more.

    `reason` is a word of the policy about the number, or one of: no_consent, too_late, too_many, unknown_call,
    unknown_secretary, unknown_destination, not_a_person, nobody, not_open.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
