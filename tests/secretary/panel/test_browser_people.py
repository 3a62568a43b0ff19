"""People in a real Chromium: invited, password set, two factors set up, signed in again."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from tenants.people import totp
from tests.secretary.panel.cast import Cast
from tests.secretary.panel.test_browser import CHROMIUM, CONTRAST, browser, house

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (Debian: apt-get install chromium)"),
    pytest.mark.django_db(transaction=True),
]
NEW = "quite a long password"


def code(secret: str, steps: int) -> str:
    return totp.code_at(secret, int(time.time() // totp.STEP_S) + steps)


def test_from_invitation_to_second_step(live_server: LiveServer, cast: Cast) -> None:
    """Alice invites Nora; Nora sets a password and two factors, signs out, and comes in again with both."""
    with browser(live_server) as desk:
        desk.sign_in("alice")
        desk.page.get_by_role("link", name="People").click()
        desk.page.get_by_role("link", name="Invite somebody").click()
        desk.page.get_by_label("E-mail").fill("nora@acme.example")
        desk.page.get_by_label("Role").select_option("admin")
        desk.page.get_by_role("button", name="Save").click()
        link = desk.page.get_by_label("Link").input_value()
        assert not desk.complaints
    with browser(live_server, width=390) as desk:
        page = desk.page
        page.goto(link)
        assert link.split("/")[-2] not in page.url
        page.get_by_label("First name").fill("Nora")
        page.get_by_label("New password").fill(NEW)
        page.get_by_role("button", name="Start").click()
        expect(page.get_by_role("status")).to_contain_text("Welcome")

        desk.go("/account/")
        page.get_by_role("link", name="Set up").click()
        expect(page.locator("svg.qr")).to_be_visible()
        secret = page.locator("[data-secret]").inner_text().replace(" ", "")
        page.get_by_label("Code").fill(code(secret, -1))
        page.get_by_label("Your password").fill(NEW)
        page.get_by_role("button", name="Switch on").click()
        assert page.locator(".codes code").count() == 10
        page.get_by_role("link", name="I have kept them").click()

        page.locator("summary").click()
        page.get_by_role("button", name="Sign out").click()
        page.get_by_label("User name").fill("nora@acme.example")
        page.get_by_label("Password", exact=True).fill(NEW)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", name="Second step")).to_be_visible()
        page.get_by_label("Code").fill(code(secret, 0))
        page.get_by_label("Code").press("Enter")
        page.wait_for_url("**/d/*/")
        assert not desk.complaints


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_contrast_and_width(dark: bool, live_server: LiveServer, cast: Cast) -> None:
    """Text stands out from its ground in both colour schemes, and on a telephone nothing is wider than the screen."""
    member = cast.acme.objects["member_uuid"]
    inside = ("people/", "people/invite/", f"people/{member}/", f"people/{member}/remove/", "record/")
    outside = ("/account/", "/account/password/", "/account/second-factor/", "/domains/")
    platform = ("/platform/accounts/", "/platform/operators/", "/platform/operators/invite/", "/platform/record/")
    person = f"/platform/accounts/{cast.people['viewer'].pk}/"
    with browser(live_server, width=390, dark=dark) as desk:
        for path in ("/password/forgotten/", "/invitation/nothing/"):
            desk.go(path)
            assert desk.page.evaluate(CONTRAST) == [], path
        desk.complaints.clear()  # the 404 of an invitation that is none
        desk.sign_in("olga")
        desk.page.wait_for_url("**/domains/")
        for path in (*(house(cast) + path for path in inside), *outside, *platform, person):
            desk.go(path)
            assert desk.page.evaluate(CONTRAST) == [], path
            wide = desk.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
            assert not wide, path
        assert not desk.complaints


def test_keyboard(live_server: LiveServer, cast: Cast) -> None:
    """A member's role is changed without a mouse."""
    with browser(live_server) as desk:
        desk.sign_in("alice")
        desk.go(house(cast) + f"people/{cast.acme.objects['member_uuid']}/")
        desk.page.get_by_label("Role").focus()
        desk.page.keyboard.press("R")
        desk.page.keyboard.press("Enter")
        desk.page.get_by_role("button", name="Save").focus()
        desk.page.keyboard.press("Enter")
        expect(desk.page.get_by_role("status")).to_contain_text("Saved.")
        expect(desk.page.get_by_role("row", name="gus")).to_contain_text("Read only")
