"""What the API says when something is wrong: each problem's title and how to mend it, in the client's language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

Text = Any  # str or a lazy translation

TITLES: Final[Mapping[str, tuple[int, Text, Text]]] = {
    # code: (status, title, how to mend)
    "malformed": (400, _("The request cannot be read"), _("Send JSON as described in the documentation.")),
    "invalid": (400, _("Some values are not valid"), _("Mend the fields listed in `errors`.")),
    "not_authenticated": (401, _("Who are you?"), _("Send an API key: `Authorization: Bearer …`.")),
    "key_refused": (
        401,
        _("The key is not accepted"),
        _("It may be revoked, expired, or bound to other addresses."),
    ),
    "assertion_refused": (
        401,
        _("The assertion is not accepted"),
        _("Sign a new one: a fresh nonce, 60 s to live."),
    ),
    "forbidden": (403, _("This is not allowed"), _("Use a key with the scope that is named.")),
    "in_clear": (
        403,
        _("This came over a connection that everybody can read"),
        _("Use https://, and replace the key that was sent."),
    ),
    "not_found": (404, _("There is no such thing"), _("Check the address and the UUIDs in it.")),
    "method_not_allowed": (405, _("This address has no such method"), _("The header `Allow` lists those it has.")),
    "conflict": (409, _("This contradicts what is there"), _("Read the object again and decide anew.")),
    "in_progress": (
        409,
        _("The same request is being worked on"),
        _("Wait a moment, then send it again as it is."),
    ),
    "precondition_failed": (
        412,
        _("It was changed meanwhile"),
        _("Read it again and send its new ETag."),
    ),
    "too_large": (413, _("The body is too large"), _("Send less at once.")),
    "unsupported_media_type": (
        415,
        _("This kind of body is not understood"),
        _("Send `Content-Type: application/json`."),
    ),
    "range_not_satisfiable": (416, _("The recording has no such part"), _("`Content-Range` says how long it is.")),
    "idempotency_mismatch": (
        422,
        _("This Idempotency-Key belongs to another request"),
        _("Use a new key for a new request."),
    ),
    "precondition_required": (
        428,
        _("Say which version you mean"),
        _("Send the ETag you have read in `If-Match`, or `*` for any."),
    ),
    "too_many_requests": (429, _("Too many requests"), _("Wait as long as `Retry-After` says.")),
    "internal": (500, _("Something broke on our side"), _("Try again later; tell the operator the request's id.")),
    "unavailable": (503, _("Out of reach for a moment"), _("Try again in a few seconds.")),
}

MENDS: Final[Mapping[str, Text]] = {
    "required": _("Send this field."),
    "null": _("Send a value, or leave the field out."),
    "blank": _("Send a text that is not empty."),
    "unknown_field": _("Leave it out, or check its spelling."),
    "unknown_parameter": _("Leave it out, or check its spelling."),
    "invalid_type": _("Send the type that the documentation says: a number, a text in quotes, true or false."),
    "invalid_choice": _("Use one of the values in the documentation."),
    "max_length": _("Shorten it."),
    "min_value": _("Use a larger number."),
    "max_value": _("Use a smaller number."),
    "unique": _("Use another value, or change the object that has this one."),
    "does_not_exist": _("Name an object of this domain; make it first if need be."),
    "not_a_list": _("Send a list."),
    "immutable": _("Leave it out, or send the value it has."),
    "operator_only": _("Ask the operator of the installation, whose key may change it."),
    "scope_exceeded": _("Give the key no more than your own key may do."),
    "unknown_scope": _("Use scopes that the documentation lists."),
}
MEND_ELSE: Final = _("Send a value as the documentation describes it.")
