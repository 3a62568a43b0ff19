from tenants.models.audit import AuditEvent, InstallationEvent
from tenants.models.base import TenantModel
from tenants.models.data_rules import DataRules
from tenants.models.domain import Domain
from tenants.models.invitation import Invitation, OperatorInvitation
from tenants.models.keys import ApiKey, InstallationKey
from tenants.models.member import Member
from tenants.models.platform import PlatformModel
from tenants.models.quota import Quota
from tenants.models.quota_alarm import QuotaAlarm, QuotaKind, QuotaPeriod
from tenants.models.second_factor import RecoveryCode, SecondFactor
from tenants.models.session import BrowserSession
from tenants.models.throttle import Throttle

__all__ = [
    "ApiKey",
    "AuditEvent",
    "BrowserSession",
    "DataRules",
    "Domain",
    "InstallationEvent",
    "InstallationKey",
    "Invitation",
    "Member",
    "OperatorInvitation",
    "PlatformModel",
    "Quota",
    "QuotaAlarm",
    "QuotaKind",
    "QuotaPeriod",
    "RecoveryCode",
    "SecondFactor",
    "TenantModel",
    "Throttle",
]
