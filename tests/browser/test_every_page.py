"""What holds for every page: accessible, still, light, no wider than the screen, executing nothing."""

from collections.abc import Callable
from io import BytesIO
from itertools import product

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from PIL import Image
from playwright.sync_api import Page, Route, expect

from agents.models import Profile
from posts.models import Post
from tests.browser import hostile
from tests.browser.conftest import Visit, until
from tests.concurrency import wait_until
from tests.factories import make_post

type MakeVisit = Callable[..., Visit]

WIDTHS, SCHEMES = (1440, 768, 320), ("light", "dark")
ROOMS = ("reader", "inbox", "studio", "knowledge", "publishing")
# Shifts that nobody caused by doing something, since the page began; and the bytes of all but pictures.
MEASURE = """() => ({
  shift: window.shifts.reduce((sum, each) => sum + each, 0),
  bytes: [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
    .filter(entry => !entry.name.endsWith(".svg")).reduce((sum, entry) => sum + entry.decodedBodySize, 0),
})"""
WATCH = """window.shifts = []; new PerformanceObserver(list => window.shifts.push(
  ...list.getEntries().filter(entry => !entry.hadRecentInput).map(entry => entry.value)
)).observe({ type: "layout-shift", buffered: true });"""
ASK_AXE = """asked => axe.run({ resultTypes: ["violations"], ...asked }).then(({ violations }) => violations
  .filter(each => ["serious", "critical"].includes(each.impact))
  .map(each => `${each.id}: ${each.nodes.slice(0, 3).map(node => node.target).join(" | ")}`))"""
# Light and dark differ in colours alone, and only these rules look at them.
ASKED = {"light": {}, "dark": {"runOnly": ["color-contrast", "link-in-text-block"]}}
MOST_BYTES, MOST_SHIFT = 100_000, 0.01
# What is as long as somebody wrote it.
HEAVY = ("/posts/",)


@pytest.fixture
def rooms(alice: Profile, transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    return hostile.fill(alice, monkeypatch)


def test_nothing_that_somebody_wrote_is_executed(alice: Profile, rooms: dict[str, list[str]], visit: MakeVisit) -> None:
    browser = visit()
    page = browser.enter(alice)
    for path in (path for paths in rooms.values() for path in paths):
        browser.go(path)
        for link in page.locator("main a[href]").evaluate_all("links => links.map(link => link.href)"):
            assert link.startswith(("http://", "https://", "mailto:")), (path, link)
        written = "main script, main [onerror], main [onload], main [onclick], main [style], main svg:not(.chart)"
        assert page.locator(written).count() == 0, path
    page.wait_for_load_state("networkidle")
    assert browser.dialogs == []
    assert [text for text in browser.complaints if "404" not in text and "400" not in text] == []


@pytest.mark.parametrize("room", [*ROOMS, "strangers"])
def test_pages_are_accessible_still_light_and_no_wider_than_the_screen(
    room: str, alice: Profile, rooms: dict[str, list[str]], visit: MakeVisit
) -> None:
    browser = visit(viewport={"width": WIDTHS[0], "height": 800}, reduced_motion="reduce")
    browser.context.add_init_script(WATCH)
    if room != "strangers":
        browser.enter(alice)
    findings: list[str] = []
    for path in rooms.get(room, hostile.STRANGERS):
        page = browser.go(path)
        findings += burdens(page, path) + violations(page, path)
    if room == "publishing":
        # The dialog, too, and what stands in a form that was refused.
        page = browser.go(rooms[room][0])
        page.get_by_role("link", name="Schedule", exact=True).click()
        page.get_by_role("dialog").get_by_role("button", name="Schedule").click()
        page.get_by_role("dialog").get_by_role("alert").first.wait_for()
        findings += violations(page, "the dialog")
    assert findings == []


def test_a_picture_that_comes_late_moves_nothing(alice: Profile, visit: MakeVisit) -> None:
    post = make_post(title="A horizon")
    make_post(author=post.author, title="Below it")
    Post.objects.update(image="posts/late.png", image_alt="A horizon")
    picture = BytesIO()
    Image.new("RGB", (400, 300)).save(picture, "PNG")
    browser = visit(viewport={"width": 768, "height": 1000})
    browser.context.add_init_script(WATCH)
    held: list[Route] = []
    page = browser.page
    page.route("**/late.png", lambda route: held.append(route))
    for path in ("/explore", f"/posts/{post.pk}"):
        page.goto(browser.server.url + path, wait_until="domcontentloaded")
        until(page, "document.images.length && document.fonts.status === 'loaded'")
        wait_until(lambda: (page.wait_for_timeout(50), held)[1])
        while held:
            held.pop().fulfill(body=picture.getvalue(), content_type="image/png")
        until(page, "[...document.querySelectorAll('.picture')].every(each => each.naturalWidth)")
        page.wait_for_timeout(200)
        assert page.evaluate(MEASURE)["shift"] <= MOST_SHIFT, path


def burdens(page: Page, where: str) -> list[str]:
    """Return what of a page moved by itself, and what makes it heavy."""
    measured = page.evaluate(MEASURE)
    found = [f"{where}: {measured['shift']:.3f} of it moved"] if measured["shift"] > MOST_SHIFT else []
    is_heavy = measured["bytes"] > MOST_BYTES and not where.startswith(HEAVY)
    return [*found, f"{where}: {measured['bytes']} bytes"] if is_heavy else found


def violations(page: Page, where: str) -> list[str]:
    """Return the serious findings of axe-core about a page, and whether it is too wide: six times, loaded once."""
    page.evaluate(AXE_SCRIPT)
    # What looks for news by itself fades for as long as it asks.
    page.evaluate("document.body.addEventListener('htmx:beforeRequest', event => event.preventDefault())")
    expect(page.locator(".htmx-request")).to_have_count(0)
    found = []
    for width, scheme in product(WIDTHS, SCHEMES):
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme)
        found += [f"{where}, {width} {scheme}: {each}" for each in page.evaluate(ASK_AXE, ASKED[scheme])]
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append(f"{where}, {width}: wider than the screen")
    page.set_viewport_size({"width": WIDTHS[0], "height": 800})
    return found
