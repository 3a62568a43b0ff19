"""One's own account: password, two factors, and the browsers that are signed in."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import segno
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters

from secretary.panel import signing_in
from secretary.panel.access import SECOND_FACTOR, signed_in
from secretary.panel.browsers import browser_name
from secretary.panel.forms.account import ChangePassword, Confirm
from secretary.panel.pages import show_outside
from tenants.people import accounts, second_factor, throttle, totp

ISSUER = "Voice Secretary"


@signed_in()
def overview(request: HttpRequest) -> HttpResponse:
    """All of it at a glance."""
    key = request.session.session_key
    rows = [
        (row, browser_name(row.agent), accounts.is_this(row, key)) for row in accounts.sessions(request.user.pk or 0)
    ]
    is_on = second_factor.is_on(request.user.pk or 0)
    return show_outside(
        request,
        "panel/account/overview.html",
        section="account",
        sessions=rows,
        others=len([row for row in rows if not row[2]]),
        second_factor=is_on,
        codes_left=second_factor.codes_left(request.user.pk or 0) if is_on else 0,
    )


@signed_in("GET", "HEAD", "POST")
@sensitive_post_parameters()
def password(request: HttpRequest) -> HttpResponse:
    """Choose a new password; every other browser is signed out."""
    form = ChangePassword(request.POST or None, user=request.user)
    wait = _slow_down(request)
    if request.method == "POST" and not wait and form.is_valid():
        throttle.forgive(_subjects(request))
        accounts.set_password(
            request.user, form.cleaned_data["password"], how="changed", keep_session=request.session.session_key
        )
        update_session_auth_hash(request, request.user)  # type: ignore[arg-type]
        messages.success(request, _("Your password is new. Every other browser was signed out."))
        return redirect("panel:account")
    return _page(request, "panel/account/form.html", wait, form=form, title=_("Change your password"))


@signed_in("GET", "HEAD", "POST")
@sensitive_post_parameters()
def two_factors(request: HttpRequest) -> HttpResponse:
    """Switch two-factor sign-in on: scan, type a first code, keep the recovery codes."""
    user: Any = request.user
    if second_factor.is_on(user.pk):
        return redirect("panel:account")
    secret = second_factor.begin(user.pk)
    form = Confirm(request.POST or None, user=user)
    wait = _slow_down(request)
    if request.method == "POST" and not wait and form.is_valid():
        codes = second_factor.confirm(user, form.cleaned_data["code"])
        if codes is not None:
            throttle.forgive(_subjects(request))
            request.session[SECOND_FACTOR] = True
            accounts.end_sessions(user, but=request.session.session_key)
            return show_outside(request, "panel/account/codes.html", section="account", codes=codes)
        form.add_error("code", _("This code does not fit. Is the telephone's clock right? Try the next one."))
    return _page(
        request,
        "panel/account/two_factors.html",
        wait,
        form=form,
        secret=" ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
        picture=qr(totp.uri(secret, account=user.get_username(), issuer=ISSUER)),
    )


@signed_in("GET", "HEAD", "POST")
@sensitive_post_parameters()
def two_factors_off(request: HttpRequest) -> HttpResponse:
    """Switch it off, with password and code."""
    return _confirmed(request, title=_("Switch two-factor sign-in off"), button=_("Switch off"), renew=False)


@signed_in("GET", "HEAD", "POST")
@sensitive_post_parameters()
def new_codes(request: HttpRequest) -> HttpResponse:
    """Fresh recovery codes, with password and code."""
    return _confirmed(request, title=_("New recovery codes"), button=_("Make new codes"), renew=True)


def _confirmed(request: HttpRequest, *, title: str, button: str, renew: bool) -> HttpResponse:
    user: Any = request.user
    if not second_factor.is_on(user.pk):
        return redirect("panel:account")
    form = Confirm(request.POST or None, user=user)
    wait = _slow_down(request)
    if request.method == "POST" and not wait and form.is_valid():
        if second_factor.check(user, form.cleaned_data["code"]):
            throttle.forgive(_subjects(request))
            if renew:
                codes = second_factor.renew_codes(user)
                return show_outside(request, "panel/account/codes.html", section="account", codes=codes)
            second_factor.switch_off(user)
            request.session[SECOND_FACTOR] = False
            messages.success(request, _("Two-factor sign-in is off."))
            return redirect("panel:account")
        form.add_error("code", _("This code is wrong, or has been used. Wait for the next one."))
    return _page(request, "panel/account/form.html", wait, form=form, title=title, button=button)


@signed_in("POST")
def end_session(request: HttpRequest, session_uuid: UUID) -> HttpResponse:
    """Sign one of one's own browsers out."""
    if not accounts.end_session(user=request.user, session_uuid=session_uuid):
        raise Http404
    messages.success(request, _("That browser is signed out."))
    return redirect("panel:account")


@signed_in("POST")
def end_others(request: HttpRequest) -> HttpResponse:
    """Sign out everywhere but here."""
    accounts.end_sessions(request.user, but=request.session.session_key)
    messages.success(request, _("Every other browser is signed out."))
    return redirect("panel:account")


def qr(text: str) -> SafeString:
    """A QR code as inline SVG: it is never a file that a cache could keep."""
    drawn = segno.make(text, error="m").svg_inline(border=3, dark="#000", light="#fff", omitsize=True, svgclass="qr")
    return mark_safe(drawn)  # noqa: S308 - segno's own drawing; the text is in it as squares only


def _subjects(request: HttpRequest) -> list[throttle.Subject]:
    # The same count as at sign-in: who has taken over a session must not guess here what is guarded there.
    return [(throttle.SECOND_FACTOR, str(request.user.pk))]


def _slow_down(request: HttpRequest) -> int:
    return throttle.attempt(_subjects(request)) if request.method == "POST" else 0


def _page(request: HttpRequest, template: str, wait: int, **context: Any) -> HttpResponse:
    status = 429 if wait else 422 if request.method == "POST" else 200
    words = signing_in.wait_message(wait) if wait else ""
    response = show_outside(request, template, section="account", status=status, wait=words, **context)
    if wait:
        response.headers["Retry-After"] = str(wait)
    return response
