"""What holds for every page of publishing: accessible, light, no wider than the screen, executing nothing."""

from collections.abc import Callable

import pytest

from agents.knowledge import poking
from agents.knowledge.models import Source
from agents.knowledge.services.contents import save_content
from agents.knowledge.services.sources import request_source
from agents.models import Agent, Profile
from posts.publishing.models import Publication
from posts.publishing.services.policies import change_account
from posts.publishing.states import Status
from tests.browser.conftest import Visit
from tests.browser.test_every_page import LONG, MARKDOWN, RIGHT_TO_LEFT, SCRIPT, check, on_every_screen
from tests.feed.pages.studio.calendar.conftest import may
from tests.posts.publishing.test_report import publish
from tests.publishing import make_account, make_publication

type MakeVisit = Callable[..., Visit]


@pytest.fixture
def pages(alice: Profile, wren: Agent, transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The pages of publishing, every text on them written by somebody with bad intentions."""
    monkeypatch.setattr(poking, "_send", lambda task, args: None)
    account = make_account(owner=alice, handle=SCRIPT, network="facebook", limits={})
    change_account(account=account, slots=["mon 09:00"])
    rows = [make_publication(account=account, text=text, scheduled_at=may(12)) for text in (RIGHT_TO_LEFT, MARKDOWN)]
    rows += [make_publication(account=account, text=LONG[:5000], scheduled_at=may(13)) for _ in range(6)]
    rows[2].author = wren.profile
    rows[2].save(update_fields=["author"])
    states = [
        {"status": Status.FAILED},
        {"status": Status.UNKNOWN, "due_at": None},
        {"status": Status.PENDING_APPROVAL},
    ]
    for row, state in zip(rows[3:], states, strict=False):
        Publication.objects.filter(pk=row.pk).update(error_class="refused", error_detail=SCRIPT, **state)
    publish(account, may(12).replace(year=may(12).year - 1), likes=5, text=SCRIPT)
    done = publish(account, may(12).replace(year=may(12).year - 1), likes=5, text=LONG[:300])
    Publication.objects.filter(pk=done.pk).update(remote_url="javascript:alert(1)")
    calendar = f"/studio/calendar/?day={may(12).date()}"
    paths = [calendar, f"{calendar}&view=week", f"{calendar}&view=day", "/studio/calendar/new"]
    paths += [f"/studio/calendar/{row.pk}" for row in (*rows[:6], done)]
    last_year = may(12).date().replace(year=may(12).year - 1)
    figures = f"/studio/analytics/?start={last_year}&end={last_year}"
    source = request_source(profile=alice, agent=wren, kind="text", text=MARKDOWN, title=SCRIPT)
    Source.objects.filter(pk=source.pk).update(status="failed", problem=SCRIPT)
    content, _ = save_content(platform="text", title=SCRIPT, text=MARKDOWN, agent=wren)
    knowledge = "/studio/@wren/knowledge"
    paths += [knowledge, f"{knowledge}/texts", f"{knowledge}/texts/{content.pk}"]
    return [*paths, "/studio/calendar/import", "/studio/calendar/accounts", figures, "/studio/"]


def test_nothing_that_somebody_wrote_is_executed(alice: Profile, pages: list[str], visit: MakeVisit) -> None:
    browser = visit()
    page = browser.log_in(alice)
    for path in pages:
        browser.go(path)
        for link in page.locator("main a[href]").evaluate_all("links => links.map(link => link.href)"):
            assert link.startswith(("http://", "https://")), (path, link)
        written = "main script, main [onerror], main [onload], main [onclick], main [style], main svg:not(.chart)"
        assert page.locator(written).count() == 0, path
    page.wait_for_load_state("networkidle")
    assert browser.dialogs == [] and browser.complaints == []


@pytest.mark.parametrize("half", [0, 1])
def test_pages_are_accessible_and_no_wider_than_the_screen(
    half: int, alice: Profile, pages: list[str], visit: MakeVisit
) -> None:
    browser = visit(reduced_motion="reduce")
    page = browser.log_in(alice)
    findings = [finding for path in pages[half::2] for finding in check(browser, path)]
    if half == 0:
        # The dialogs, too, and what stands in a form that was refused.
        browser.go(pages[0])
        page.get_by_role("link", name="Schedule", exact=True).click()
        page.get_by_role("dialog").get_by_role("button", name="Schedule").click()
        page.get_by_role("dialog").get_by_role("alert").first.wait_for()
        findings += on_every_screen(page, "the dialog")
    assert findings == []


def test_a_full_month_weighs_at_most_100_kilobytes(alice: Profile, visit: MakeVisit) -> None:
    account = make_account(owner=alice)
    for number in range(60):
        text = f"{number}: two herons stood in the reeds this morning and said nothing to each other."
        make_publication(account=account, text=text, scheduled_at=may(1 + number // 2, number % 20))
    browser = visit()
    browser.log_in(alice)
    sizes: dict[str, int] = {}
    browser.page.on("response", lambda answer: sizes.setdefault(answer.url, len(answer.body())))
    browser.go(f"/studio/calendar/?day={may(1).date()}").wait_for_load_state("networkidle")
    assert browser.page.locator(".entry").count() == 60
    assert sum(size for url, size in sizes.items() if not url.endswith(".svg")) <= 100_000, sizes
