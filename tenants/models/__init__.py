from tenants.models.base import TenantModel
from tenants.models.domain import Domain
from tenants.models.keys import ApiKey, InstallationKey
from tenants.models.member import Member
from tenants.models.platform import PlatformModel

__all__ = ["ApiKey", "Domain", "InstallationKey", "Member", "PlatformModel", "TenantModel"]
