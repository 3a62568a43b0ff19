from tenants.models.base import TenantModel
from tenants.models.domain import Domain
from tenants.models.member import Member

__all__ = ["Domain", "Member", "TenantModel"]
