"""Several short names in one field: typed one a line, shown as tags where scripts run."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _


class TagsWidget(forms.Textarea):
    """A text area with one name a line; panel.js turns it into a box of tags."""

    def __init__(self) -> None:
        super().__init__(attrs={"data-tags": "", "rows": 4})

    def build_attrs(self, base_attrs: dict[str, Any], extra_attrs: dict[str, Any] | None = None) -> dict[str, Any]:
        attrs = super().build_attrs(base_attrs, extra_attrs)
        return {**attrs, "data-remove": str(_("Remove")), "data-added": str(_("Added:"))}

    def format_value(self, value: Any) -> str | None:
        return "\n".join(value) if isinstance(value, (list, tuple)) else super().format_value(value)


class TagsField(forms.Field):
    """A list of names: trimmed, inner white space made single, empty lines dropped, repeated ones kept once."""

    widget = TagsWidget

    def __init__(self, *, most: int, longest: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.most = most
        self.longest = longest

    def to_python(self, value: Any) -> list[str]:
        lines = str(value or "").replace(",", "\n").replace(";", "\n").splitlines()
        names: dict[str, str] = {}
        for line in lines:
            name = " ".join(line.split())
            if name:
                names.setdefault(name.casefold(), name)
        return list(names.values())

    def validate(self, value: list[str]) -> None:
        super().validate(value)
        if len(value) > self.most:
            raise forms.ValidationError(
                _("At most %(most)d names, these are %(count)d. Remove the ones that callers hardly use."),
                params={"most": self.most, "count": len(value)},
                code="too_many",
            )
        for name in value:
            if len(name) > self.longest:
                raise forms.ValidationError(
                    _("“%(name)s…” is too long. Write what callers say, in at most %(longest)d letters."),
                    params={"name": name[:30], "longest": self.longest},
                    code="too_long",
                )

    def has_changed(self, initial: Any, data: Any) -> bool:
        return list(initial or []) != self.to_python(data)
