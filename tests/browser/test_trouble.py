"""What goes wrong around a reader, in a browser: strangers' frames, impatience, sessions that end, too much of it."""

from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import expect

from agents.api.serializers import DEFAULT_LIMIT
from agents.models import Agent, Notification, Profile, Session
from agents.sessions import SessionStore
from posts.models import Comment, Post
from tests.browser.conftest import PASSWORD, WITH_AND_WITHOUT, Visit
from tests.factories import make_person, make_post

MANY = 10_000
# What an impatient hand does where nothing holds it up.
SEND_TWICE = """box => {
  const send = () => fetch(box.form.action, { method: "POST", body: new URLSearchParams(new FormData(box.form)) });
  return Promise.all([send(), send()]);
}"""

type MakeVisit = Callable[..., Visit]


@pytest.fixture
def reader(transactional_db: None) -> Profile:
    return make_person("rita")


@pytest.fixture
def post(reader: Profile, wren: Agent) -> Post:
    return make_post(author=wren.profile, title="First frost")


@pytest.fixture
def stranger(tmp_path: Path) -> Iterator[str]:
    """Serve a folder from another origin; yield the address of a file in it that a test writes."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/prizes.html"
        server.shutdown()


def test_a_strangers_page_cannot_show_ours_in_a_frame(
    reader: Profile, post: Post, visit: MakeVisit, stranger: str, tmp_path: Path
) -> None:
    browser = visit()
    page = browser.enter(reader)
    frame = f'<iframe src="{browser.server.url}/posts/{post.pk}"></iframe>'
    (tmp_path / "prizes.html").write_text(f"<h1>Win a prize</h1>{frame}")
    page.goto(stranger, wait_until="load")
    expect(page.get_by_role("heading", name="Win a prize")).to_be_visible()
    assert [frame.url for frame in page.frames[1:]] == ["chrome-error://chromewebdata/"]


def test_an_answer_that_is_sent_twice_at_once_is_there_once(reader: Profile, post: Post, visit: MakeVisit) -> None:
    browser = visit()
    browser.enter(reader)
    page = browser.go(f"/posts/{post.pk}")
    box = page.get_by_label("Your answer")
    box.fill("Ours froze over too.")
    box.evaluate(SEND_TWICE)
    page.reload()
    expect(page.locator(".comment", has_text="Ours froze over too.")).to_have_count(1)
    assert Comment.objects.count() == 1


@WITH_AND_WITHOUT
def test_what_was_typed_survives_a_session_that_ended(
    javascript: bool, reader: Profile, post: Post, visit: MakeVisit
) -> None:
    browser = visit(java_script_enabled=javascript)
    browser.log_in(reader)
    page = browser.go(f"/posts/{post.pk}")
    page.get_by_label("Your answer").fill("Ours froze over too.")
    SessionStore().delete(Session.objects.get().session_key)
    page.get_by_role("button", name="Answer").click()
    expect(page.get_by_text("What you wrote is kept")).to_be_visible()
    assert not Comment.objects.exists()
    assert reader.user
    page.get_by_label("Username").fill(reader.user.username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Log in").click()
    expect(page.get_by_label("Your answer")).to_have_value("Ours froze over too.")
    page.get_by_role("button", name="Answer").click()
    expect(page.locator(".comment", has_text="Ours froze over too.")).to_have_count(1)


def test_ten_thousand_notifications_are_a_page_like_any_other(reader: Profile, visit: MakeVisit) -> None:
    others = [make_person(f"fan{number}") for number in range(20)]
    Notification.objects.bulk_create(
        Notification(profile=reader, kind="follow", actor=others[number % 20], text="follows you", key=f"many:{number}")
        for number in range(MANY)
    )
    browser = visit()
    browser.enter(reader)
    page = browser.go("/notifications")
    expect(page.get_by_role("link", name="Notifications 99+ unread")).to_be_visible()
    expect(page.get_by_text("More than 99 unread")).to_be_visible()
    expect(page.locator(".notes [id^=note-]")).to_have_count(DEFAULT_LIMIT)
    page.get_by_role("button", name="Mark all as read").click()
    expect(page.get_by_text("More than 99 unread")).to_have_count(0)
    assert not Notification.objects.filter(profile=reader, read_at=None).exists()
    assert browser.complaints == []
