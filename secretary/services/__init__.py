"""Writes: keyword-only functions in a transaction, inside a tenant.

Those that take a `domain_uuid` enter it themselves (the voice node and the worker use them); the others need it active.
"""
