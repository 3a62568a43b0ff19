"""What drf-spectacular is told, so that the document says what the API does: every status, header and parameter."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, Final

from drf_spectacular.authentication import SessionScheme
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

PROBLEM_TYPE: Final = "application/problem+json"
ALWAYS: Final = frozenset({400, 401, 403, 405, 429, 500, 503})
WITH_BODY: Final = frozenset({409, 413, 415})


class FieldErrorSerializer(serializers.Serializer[Any]):
    """What is wrong with one field, and how to mend it."""

    field = serializers.CharField(help_text="Such as `secretaries[3].greeting`; empty: the whole.")
    code = serializers.CharField()
    reason = serializers.CharField()
    mend = serializers.CharField()


class ProblemSerializer(serializers.Serializer[Any]):
    """An error (RFC 9457)."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField(help_text="A word for programs.")
    detail = serializers.CharField()
    mend = serializers.CharField(help_text="What to do about it.")
    instance = serializers.CharField()
    request_id = serializers.CharField()

    def get_fields(self) -> dict[str, Any]:
        # `errors` is a word of the serializer's own, so it cannot be declared.
        return {**super().get_fields(), "errors": FieldErrorSerializer(many=True)}


class ApiSchema(AutoSchema):
    """Reads what it says from the view: `query_class`, `scope`, `known_statuses`."""

    view: Any

    def get_operation_id(self) -> str:
        name = getattr(self.view, "operation", "") or getattr(self.view, "path", "") or type(self.view).__name__
        action = getattr(self.view, "action", None) or self.method.lower()
        verb = {"update": "put", "partial_update": "patch", "destroy": "delete", "retrieve": "get"}.get(action, action)
        return f"{verb}_{name}".replace("-", "_").replace("/", "_")

    def get_tags(self) -> list[str]:
        return [getattr(self.view, "scope", "") or "about"]

    def get_summary(self) -> str | None:
        return (self.get_description() or "").strip().split("\n")[0] or None

    def get_override_parameters(self) -> list[Any]:
        parameters: list[Any] = []
        query = self.view.query_class
        if query._declared_fields:
            parameters.append(query)
        method = self.method
        if method == "POST":
            parameters.append(_header("Idempotency-Key", "Send the same again and it happens once. Kept for 48 h."))
        if method in ("PATCH", "DELETE"):
            parameters.append(_header("If-Match", "The ETag that was read, or `*`. Without it: 428."))
        if method == "PUT":
            parameters.append(_header("If-Match", "Replace this version only."))
            parameters.append(_header("If-None-Match", "`*`: make it, do not replace it."))
        if method == "GET" and getattr(self.view, "action", "") == "retrieve":
            parameters.append(_header("If-None-Match", "The ETag that you have: 304 where it is still that one."))
        if getattr(self.view, "action", "") in ("retrieve", "create", "update", "partial_update"):
            parameters.append(_header("ETag", "This version, for `If-Match`.", response=[200, 201, 202, 304]))
        if getattr(self.view, "action", "") == "create":
            parameters.append(_header("Location", "Where the new object is.", response=[201, 202]))
        if method == "POST":
            parameters.append(
                _header(
                    "Idempotency-Replayed",
                    "`true`: this is the answer of an earlier request.",
                    response=[200, 201, 202],
                )
            )
        parameters.append(_header("X-Request-Id", "Yours, for the log; otherwise we make one.", response=False))
        parameters.append(_header("X-Request-Id", "The request's id.", response=True))
        for name in ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"):
            parameters.append(_header(name, "", response=[200, 201, 204, 429], kind=OpenApiTypes.INT))
        parameters.append(_header("Retry-After", "Seconds.", response=[429, 503], kind=OpenApiTypes.INT))
        return parameters

    def get_response_serializers(self) -> Any:
        found = super().get_response_serializers()
        answers: dict[Any, Any] = found if isinstance(found, dict) else {self._success(): found}
        if self.method == "DELETE" and not isinstance(found, dict):
            answers = {204: None}
        if getattr(self.view, "action", "") == "update" and not isinstance(found, dict):
            answers = {200: found, 201: found}
        if getattr(self.view, "action", "") == "retrieve" and self.view.query_class._declared_fields:
            answers = {**answers, 304: None}
        return answers

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        # Here, and not among the serializers, because `extend_schema(responses=…)` takes the place of those.
        answers: dict[str, Any] = super()._get_response_bodies(direction)
        for status in map(str, sorted(self._problems())):
            answers[status] = self._get_response_for_code(ProblemSerializer, status, [PROBLEM_TYPE], direction)
        return answers

    def _success(self) -> int:
        return 201 if getattr(self.view, "action", "") == "create" else 200

    def _problems(self) -> frozenset[int]:
        statuses = ALWAYS | self.view.known_statuses
        if "{" in self.path:
            statuses |= {404}
        if self.method in ("POST", "PUT", "PATCH"):
            statuses |= WITH_BODY
        if self.method == "POST":
            statuses |= {422}
        if self.method in ("PUT", "PATCH", "DELETE"):
            statuses |= {409, 412}
        if self.method in ("PATCH", "DELETE"):
            statuses |= {428}
        return frozenset(statuses)

    def _get_response_for_code(self, serializer: Any, status_code: str, *args: Any, **kwargs: Any) -> Any:
        response: dict[str, Any] = super()._get_response_for_code(  # type: ignore[no-untyped-call]
            serializer, status_code, *args, **kwargs
        )
        if not response.get("description"):
            response["description"] = HTTPStatus(int(status_code)).phrase
        return response


class KeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "secretary.api.authentication.KeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "description": "A key of a domain or of the installation."}


class AssertionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "secretary.api.authentication.AssertionAuthentication"
    name = "assertion"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Assertion <claims>.<signature>`: FusionPBX acts for a user of a domain.",
        }


class PanelScheme(SessionScheme):  # type: ignore[no-untyped-call]
    target_class = "secretary.api.authentication.PanelSession"
    name = "panelSession"


def close_bodies(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Say that a body may have no other fields, and that `fields=` may leave out any of an answer's."""
    components: dict[str, Any] = result.get("components", {}).get("schemas", {})
    selectable = set(_selectable(result, components))
    for name, component in components.items():
        if component.get("type") != "object":
            continue
        if name.endswith("Request"):
            component["additionalProperties"] = False
        elif name in selectable:
            component.pop("required", None)
    return result


def _selectable(result: dict[str, Any], components: dict[str, Any]) -> Iterator[str]:
    """The components that are answered where there is a parameter `fields`, alone or in a page."""
    for item in result.get("paths", {}).values():
        operation = item.get("get", {})
        if any(parameter["name"] == "fields" for parameter in operation.get("parameters", ())):
            for media in operation["responses"]["200"]["content"].values():
                name = _name(media["schema"])
                items = components.get(name, {}).get("properties", {}).get("items", {}).get("items")
                yield _name(items) if items else name


def _name(schema: dict[str, Any]) -> str:
    return str(schema.get("$ref", "")).rpartition("/")[2]


def _header(
    name: str, description: str, *, response: bool | list[int] = False, kind: Any = OpenApiTypes.STR
) -> OpenApiParameter:
    return OpenApiParameter(
        name, kind, OpenApiParameter.HEADER, description=description, response=response, required=False
    )
