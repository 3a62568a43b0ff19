"""What secretaries may dial: the rules, a number tried out on them, and what was dialled or refused."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from eslbridge import dialling
from eslbridge.dialling import RULE_FIELDS, save_rules
from eslbridge.models import DialAttempt, DialRules
from secretary.panel.access import Access, Can, in_domain
from secretary.panel.dial_words import reason_of
from secretary.panel.editing import Link, edit_once
from secretary.panel.forms.dialling import DialRulesForm, TryForm, country_choices
from secretary.panel.pages import show

SECTION = "dialling"
SHOWN = 50
"""Dials on the page; the API has them all."""


def _row() -> DialRules:
    return DialRules.objects.first() or DialRules()


def _read(row: DialRules) -> Mapping[str, Any]:
    return {name: getattr(row, name) for name in RULE_FIELDS}


@in_domain(Can.SEE_SETUP)
def index(request: HttpRequest, access: Access) -> HttpResponse:
    """The rules in words, a number to try, and the last dials."""
    row = _row()
    known = dict(country_choices())
    rules = dialling.rules_of()
    decision = None
    form = TryForm(request.GET) if "number" in request.GET else TryForm(initial={"kind": "external"})
    if form.is_bound and form.is_valid():
        decision = dialling.weigh(domain_uuid=access.domain.pk, **form.values)
    return show(
        request,
        access,
        "panel/dialling/overview.html",
        section=SECTION,
        rules=row,
        country=known.get(rules.country, rules.country),
        countries=[known.get(code, code) for code in row.allowed_countries],
        form=form,
        decision=decision,
        why=reason_of(decision.reason) if decision is not None else "",
        dials=[(one, reason_of(one.reason)) for one in DialAttempt.objects.all()[:SHOWN]],
    )


@in_domain(Can.CONFIGURE, change=Can.CONFIGURE)
def rules(request: HttpRequest, access: Access) -> HttpResponse:
    """Change the rules."""
    return edit_once(
        request,
        access,
        section=SECTION,
        title=_("What may be dialled"),
        back=Link(reverse("panel:dialling", args=[access.domain.pk]), _("Dialling")),
        form_class=DialRulesForm,
        find=_row,
        read=_read,
        save=partial(save_rules, domain_uuid=access.domain.pk),
        done=_("Saved. The next dial goes by it."),
    )
