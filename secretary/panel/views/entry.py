"""Before a domain is chosen: signing in, and which domain."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render, resolve_url
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from secretary.panel import signing_in
from secretary.panel.access import ROLES, signed_in
from secretary.panel.forms.account import Code
from secretary.panel.forms.sign_in import SignInForm
from secretary.panel.pages import SEVERAL_DOMAINS, show_outside
from tenants.origin import current_origin
from tenants.people import second_factor, throttle
from tenants.selectors import domain_page

LONGEST_SEARCH = 64


class SignIn(LoginView):
    """The way in: name and password. Somebody who is signed in already goes on to their domain."""

    template_name = "panel/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        name = request.POST.get("username", "")
        wait = throttle.attempt(throttle.sign_in_subjects(name, current_origin().address))
        if wait:
            # Nothing is checked now: neither the answer nor its time tells whether the password would have been right.
            return self.slow_down(wait)
        return super().post(request, *args, **kwargs)

    def slow_down(self, wait: int) -> HttpResponse:
        form = SignInForm(self.request, initial={"username": self.request.POST.get("username", "")[:150]})
        context = self.get_context_data(form=form, wait=signing_in.wait_message(wait))
        return self.render_to_response(context, status=429, headers={"Retry-After": str(wait)})

    def form_invalid(self, form: Any) -> HttpResponse:
        signing_in.failed(self.request.POST.get("username", ""))
        return super().form_invalid(form)

    def form_valid(self, form: Any) -> HttpResponse:
        user = form.get_user()
        throttle.forgive_sign_in(self.request.POST.get("username", ""), current_origin().address)
        if second_factor.is_on(user.pk):
            signing_in.begin_second_step(self.request, user, self.get_redirect_url())
            return redirect("second-step")
        signing_in.complete(self.request, user, second_factor=False)
        return HttpResponseRedirect(self.get_success_url())


@never_cache
@sensitive_post_parameters()
def second_step(request: HttpRequest) -> HttpResponse:
    """The code, after the password."""
    found = signing_in.halfway(request)
    if found is None:
        return redirect("login")
    user, after = found
    form, status, wait = Code(request.POST or None), 200, 0
    if request.method == "POST" and form.is_valid():
        subjects = [(throttle.SECOND_FACTOR, str(user.pk))]
        wait = throttle.attempt(subjects)
        if wait:
            status = 429
        elif second_factor.check(user, form.cleaned_data["code"]):
            throttle.forgive(subjects)
            signing_in.complete(request, user, second_factor=True)
            return HttpResponseRedirect(after or resolve_url("panel:start"))
        else:
            signing_in.failed(user.get_username())
            form.add_error("code", _("This code is wrong, or has been used. Wait for the next one."))
    if request.method == "POST" and not wait:
        status = 422
    message = signing_in.wait_message(wait) if wait else ""
    response = render(request, "panel/second_step.html", {"form": form, "wait": message}, status=status)
    if wait:
        response.headers["Retry-After"] = str(wait)
    return response


@signed_in()
def start(request: HttpRequest) -> HttpResponse:
    """The bare address: straight on for who belongs to one domain, else the choice."""
    page = domain_page(user_id=request.user.pk or 0, operator=_is_operator(request), size=2)
    request.session[SEVERAL_DOMAINS] = len(page.items) > 1
    if len(page.items) == 1:
        return redirect("panel:home", page.items[0].domain_uuid)
    return redirect("panel:domains")


@signed_in()
def domains(request: HttpRequest) -> HttpResponse:
    """The domains that a person may choose from; by a part of the name, a page at a time."""
    query = request.GET.get("q", "").replace("\0", "").strip()[:LONGEST_SEARCH]
    after = request.GET.get("after", "").replace("\0", "")[:253]
    page = domain_page(user_id=request.user.pk or 0, operator=_is_operator(request), search=query, after=after)
    if not query and not after:
        request.session[SEVERAL_DOMAINS] = len(page.items) > 1
    return show_outside(
        request,
        "panel/domains.html",
        section="domains",
        domains=[(place.domain_uuid, place.domain_name, ROLES.get(place.role, place.role)) for place in page.items],
        query=query,
        first=not after,
        more=urlencode({"q": query, "after": page.after} if query else {"after": page.after}) if page.after else "",
    )


def _is_operator(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_superuser", False))
