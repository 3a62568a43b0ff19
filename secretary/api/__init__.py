"""The REST API, `/api/v1/`. One resource is one file in `resources/`, and one line in its list.

A request goes: who is it (authentication) → may it ask so often (limits) → the domain's context, which is a
transaction (view) → may it (scope) → was it asked before (idempotency) → the resource → one shape of answer, one shape
of error (problems). A foreign object is as absent as a missing one: 404.
"""
