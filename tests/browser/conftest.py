"""Pages in a real Chromium; without one these tests skip."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from agents.models import Profile
from tests.concurrency import wait_until

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
FLAGS += ["--disable-component-update", "--disable-sync"]
# A page takes milliseconds; the machine that the tests run on may have other things to do.
PATIENCE_MS = 30_000
expect.set_options(timeout=PATIENCE_MS)
PASSWORD = "a long enough one"
WITH_AND_WITHOUT = pytest.mark.parametrize("javascript", [True, False])
HERE = Path(__file__).parent

# Playwright runs an event loop in this thread; the tests themselves are not asynchronous.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if CHROMIUM is None:
        skip = pytest.mark.skip(reason="No Chromium was found: install Debian's package or set CHROMIUM to its path.")
        for item in items:
            if HERE in item.path.parents:
                item.add_marker(skip)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


def until(page: Page, condition: str) -> None:
    """Wait for it from outside: what Playwright's own wait evaluates in the page, the page's policy refuses."""
    wait_until(lambda: page.evaluate(condition) or page.wait_for_timeout(50))


class Visit:
    """One browser of one person, which writes down what a page must never do."""

    def __init__(self, context: BrowserContext, server: LiveServer) -> None:
        self.server = server
        self.context = context
        self.dialogs: list[str] = []
        self.complaints: list[str] = []
        self.page: Page = context.new_page()
        self.page.on("dialog", lambda dialog: (self.dialogs.append(dialog.message), dialog.dismiss()))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda message: message.type == "error" and self.complaints.append(message.text))

    def go(self, path: str) -> Page:
        self.page.goto(self.server.url + path)
        return self.page

    def enter(self, person: Profile) -> Page:
        """Log somebody in without asking for a password."""
        client = Client()
        assert person.user
        client.force_login(person.user)
        name = settings.SESSION_COOKIE_NAME
        self.context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": self.server.url}])
        return self.page

    def log_in(self, person: Profile) -> Page:
        user = person.user
        assert user
        user.set_password(PASSWORD)
        user.save(update_fields=["password"])
        self.go("/log-in")
        self.page.get_by_label("Username").fill(user.username)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("main").get_by_role("button", name="Log in").click()
        self.page.wait_for_url(self.server.url + "/")
        return self.page


@pytest.fixture
def visit(transactional_db: None, live_server: LiveServer, chromium: Browser) -> Iterator[Callable[..., Visit]]:
    """Open a browser of one's own; keywords are those of a Playwright context."""
    contexts: list[BrowserContext] = []

    def make(**options: object) -> Visit:
        contexts.append(chromium.new_context(**options))  # type: ignore[arg-type]
        contexts[-1].set_default_timeout(PATIENCE_MS)
        return Visit(contexts[-1], live_server)

    yield make
    for context in contexts:
        context.close()
