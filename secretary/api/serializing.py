"""Serializers that say what they do not know, and show as much as was asked for."""

from __future__ import annotations

import re
from typing import Any, ClassVar, Final

from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, RegexValidator
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail
from rest_framework.validators import UniqueValidator

from secretary.api import pages
from secretary.api.problems import invalid


class Strict:
    """Refuses fields it does not have, and values that are not what the documentation says: no text for a number.

    A text is judged as it was sent, before spaces at its ends are taken away: what the document calls too long is too
    long. Fields that are only shown may come back in a body, and count for nothing.
    """

    unknown_code: ClassVar[str] = "unknown_field"
    typed: ClassVar[bool] = True

    def to_internal_value(self, data: Any) -> Any:
        wrong = self._wrong(data) if isinstance(data, dict) else {}
        try:
            values = super().to_internal_value(data)  # type: ignore[misc]
        except serializers.ValidationError as error:
            # All faults at once: whoever mends one by one would have to ask once for each.
            raise serializers.ValidationError({**wrong, **error.detail, **wrong}) from error  # type: ignore[dict-item]
        if wrong:
            raise serializers.ValidationError(wrong)
        return values

    def _wrong(self, data: dict[Any, Any]) -> dict[str, list[ErrorDetail]]:
        """What the fields would not notice."""
        fields: dict[str, Any] = self.fields  # type: ignore[attr-defined]
        nowhere = ErrorDetail(_("There is no such field."), self.unknown_code)
        wrong = {str(name)[:100]: [nowhere] for name in [name for name in data if name not in fields][:20]}
        if self.typed:
            numbers_are_texts = bool(self.context.get(NUMBERS_ARE_TEXTS))  # type: ignore[attr-defined]
            known = ((name, value) for name, value in data.items() if name in fields)
            wrong |= {name: found for name, value in known if (found := faults(fields[name], value, numbers_are_texts))}
        return wrong


NUMBERS_ARE_TEXTS: Final = "numbers_are_texts"
"""In a serializer's context: 8001 will do where a text is wanted, as in YAML."""

_TEXTS = (
    serializers.CharField,
    serializers.ChoiceField,
    serializers.UUIDField,
    serializers.DateTimeField,
    serializers.DateField,
    serializers.DecimalField,
)


_Field = serializers.Field[Any, Any, Any, Any]
_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_AS_SENT = (MaxLengthValidator, RegexValidator)


def faults(field: _Field, value: Any, numbers_are_texts: bool = False) -> list[ErrorDetail]:
    """What is wrong with a value as it was sent, by its JSON type and, for texts, by length and pattern.

    Null, lists of objects and objects are left to the field.
    """
    if value is None or field.read_only:
        return []
    if not _has_type(field, value, numbers_are_texts):
        return [ErrorDetail(_("This is a value of another type."), "invalid_type")]
    if isinstance(field, serializers.CharField):
        return _text_faults(field, value) if isinstance(value, str) and value.strip() != value else []
    if isinstance(field, serializers.DecimalField) and isinstance(value, str) and not _DECIMAL.fullmatch(value):
        return [ErrorDetail(_("A number is wanted, as a text."), "invalid")]
    if isinstance(field, serializers.ListField) and isinstance(value, list):
        return _of_children(field, value, numbers_are_texts)
    if isinstance(field, serializers.DictField) and isinstance(value, dict):
        return _of_children(field, list(value.values()), numbers_are_texts)
    return []


def _has_type(field: _Field, value: Any, numbers_are_texts: bool) -> bool:
    if isinstance(field, _TEXTS):
        if isinstance(value, str) or not numbers_are_texts:
            return isinstance(value, str)
        return type(value) is int or (type(value) is float and isinstance(field, serializers.DecimalField))
    if isinstance(field, serializers.BooleanField):
        return isinstance(value, bool)
    if isinstance(field, serializers.IntegerField):
        return type(value) is int or (type(value) is float and value.is_integer())
    if isinstance(field, serializers.FloatField):
        return type(value) in (int, float)
    if isinstance(field, JsonObject):
        return isinstance(value, dict) and (
            not field.members or all(type(member) in field.members for member in value.values())
        )
    return True


def _text_faults(field: serializers.CharField, text: str) -> list[ErrorDetail]:
    """Of a text with spaces at its ends, which the field would take away before it looks."""
    found: list[ErrorDetail] = []
    for validator in field.validators if field.trim_whitespace else ():
        if isinstance(validator, _AS_SENT) and text:
            try:
                validator(text)
            except ValidationError as error:
                found += [ErrorDetail(message, error.code) for message in error.messages]
    return found


def _of_children(field: Any, values: list[Any], numbers_are_texts: bool) -> list[ErrorDetail]:
    """The faults of the first wrong one."""
    every = (faults(field.child, value, numbers_are_texts) for value in values)
    return next((found for found in every if found), [])


class JsonObject(serializers.JSONField):
    """Any JSON object, and nothing else. To be annotated with its schema."""

    members: ClassVar[tuple[type, ...]] = ()
    """The types that its values may have. Empty: any."""


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
