"""The page that makes or changes one row: the same for a secretary, a destination and an extension."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import transaction
from django.forms.boundfield import BoundField
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from secretary.panel.access import Access
from secretary.panel.forms.base import PanelForm
from secretary.panel.pages import show, show_outside
from secretary.panel.templatetags.panel import NONE
from secretary.panel.words import Text
from secretary.services.optimistic import StaleRowError, check_seen, lock_settings
from tenants.models.base import Timestamped


@dataclass(frozen=True, slots=True)
class Link:
    """Where something leads."""

    url: str
    label: Text


@dataclass(frozen=True, slots=True)
class Difference:
    """A field whose stored value is not what was typed."""

    label: Text
    theirs: str


def spoken(field: BoundField, value: Any) -> str:
    """A stored value in words."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, (list, tuple)):
        return ", ".join(str(part) for part in value) or NONE
    for key, label in getattr(field.field, "choices", ()):
        if str(key) == str(value):
            return str(label)
    return str(value) if value not in ("", None) else NONE


def differences(form: PanelForm, theirs: Mapping[str, Any]) -> list[Difference]:
    """Field by field, what somebody else has stored instead of what was typed."""
    return [
        Difference(form[name].label, spoken(form[name], theirs[name]))
        for name, mine in form.values.items()
        if name in theirs and str(theirs[name]) != str(mine)
    ]


def shown_again(
    form: PanelForm, stale: StaleRowError, read: Callable[[Any], Mapping[str, Any]]
) -> tuple[list[Difference], Any]:
    """What differs, and the form's data for a page that shows both versions: saving again is a decision then."""
    data: Any = form.data.copy()  # type: ignore[attr-defined]
    data["seen"] = seen_of(stale.row)
    return differences(form, read(stale.row)), data


def add_errors(form: PanelForm, error: ValidationError) -> None:
    """Put a service's complaints beside the fields they are about; what fits no field goes above the form."""
    if not hasattr(error, "error_dict"):
        form.add_error(None, error)
        return
    for name, complaints in error.error_dict.items():
        form.add_error(None if name == NON_FIELD_ERRORS or name not in form.fields else name, complaints)


def seen_of(row: Timestamped | None) -> str:
    """When the row was last changed; empty for one that was never stored."""
    changed: datetime | None = row.updated_at if row is not None else None
    return changed.isoformat() if changed is not None else ""


def edit(
    request: HttpRequest,
    access: Access | None,
    *,
    section: str,
    title: str,
    back: Link,
    form_class: Callable[..., PanelForm],
    initial: Mapping[str, Any],
    row: Timestamped | None,
    read: Callable[[Any], Mapping[str, Any]],
    save: Callable[[PanelForm], object],
    done: str,
    delete_url: str = "",
    intro: str = "",
    action: str = "",
    links: Sequence[Link] = (),
    may_write: bool | None = None,
) -> HttpResponse:
    """Show the form; on POST save it and go back to the list, or show what to mend with everything typed kept.

    `read` gives a row's values by field, `save` writes the cleaned form and raises ValidationError, or StaleRowError
    when the row was changed since the page was made. No `access`: a page of the installation. `action` is what the
    button says, if not that it saves; `links` lead to what else there is of the row; `may_write` is whether there is
    a button, where that does not hang on configuring the domain.
    """
    seen = seen_of(row)
    conflict: list[Difference] | None = None
    status = 200
    if request.method == "POST":
        form = form_class(request.POST)
        if form.is_valid():
            try:
                save(form)
            except StaleRowError as stale:
                conflict, form.data = shown_again(form, stale, read)
            except ValidationError as error:
                add_errors(form, error)
            else:
                messages.success(request, done)
                return HttpResponseRedirect(back.url)
        status = 409 if conflict is not None else 422
    else:
        form = form_class(initial={**initial, "seen": seen})
    frame: dict[str, Any] = {
        "section": section,
        "status": status,
        "title": title,
        "intro": intro,
        "action": action,
        "links": links,
        "back": back,
        "form": form,
        "conflict": conflict,
        "delete_url": delete_url,
    }
    if access is None:
        return show_outside(request, "panel/edit.html", **frame)
    may_write = access.may_configure if may_write is None else may_write
    return show(request, access, "panel/edit.html", may_write=may_write, **frame)


def edit_once(
    request: HttpRequest,
    access: Access,
    *,
    find: Callable[[], Timestamped],
    read: Callable[[Any], Mapping[str, Any]],
    save: Callable[..., object],
    **frame: Any,
) -> HttpResponse:
    """The same for what a domain has once: of two people who change it at once the second one is told.

    `find` gives the row, also where it was never stored; `save` takes the form's values; `frame` is the rest of `edit`.
    """

    @transaction.atomic
    def store(form: PanelForm) -> None:
        lock_settings()
        check_seen(find(), form.seen_at)
        save(**form.model_values)

    row = find()
    return edit(request, access, initial=read(row), row=row, read=read, save=store, **frame)
