"""The panel in a real Chromium: what a person does, with no complaint in the console."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import ConsoleMessage, Page, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from secretary.models import Destination, Secretary
from tenants.context import tenant_context
from tests.secretary.panel.cast import PASSWORD, Cast
from tests.secretary.panel.test_markup import PAGES

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
# Without those about background work it looks up its maker's hosts at every start.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
)
WAIT_MS = 10_000

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (Debian: apt-get install chromium)"),
    pytest.mark.django_db(transaction=True),
]


@dataclass
class Desk:
    """A browser's page, and all that went wrong in it."""

    page: Page
    address: str
    complaints: list[str] = field(default_factory=list)

    def hear(self, line: ConsoleMessage) -> None:
        if line.type == "error":
            self.complaints.append(line.text)

    def go(self, path: str) -> None:
        self.page.goto(self.address + path)

    def sign_in(self, user: str) -> None:
        self.go("/")
        self.page.get_by_label("User name").fill(user)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()


@contextmanager
def browser(server: LiveServer, *, width: int = 1280, dark: bool = False, scripts: bool = True) -> Iterator[Desk]:
    """A fresh browser. The database may be used before and after, not inside: Playwright's loop runs meanwhile."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        try:
            context = chromium.new_context(
                viewport={"width": width, "height": 844},
                color_scheme="dark" if dark else "light",
                java_script_enabled=scripts,
                locale="en",
            )
            context.set_default_timeout(WAIT_MS)
            desk = Desk(context.new_page(), server.url)
            desk.page.on("pageerror", lambda error: desk.complaints.append(str(error)))
            desk.page.on("console", desk.hear)
            yield desk
            context.close()
        finally:
            chromium.close()


def heard(page: Page, *, beyond_s: float) -> None:
    """Wait until the recording has played past a moment. (`wait_for_function` would want `unsafe-eval`.)"""
    deadline = time.monotonic() + WAIT_MS / 1000
    while page.evaluate("document.querySelector('audio').currentTime") < beyond_s:
        assert time.monotonic() < deadline, "the recording does not play"
        page.wait_for_timeout(20)


def house(cast: Cast) -> str:
    return f"/d/{cast.acme.domain.pk}/"


def test_a_morning(live_server: LiveServer, cast: Cast) -> None:
    """Sign in, rename the secretary, read a call, play its recording from the transcript, sign out."""
    with browser(live_server) as desk:
        page = desk.page
        desk.sign_in("alice")
        expect(page.get_by_role("heading", name="Latest calls")).to_be_visible()

        page.get_by_role("link", name="Secretaries").click()
        page.get_by_role("link", name="acme secretary", exact=True).click()
        page.get_by_label("Name").fill("Sofia")
        page.locator("#id_greeting").fill("Good morning, this is Sofia.")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("status")).to_contain_text("Saved.")
        expect(page.get_by_role("link", name="Sofia", exact=True)).to_be_visible()

        # What stands beside a row's own link, which covers the row, can be pressed.
        page.get_by_role("link", name="Test call Sofia").click()
        expect(page.get_by_role("heading", name="Test call")).to_be_visible()

        page.get_by_role("link", name="Calls", exact=True).click()
        page.get_by_role("link", name="acme caller").click()
        expect(page.get_by_text("interrupted by the caller at 0:00")).to_be_visible()
        expect(page.locator(".player .clock")).to_contain_text("0:02")
        page.get_by_role("button", name="Play", exact=True).click()
        heard(page, beyond_s=0.2)
        expect(page.get_by_role("button", name="Pause")).to_be_visible()
        page.get_by_role("button", name="Pause").click()
        page.locator("[data-seek='800']").click()
        heard(page, beyond_s=0.8)

        page.locator(".me summary").click()
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        page.go_back()
        page.reload()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        assert desk.complaints == []
    with tenant_context(cast.acme.domain.pk):
        assert Secretary.objects.get().greeting == "Good morning, this is Sofia."


def test_names_as_tags(live_server: LiveServer, cast: Cast) -> None:
    """Names become tags as one types; a refused form keeps them; removing one and saving stores the rest."""
    with browser(live_server) as desk:
        page = desk.page
        desk.sign_in("alice")
        desk.go(house(cast) + "destinations/new/")
        page.get_by_label("Name", exact=True).fill("Support")
        names = page.locator("input#id_aliases")
        names.fill("help desk")
        names.press("Enter")
        names.type("acme orders, repairs")
        page.get_by_label("Number").fill("600")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("“acme orders” leads to “acme sales” already.")).to_be_visible()
        expect(page.locator(".tagbox .tag")).to_have_count(3)
        page.get_by_role("button", name="Remove acme orders").click()
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("status")).to_contain_text("Callers can ask for it")
        assert [line for line in desk.complaints if "422" not in line] == []
    with tenant_context(cast.acme.domain.pk):
        assert Destination.objects.get(name="Support").aliases == ["help desk", "repairs"]


def test_on_a_phone(live_server: LiveServer, cast: Cast) -> None:
    """At 360 pixels no page is wider than the screen, and each says in the navigation where it belongs."""
    # A page that makes something is the one that changes it; those that ask before they delete are all alike.
    alike = ("-new", "-delete", "-remove", "-secret", "-export", "-erase")
    addresses = [route.address(cast.acme) for route in PAGES if not route.name.endswith(alike)]
    with browser(live_server, width=360) as desk:
        page = desk.page
        desk.sign_in("alice")
        for address in addresses:
            desk.go(address)
            assert page.evaluate("document.documentElement.scrollWidth") <= 360, address
            expect(page.locator(".nav [aria-current]:visible")).to_be_in_viewport()
        expect(page.get_by_role("link", name="Tools", exact=True)).to_be_hidden()
        more = page.get_by_role("button", name="More")
        more.press("Enter")
        expect(page.get_by_role("link", name="Tools", exact=True)).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("link", name="Tools", exact=True)).to_be_hidden()
        expect(more).to_be_focused()
        more.click()
        page.get_by_role("link", name="Tools", exact=True).click()
        expect(page.get_by_role("heading", name="Tools", exact=True)).to_be_visible()
        assert desk.complaints == []


def test_by_keyboard(live_server: LiveServer, cast: Cast) -> None:
    """The first key leads past the navigation; the menu opens and closes without a mouse; focus can be seen."""
    with browser(live_server) as desk:
        page = desk.page
        desk.sign_in("alice")
        desk.go(house(cast) + "calls/")
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        expect(page.get_by_role("link", name="Skip to the content")).to_be_in_viewport()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        expect(page.get_by_role("searchbox")).to_be_focused()
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        page.locator(".me summary").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Sign out")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("button", name="Sign out")).to_be_hidden()


def test_without_scripts(live_server: LiveServer, cast: Cast) -> None:
    """Everything works without JavaScript: names one a line, the browser's own player, the search button."""
    with browser(live_server, scripts=False) as desk:
        page = desk.page
        desk.sign_in("alice")
        desk.go(house(cast) + "destinations/new/")
        page.get_by_label("Name", exact=True).fill("Support")
        page.get_by_label("Also asked for as").fill("help desk\nrepairs")
        page.get_by_label("Number").fill("600")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("link", name="Support")).to_be_visible()
        desk.go(house(cast) + f"calls/{cast.acme.objects['call_uuid']}/")
        assert page.locator("audio[controls]").count() == 1
        desk.go(house(cast) + "calls/")
        page.get_by_role("combobox").select_option("failed")
        page.get_by_role("button", name="Search").click()
        expect(page.get_by_text("No call fits")).to_be_visible()


CONTRAST = """() => {
  const value = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((c) => ((c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const ground = (element) => {
    for (; element; element = element.parentElement) {
      const colour = value(getComputedStyle(element).backgroundColor);
      if (colour.length < 4 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const poor = [];
  for (const element of document.querySelectorAll("main *, header *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || !element.checkVisibility() || element.closest(".visually-hidden, fieldset[disabled]")) continue;
    const style = getComputedStyle(element);
    const [a, b] = [light(value(style.color)), light(ground(element))].sort((p, q) => q - p);
    const ratio = (a + 0.05) / (b + 0.05);
    const words = element.textContent.trim().slice(0, 30);
    if (ratio < 4.5) poor.push(`${element.className || element.tagName} "${words}" ${ratio.toFixed(2)}`);
  }
  return poor;
}"""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_contrast(dark: bool, live_server: LiveServer, cast: Cast) -> None:
    """Text stands out from its ground by 4.5:1 (WCAG 2.2, 1.4.3), in both colour schemes."""
    with browser(live_server, dark=dark) as desk:
        desk.go("/")
        assert desk.page.evaluate(CONTRAST) == []
        desk.sign_in("alice")
        for path in (
            "",
            "calls/",
            f"calls/{cast.acme.objects['call_uuid']}/",
            "messages/",
            "destinations/",
            "destinations/new/",
        ):
            desk.go(house(cast) + path)
            assert desk.page.evaluate(CONTRAST) == [], path


def test_two_tabs(live_server: LiveServer, cast: Cast) -> None:
    """Two people change the same secretary: the second is told, sees both versions, and decides."""
    with browser(live_server) as desk:
        page = desk.page
        desk.sign_in("alice")
        address = house(cast) + f"secretaries/{cast.acme.objects['secretary_uuid']}/"
        desk.go(address)
        other = page.context.new_page()
        other.goto(desk.address + address)
        other.locator("#id_greeting").fill("Theirs")
        other.get_by_role("button", name="Save").click()
        expect(other.get_by_role("status")).to_contain_text("Saved.")
        page.locator("#id_greeting").fill("Mine")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("alert")).to_contain_text("Theirs")
        expect(page.locator("#id_greeting")).to_have_value("Mine")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("status")).to_contain_text("Saved.")
    with tenant_context(cast.acme.domain.pk):
        assert Secretary.objects.get().greeting == "Mine"
