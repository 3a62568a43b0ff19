"""Invitations as the invited person meets them, and forgotten passwords: pages for people who are not signed in."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.views import PasswordResetConfirmView
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse, reverse_lazy
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from secretary.panel import mail, signing_in
from secretary.panel.access import ROLES
from secretary.panel.forms.account import Forgotten, NewPassword, Register
from secretary.panel.tasks import mail_reset
from tenants.origin import acting, current_origin, user_actor
from tenants.people import accounts, invitations, throttle

INVITATION = "invitation"
"""Session key: the token of the invitation that is being looked at, so that it need not stay in the address."""


@never_cache
def open_invitation(request: HttpRequest, token: str) -> HttpResponse:
    """The link out of the letter: the token moves into the session, and out of the address and its history."""
    request.session[INVITATION] = token[:200]
    return redirect("invitation")


@never_cache
@sensitive_post_parameters()
def invitation(request: HttpRequest) -> HttpResponse:
    """Accept: as who one is, or by making an account."""
    token = str(request.session.get(INVITATION, ""))
    wait = 0
    if request.method == "POST":
        wait = throttle.attempt([(throttle.INVITATION, throttle.network(current_origin().address))])
    if wait:
        return _alone(request, "wait", 429, wait=signing_in.wait_message(wait))
    try:
        offer = invitations.offer(token)
        if request.user.is_authenticated:
            return _as_oneself(request, token, offer)
        return _newcomer(request, token, offer)
    except invitations.InvitationRefused as refused:
        status = 403 if refused.reason == "other_address" else 404
        return _alone(request, refused.reason, status)


def _as_oneself(request: HttpRequest, token: str, offer: invitations.Offer) -> HttpResponse:
    if request.method != "POST":
        return _alone(request, "join", offer=offer)
    with acting(user_actor(request.user)):
        domain_uuid = invitations.accept(token, request.user)
    request.session.pop(INVITATION, None)
    messages.success(request, _("Welcome. You can start right away."))
    return redirect("panel:home", domain_uuid) if domain_uuid is not None else redirect("panel:start")


def _newcomer(request: HttpRequest, token: str, offer: invitations.Offer) -> HttpResponse:
    if offer.has_account:
        return _alone(request, "has_account", offer=offer, sign_in=f"{reverse('login')}?next={reverse('invitation')}")
    from django.contrib.auth import get_user_model

    person = get_user_model()(username=offer.email, email=offer.email)
    form = Register(request.POST or None, user=person)
    if request.method != "POST" or not form.is_valid():
        return _alone(request, "register", 422 if request.method == "POST" else 200, offer=offer, form=form)
    user, domain_uuid = invitations.register(token, **form.values)
    request.session.pop(INVITATION, None)
    signing_in.complete(request, user, second_factor=False)
    messages.success(request, _("Welcome. You can start right away."))
    return redirect("panel:home", domain_uuid) if domain_uuid is not None else redirect("panel:start")


def _alone(request: HttpRequest, case: str, status: int = 200, **context: Any) -> HttpResponse:
    offer = context.get("offer")
    role = ROLES.get(offer.role, offer.role) if offer is not None else ""
    return render(request, "panel/invitation.html", {"case": case, "role": role, **context}, status=status)


@never_cache
def forgotten(request: HttpRequest) -> HttpResponse:
    """Ask for a link to set a new password. The answer is the same for every name."""
    if request.method not in ("GET", "HEAD", "POST"):
        return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
    form, done, wait = Forgotten(request.POST or None), False, 0
    if request.method == "POST" and form.is_valid():
        name = str(form.cleaned_data["name"]).strip()
        wait = throttle.attempt([(throttle.RESET_ADDRESS, throttle.network(current_origin().address))])
        if not wait:
            done = True
            # Too many for one name are dropped without a word: no mailbox is flooded, nothing is told.
            if mail.is_configured() and not throttle.attempt([(throttle.RESET_ACCOUNT, name.casefold())]):
                mail_reset.delay(name, request.build_absolute_uri("/"), translation.get_language() or "en")
    status = 429 if wait else 422 if request.method == "POST" and not done else 200
    context = {
        "form": form,
        "done": done,
        "wait": signing_in.wait_message(wait) if wait else "",
        "no_mail": not mail.is_configured(),
    }
    return render(request, "panel/forgotten.html", context, status=status)


class Reset(PasswordResetConfirmView):
    """Set a new password with the link out of the letter. All sessions end; the second factor stays."""

    template_name = "panel/reset.html"
    form_class = NewPassword  # type: ignore[assignment]
    success_url = reverse_lazy("login")

    def form_valid(self, form: Any) -> HttpResponse:
        self.request.session.pop("_password_reset_token", None)
        with acting(user_actor(self.user)):
            accounts.set_password(self.user, form.cleaned_data["password"], how="reset")
        messages.success(self.request, _("Your password is new. Sign in with it."))
        return HttpResponseRedirect(str(self.get_success_url()))
