"""Reads, always inside a tenant: those that take a `domain_uuid` enter it themselves, the others need it active."""
