"""What people list, make, change and remove: the three pages that every kind of row has, from one description."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from secretary.panel.access import Access, Can, in_domain
from secretary.panel.editing import Link, edit
from secretary.panel.forms.base import PanelForm
from secretary.panel.pages import show
from secretary.panel.words import Text
from tenants.models.base import Timestamped

SAVED: Final[Text] = _("Saved. The next call uses it.")
_QUESTION: Final[Text] = _("Remove “%(name)s”?")
_REMOVED: Final[Text] = _("“%(name)s” was removed.")
M = TypeVar("M", bound=Timestamped)
View = Callable[..., HttpResponseBase]


def fields_of(form: type[PanelForm]) -> Callable[[Any], Mapping[str, Any]]:
    """Reads a row whose fields are called as the form's."""
    return lambda row: {name: getattr(row, name) for name in form.base_fields if name != "seen"}


@dataclass(frozen=True, kw_only=True)
class Rows(Generic[M]):
    """One kind of row of a domain.

    Its services take the row's UUID as `key`, the name that it has in addresses, too; `update` also takes `seen_at`.
    All raise ValidationError, `update` also StaleRowError. Routes: `section` is the list, `route` one row, and
    `delete_route` where it is removed (`route`-delete, if nothing else is said).
    """

    section: str
    route: str
    key: str
    title: Text
    """What they are called together."""
    form: Callable[..., PanelForm]
    read: Callable[[M], Mapping[str, Any]]
    find: Callable[..., M | None]
    create: Callable[..., object]
    update: Callable[..., object]
    remove: Callable[..., object]
    new: Text
    """Title of the page that makes one."""
    made: Text
    saved: Text = SAVED
    consequence: Text
    """What it means that one is gone."""
    question: Text = _QUESTION
    removed: Text = _REMOVED
    name: Callable[[M], str] = str
    see: Can = Can.SEE_SETUP
    delete_route: str = ""
    then: Callable[[HttpRequest, Access, Any], HttpResponse | None] | None = None
    """Another page than the list after something was made: given what `create` gave."""

    def to_list(self, access: Access) -> Link:
        return Link(reverse(f"panel:{self.section}", args=[access.domain.pk]), self.title)

    def to_one(self, access: Access, row: M) -> Link:
        return Link(reverse(f"panel:{self.route}", args=[access.domain.pk, row.pk]), self.name(row))

    def get(self, uuid: UUID) -> M:
        """Raises Http404."""
        row = self.find(**{self.key: uuid})
        if row is None:
            raise Http404
        return row

    def make(
        self, request: HttpRequest, access: Access, *, initial: Mapping[str, Any] | None = None, **others: Any
    ) -> HttpResponse:
        """The page that makes one. `others`: what else `edit` takes, instead of what it has from here."""
        made: list[object] = []
        create = others.pop("create", self.create)
        frame: dict[str, Any] = {"title": self.new, "form_class": self.form, **others}
        response = edit(
            request,
            access,
            section=self.section,
            back=self.to_list(access),
            initial=initial or {},
            row=None,
            read=dict,
            save=lambda form: made.append(create(**form.model_values)),
            done=str(self.made),
            **frame,
        )
        return (made and self.then is not None and self.then(request, access, made[0])) or response

    def change(self, request: HttpRequest, access: Access, row: M, **others: Any) -> HttpResponse:
        """The page that changes one."""
        frame: dict[str, Any] = {
            "title": self.name(row),
            "form_class": self.form,
            "back": self.to_list(access),
            "done": str(self.saved),
            **others,
        }
        return edit(
            request,
            access,
            section=self.section,
            initial=self.read(row),
            row=row,
            read=self.read,
            save=lambda form: self.update(**{self.key: row.pk}, seen_at=form.seen_at, **form.model_values),
            delete_url=reverse(f"panel:{self.delete_route or self.route + '-delete'}", args=[access.domain.pk, row.pk]),
            **frame,
        )

    def delete(self, request: HttpRequest, access: Access, row: M) -> HttpResponse:
        """Asks first, says what it means, and removes on POST. What stands in the way is told on the list."""
        name = {"name": self.name(row)}
        if request.method == "POST":
            try:
                self.remove(**{self.key: row.pk})
            except ValidationError as error:
                messages.error(request, " ".join(error.messages))
            else:
                messages.success(request, str(self.removed) % name)
            return redirect(self.to_list(access).url)
        return show(
            request,
            access,
            "panel/delete.html",
            section=self.section,
            title=str(self.question) % name,
            back=self.to_one(access, row),
            consequence=self.consequence,
        )

    def act(
        self,
        request: HttpRequest,
        access: Access,
        row: M,
        *,
        title: str,
        action: str,
        form: Callable[..., PanelForm],
        do: Callable[[Any], object],
        then: Callable[[HttpRequest, Access, Any], HttpResponse] | None = None,
        **others: Any,
    ) -> HttpResponse:
        """The page that does something with one, as `action` says; `then` draws what came of it."""
        given: list[object] = []
        frame: dict[str, Any] = {"intro": str(row), "back": self.to_list(access), "initial": {}, "done": "", **others}
        response = edit(
            request,
            access,
            section=self.section,
            title=title,
            action=action,
            form_class=form,
            row=None,
            read=dict,
            save=lambda form: given.append(do(form)),
            **frame,
        )
        return then(request, access, given[0]) if given and then is not None else response

    def views(self) -> tuple[View, View, View]:
        """To make, to change and to remove one: the views of the three addresses."""

        @in_domain(Can.CONFIGURE, change=Can.CONFIGURE)
        def new(request: HttpRequest, access: Access) -> HttpResponse:
            return self.make(request, access)

        @in_domain(self.see, change=Can.CONFIGURE)
        def change(request: HttpRequest, access: Access, /, **keys: UUID) -> HttpResponse:
            return self.change(request, access, self.get(keys[self.key]))

        @in_domain(Can.CONFIGURE, change=Can.CONFIGURE)
        def delete(request: HttpRequest, access: Access, /, **keys: UUID) -> HttpResponse:
            return self.delete(request, access, self.get(keys[self.key]))

        return new, change, delete
