import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone
from pytest_django import Settings

from agents.knowledge.fetching import polite
from agents.knowledge.models import Content, Passage, Source
from agents.knowledge.parsing.pages import canonical_url
from agents.knowledge.services import sources
from agents.knowledge.services.sources import read_source, request_source
from agents.models import Profile

PAGE = (
    "<html><head><title>On wrens</title><link rel=canonical href='/wrens'></head><body><nav>Menu</nav><article>"
    "<p>{}</p><p>Its nest is a ball of moss and leaves, with a hole in the side, hidden in ivy or among roots.</p>"
    "<p>The male builds several of them, and the female takes the one that she likes best for her eggs.</p>"
    "</article></body></html>"
)
FIRST = "The wren is a small brown bird that sings loudly in hedges, gardens and woods all through the year."
SECOND = "The wren has moved to the reeds, where it sings as loudly as it did in the hedges of last summer."
FEED = (
    "<rss version='2.0'><channel><title>Birds</title>"
    "<item><link>/1</link><title>One</title><description>First entry.</description></item></channel></rss>"
)


class Site(BaseHTTPRequestHandler):
    pages: dict[str, tuple[int, str, str]] = {}
    asked: list[tuple[str, str | None]] = []
    # What the answers say of themselves, be it true or not.
    fields: dict[str, str] = {}

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers.get("If-None-Match")))
        status, etag, body = self.pages.get(self.path, (404, "", ""))
        if etag and self.headers.get("If-None-Match") == etag:
            status, body = 304, ""
        self.send_response(status)
        if etag:
            self.send_header("ETag", etag)
        own = {"Content-Length": str(len(body.encode()))}
        claimed = self.fields if self.path in self.pages else {}
        for name, value in (own | claimed).items():
            self.send_header(name, value)
        self.end_headers()
        with suppress(OSError):
            self.wfile.write(body.encode())

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def site(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    settings.FETCH_ALLOWED_NETWORKS = ["127.0.0.1/32"]
    monkeypatch.setattr(polite, "SECONDS_BETWEEN_REQUESTS", 0.0)
    Site.pages, Site.asked, Site.fields = {}, [], {}
    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def read_again(source: Source) -> Source:
    Source.objects.filter(pk=source.pk).update(due_at=timezone.now())
    assert read_source(source.pk)
    source.refresh_from_db()
    return source


def test_a_page_becomes_a_content_under_its_canonical_address(site: str, alice: Profile) -> None:
    Site.pages["/x"] = 200, "", PAGE.format(FIRST)
    source = read_again(request_source(profile=alice, kind="url", url=f"{site}/x?utm_source=mail"))
    content = Content.objects.get()
    assert (source.status, source.title, source.last_content) == ("done", "On wrens", content)
    assert (content.url, content.title) == (f"{site}/wrens", "On wrens")
    assert FIRST in content.text
    assert "Menu" not in content.text
    assert Passage.objects.exists()
    assert source.due_at is None


def test_a_page_that_changed_is_split_anew(site: str, alice: Profile) -> None:
    Site.pages["/x"] = 200, "", PAGE.format(FIRST)
    source = read_again(request_source(profile=alice, kind="page", url=f"{site}/x", interval_seconds=3600))
    Site.pages["/x"] = 200, "", PAGE.format(SECOND)
    read_again(source)
    assert SECOND in Content.objects.get().text
    assert SECOND in Passage.objects.get().text


def test_a_feed_is_polled_with_its_etag(site: str, alice: Profile) -> None:
    Site.pages["/feed"] = 200, '"v1"', FEED
    source = read_again(request_source(profile=alice, kind="url", url=f"{site}/feed", interval_seconds=3600))
    assert (source.content_count, Content.objects.get().url) == (1, f"{site}/1")
    assert source.due_at is not None
    read_again(source)
    assert [etag for path, etag in Site.asked if path == "/feed"] == [None, '"v1"']
    assert (source.content_count, source.status, source.etag) == (1, "done", '"v1"')


def test_failures_are_tried_again_later_and_later(site: str, alice: Profile) -> None:
    source = request_source(profile=alice, kind="url", url=f"{site}/gone")
    waits = []
    for _ in range(sources.MAX_ATTEMPTS - 1):
        read_again(source)
        assert source.due_at is not None
        waits.append(round((source.due_at - timezone.now()) / timedelta(minutes=1)))
        assert source.problem == "The host answered 404."
    assert waits == [1, 2, 4, 8]
    assert (read_again(source).status, source.due_at) == ("failed", None)


def test_where_nobody_may_go_is_given_up_at_once(alice: Profile) -> None:
    source = read_again(request_source(profile=alice, kind="url", url="http://169.254.169.254/latest"))
    assert (source.status, source.due_at) == ("failed", None)
    assert "not on the public internet" in source.problem


def test_two_workers_do_not_read_one_source(site: str, alice: Profile) -> None:
    source = request_source(profile=alice, kind="text", text="Some words.")
    assert sources._claim(source.pk) is not None
    assert sources._claim(source.pk) is None
    assert not read_source(source.pk)


def test_a_worker_that_slept_past_its_lease_writes_nothing(alice: Profile) -> None:
    source = request_source(profile=alice, kind="text", text="Some words.")
    late = sources._claim(source.pk)
    assert late is not None
    Source.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert read_source(source.pk)
    sources._fail(late, "too late", is_final=True)
    source.refresh_from_db()
    assert (source.status, source.problem) == ("done", "")


def test_a_broker_that_is_away_loses_nothing(
    alice: Profile, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    from celery import current_app

    # Nor does anybody wait for it.
    monkeypatch.delattr("kombu.utils.functional.sleep")

    with django_capture_on_commit_callbacks() as pokes:
        source = request_source(profile=alice, kind="text", text="Some words.")
    broker = current_app.conf.broker_url
    current_app.conf.broker_url = "redis://127.0.0.1:1/0"
    try:
        for poke in pokes:
            poke()
    finally:
        current_app.conf.broker_url = broker
    assert list(Source.objects.due()) == [source]


@pytest.mark.parametrize(
    ("url", "claimed", "known_as"),
    [
        ("https://E.org:443/a?utm_source=x&b=1#top", "", "https://e.org/a?b=1"),
        ("https://e.org/a", "/b", "https://e.org/b"),
        ("https://e.org/a", "https://other.org/b", "https://e.org/a"),
        ("https://e.org", "javascript:alert(1)", "https://e.org/"),
        ("https://e.org/a", "https://[bad", "https://e.org/a"),
    ],
)
def test_a_page_is_known_by_one_address_of_its_own_host(url: str, claimed: str, known_as: str) -> None:
    assert canonical_url(url, claimed=claimed) == known_as


@pytest.mark.django_db
def test_ingest_takes_in_files_of_every_kind_and_says_what_it_left_out(tmp_path: Path, site: str) -> None:
    (tmp_path / "a.jsonl").write_text('{"title": "A", "body_markdown": "Words of an article."}\n')
    (tmp_path / "b.xml").write_text(FEED)
    (tmp_path / "c.html").write_text(PAGE.format(FIRST))
    (tmp_path / "d.md").write_text("# Notes\n\nSome *notes* of mine.")
    (tmp_path / "e.txt").write_text("")
    Site.pages["/x"] = 200, "", PAGE.format(SECOND)
    names = [str(tmp_path), f"{site}/x", f"{site}/gone", "http://10.0.0.1/"]

    def ingest(command: str, *names: str) -> str:
        out = StringIO()
        call_command(command, *names, workers=1, stdout=out)
        return " ".join(out.getvalue().split())

    first = ingest("ingest", *names)
    assert "articles 1 0 0" in first
    assert "feed entries 1 0 0" in first
    assert "documents 3 0 3" in first
    assert "the host answered 404" in first
    assert not Content.objects.to_analyze().exists()
    second = ingest("ingest", *names)
    assert "articles 0 1 0" in second
    assert "documents 0 3 3" in second
    assert "feed entries 0 1 0" in ingest("import_feed", str(tmp_path / "b.xml"), f"{site}/gone")
