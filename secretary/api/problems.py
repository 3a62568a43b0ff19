"""One shape for every error: RFC 9457, `application/problem+json`.

Beside the standard's members there are `code` (a word for programs), `request_id`, and `errors`, each of which names
the field (`secretaries[3].greeting`), the reason, and how to mend it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import structlog
from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied
from django.core.exceptions import ValidationError as ModelError
from django.core.signals import got_request_exception
from django.db import DataError, IntegrityError, OperationalError
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.response import Response

from secretary.api.problem_words import MEND_ELSE, MENDS, TITLES, Text
from secretary.services.optimistic import StaleRowError

log = structlog.get_logger(__name__)

CONTENT_TYPE: Final = "application/problem+json"
MAX_ERRORS: Final = 100
"""Of a body with a thousand faults the first hundred are told."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field. `field` is empty where it is about the whole."""

    field: str
    code: str
    reason: str
    mend: str

    @classmethod
    def of(cls, name: str, code: str, reason: Text) -> FieldError:
        return cls(name, code, str(reason), str(MENDS.get(code, MEND_ELSE)))


@dataclass
class Problem(Exception):
    """An error on its way to the client. `code` is one of TITLES."""

    code: str
    detail: str = ""
    errors: list[FieldError] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def status(self) -> int:
        return TITLES[self.code][0]

    def body(self, *, path: str = "", request_id: str = "") -> dict[str, Any]:
        status, title, mend = TITLES[self.code]
        return {
            "type": f"/api/v1/docs#problem-{self.code}",
            "title": str(title),
            "status": status,
            "code": self.code,
            "detail": self.detail,
            "mend": str(mend),
            "instance": path,
            "request_id": request_id,
            "errors": [asdict(error) for error in self.errors[:MAX_ERRORS]],
        }


def invalid(name: str, code: str, reason: Text) -> Problem:
    """One field is wrong."""
    return Problem("invalid", errors=[FieldError.of(name, code, reason)])


def problem_of(error: Exception) -> Problem:
    """Whatever went wrong, as a problem. What nobody expected is logged here, and told as nothing but `internal`."""
    match error:
        case Problem():
            return error
        case exceptions.ValidationError():
            return Problem("invalid", errors=list(_flatten(error.detail)))
        case ModelError():
            return Problem("invalid", errors=list(_model_errors(error)))
        case StaleRowError():
            return Problem("precondition_failed")
        case Http404() | exceptions.NotFound():
            return Problem("not_found")
        case exceptions.NotAuthenticated():
            return Problem("not_authenticated", headers={"WWW-Authenticate": "Bearer"})
        case PermissionDenied() | exceptions.PermissionDenied():
            return Problem("forbidden", str(error))
        case exceptions.MethodNotAllowed():
            return Problem("method_not_allowed")
        case exceptions.UnsupportedMediaType():
            return Problem("unsupported_media_type")
        case exceptions.ParseError():
            return Problem("malformed", str(error.detail))
        case IntegrityError():
            log.info("api.conflict", error=str(error)[:300])
            return Problem("conflict", _("Another object has the same value where it must be unique, or is in use."))
        case DataError():
            log.info("api.data_error", error=str(error)[:300])
            return Problem("invalid", _("A value is out of the range that can be stored."))
        case OperationalError():
            log.warning("api.database", error=str(error)[:300])
            return Problem("unavailable", headers={"Retry-After": "2"})
    got_request_exception.send(sender=None)
    log.error("api.crashed", exc_info=error)
    return Problem("internal")


def response_of(problem: Problem, *, path: str, request_id: str) -> Response:
    return Response(
        problem.body(path=path, request_id=request_id),
        status=problem.status,
        headers=problem.headers,
        content_type=CONTENT_TYPE,
    )


def _flatten(detail: Any, name: str = "") -> Iterator[FieldError]:
    """DRF's nested errors as a list with paths: `secretaries[3].name`."""
    if isinstance(detail, Mapping):
        for key, value in detail.items():
            if key == "non_field_errors":
                yield from _flatten(value, name)
            elif isinstance(key, int):
                yield from _flatten(value, f"{name}[{key}]")
            else:
                yield from _flatten(value, f"{name}.{key}" if name else str(key))
    elif isinstance(detail, list):
        for position, value in enumerate(detail):
            nested = isinstance(value, (Mapping, list))
            yield from _flatten(value, f"{name}[{position}]" if nested else name)
    else:
        yield FieldError.of(name, str(getattr(detail, "code", "invalid")), detail)


def _model_errors(error: ModelError) -> Iterator[FieldError]:
    if not hasattr(error, "error_dict"):
        for one in error.error_list:
            yield FieldError.of("", str(one.code or "invalid"), " ".join(one.messages))
        return
    for name, errors in error.error_dict.items():
        shown = "" if name == NON_FIELD_ERRORS else RENAMED.get(name, name)
        for one in errors:
            code = "does_not_exist" if shown != name and one.code == "invalid" else str(one.code or "invalid")
            yield FieldError.of(shown, code, " ".join(one.messages))


RENAMED: Final = {
    "secretary": "secretary_uuid", "destination": "destination_uuid", "call": "call_uuid", "hours": "hours_uuid",
    "fallback": "fallback_uuid",
    "closed_secretary": "closed_secretary_uuid",
}  # fmt: skip
"""The models' fields that the API calls by the UUID they hold."""
