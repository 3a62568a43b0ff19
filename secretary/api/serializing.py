"""Serializers that say what they do not know, and show as much as was asked for."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail
from rest_framework.validators import UniqueValidator

from secretary.api import pages
from secretary.api.problems import invalid


class Strict:
    """Refuses fields it does not have, and values of another type than the documentation says: no text for a number.

    Fields that are only shown may come back in a body, and count for nothing.
    """

    unknown_code: ClassVar[str] = "unknown_field"
    typed: ClassVar[bool] = True

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            fields: dict[str, Any] = self.fields  # type: ignore[attr-defined]
            unknown = [name for name in data if name not in fields]
            if unknown:
                reason = ErrorDetail(_("There is no such field."), self.unknown_code)
                raise serializers.ValidationError({str(name)[:100]: [reason] for name in unknown[:20]})
            if self.typed:
                numbers_are_texts = bool(self.context.get(NUMBERS_ARE_TEXTS))  # type: ignore[attr-defined]
                wrong = [name for name, value in data.items() if not fits(fields[name], value, numbers_are_texts)]
                if wrong:
                    reason = ErrorDetail(_("This is a value of another type."), "invalid_type")
                    raise serializers.ValidationError({name: [reason] for name in wrong})
        return super().to_internal_value(data)  # type: ignore[misc]


NUMBERS_ARE_TEXTS: Final = "numbers_are_texts"
"""In a serializer's context: 8001 will do where a text is wanted, as in YAML."""

_TEXTS = (
    serializers.CharField,
    serializers.ChoiceField,
    serializers.UUIDField,
    serializers.DateTimeField,
    serializers.DateField,
)


def fits(field: serializers.Field[Any, Any, Any, Any], value: Any, numbers_are_texts: bool = False) -> bool:
    """Whether a value's JSON type is the field's. Null, lists of objects and objects are left to the field."""
    if value is None or field.read_only:
        return True
    if isinstance(field, _TEXTS):
        return isinstance(value, str) or (numbers_are_texts and type(value) is int)
    if isinstance(field, serializers.BooleanField):
        return isinstance(value, bool)
    if isinstance(field, serializers.IntegerField):
        return type(value) is int or (type(value) is float and value.is_integer())
    if isinstance(field, serializers.FloatField):
        return type(value) in (int, float)
    if isinstance(field, serializers.ListField) and isinstance(value, list):
        child: Any = field.child
        return all(fits(child, item, numbers_are_texts) for item in value)
    return True


class StrictSerializer(Strict, serializers.Serializer[Any]):
    """For bodies that are no model."""


class ResourceSerializer(Strict, serializers.ModelSerializer[Any]):
    """For models. `only` names the fields to show; uniqueness is the services' and the database's business."""

    def __init__(self, *args: Any, only: frozenset[str] | None = None, **kwargs: Any) -> None:
        self._only = only
        super().__init__(*args, **kwargs)

    def get_fields(self) -> dict[str, Any]:
        fields: dict[str, Any] = super().get_fields()
        for field in fields.values():
            field.validators = [one for one in field.validators if not isinstance(one, UniqueValidator)]
        if self._only is None:
            return fields
        return {name: field for name, field in fields.items() if name in self._only}

    def get_validators(self) -> list[Any]:
        return []


class Query(Strict, serializers.Serializer[Any]):
    """What may stand behind the question mark."""

    unknown_code = "unknown_parameter"
    typed = False


class OneQuery(Query):
    """Of one object."""

    fields_ = serializers.CharField(
        required=False, max_length=1000, help_text="Names of fields to show, separated by commas. Default: all."
    )

    def get_fields(self) -> dict[str, Any]:
        # `fields` is a word of the serializer's own, so it cannot be declared under that name.
        fields: dict[str, Any] = super().get_fields()
        chosen = fields.pop("fields_", None)
        return {**fields, "fields": chosen} if chosen is not None else fields


class PageQuery(OneQuery):
    """Of a list."""

    limit = serializers.IntegerField(
        required=False, min_value=1, max_value=pages.MAX_LIMIT, default=pages.DEFAULT_LIMIT, help_text="Objects a page."
    )
    cursor = serializers.CharField(
        required=False, max_length=121, help_text="`next_cursor` or `previous_cursor` of another page."
    )


def chosen_fields(wanted: str | None, serializer: type[serializers.BaseSerializer[Any]]) -> frozenset[str] | None:
    """The fields named in `fields=`. Raises Problem where there is none of a name."""
    if wanted is None:
        return None
    names = frozenset(name.strip() for name in wanted.split(",") if name.strip())
    known = getattr(serializer(), "fields", {})
    unknown = sorted(names - set(known))
    if unknown or not names:
        raise invalid(
            "fields",
            "invalid_choice",
            _("Unknown: %(unknown)s. There are: %(known)s.")
            % {"unknown": ", ".join(unknown)[:200], "known": ", ".join(known)},
        )
    return names
