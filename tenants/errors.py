"""What can go wrong with a tenant."""

from __future__ import annotations


class TenantError(Exception):
    """Something was done outside, or across, a tenant."""


class NoTenantError(TenantError):
    """A query without an active tenant: a bug of ours, never an empty page."""


class TenantConflictError(TenantError):
    """A tenant's context was entered inside another tenant's, or the platform's inside a tenant's."""


class InvalidTenantError(TenantError, ValueError):
    """Not a domain's UUID."""


class UnsafeRoleError(TenantError):
    """The database role can bypass row-level security, so that PostgreSQL would not keep tenants apart."""


class UndecryptableError(Exception):
    """A stored secret that no key of FIELD_ENCRYPTION_KEYS opens, or that is no ciphertext of ours."""
