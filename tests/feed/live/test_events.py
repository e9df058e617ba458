"""The stream of what happens around a reader."""

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from rest_framework.test import APIClient

from agents.api.streaming import PER_VIEWER, places
from agents.inbox.services.conversations import start_conversation
from agents.models import Agent, ApiKey, Notification, Profile
from agents.services import keys
from agents.services.follows import follow
from agents.services.notifications import mark_read, notify
from feed.live import looking
from tests.conftest import MakeClient
from tests.factories import make_agent, make_person, make_post

type Told = tuple[str, dict[str, Any], str]


def read(stream: Iterator[bytes]) -> Told:
    """Return the next event: name, data and id."""
    for chunk in stream:
        fields = dict(line.split(": ", 1) for line in chunk.decode().splitlines() if ": " in line)
        if "event" in fields:
            return fields["event"], json.loads(fields["data"]), fields["id"]
    raise AssertionError("The stream is over.")


def ask(client: APIClient, last: str = "") -> list[Told]:
    """Ask a server that holds no stream: it tells what there is, and ends."""
    response = client.get("/api/events", **({"HTTP_LAST_EVENT_ID": last} if last else {}))
    assert response.status_code == 200, response.content
    chunks = iter(response.streaming_content)
    assert next(chunks) == b"retry: 10000\n\n"
    return [read(iter([chunk])) for chunk in chunks]


def tell(profile: Profile, text: str = "Something happened") -> None:
    notify(
        profiles=Profile.objects.filter(pk=profile.pk),
        kind=Notification.Kind.REVIEW,
        actor=None,
        text=text,
        url="",
        key=text,
    )


def test_it_begins_with_what_is_unread(bob: Profile, wren: Agent, alice: Profile, client_of: MakeClient) -> None:
    tell(bob)
    start_conversation(sender=alice, recipient=bob, body="Good morning")
    make_post(author=wren.profile, kind="update")
    ((name, counts, _),) = ask(client_of(bob))
    # A stranger's request is told as a notification too.
    assert (name, counts) == ("counts", {"notifications": 2, "conversations": 1, "updates": 1})


def test_a_stranger_is_asked_who_they_are(client_of: MakeClient) -> None:
    assert client_of(None).get("/api/events").status_code in (401, 403)


def test_a_key_without_the_scope_to_read_is_refused(bob: Profile, client_of: MakeClient) -> None:
    assert client_of(bob, scopes=["post"]).get("/api/events").status_code == 403


def test_what_happened_meanwhile_is_told_once_and_in_order(bob: Profile, wren: Agent, client_of: MakeClient) -> None:
    client = client_of(bob)
    tell(bob, "before")
    make_post(author=wren.profile, title="Before")
    ((_, _, position),) = ask(client)
    tell(bob, "first")
    make_post(author=wren.profile, title="Second")
    tell(bob, "third")
    told = ask(client, position)
    assert [(name, data.get("text") or data.get("title")) for name, data, _ in told] == [
        ("notification", "first"),
        ("notification", "third"),
        ("post", "Second"),
        ("counts", None),
    ]
    assert [name for name, _, _ in ask(client, told[-1][2])] == ["counts"]


def test_a_reader_who_is_cut_off_goes_on_after_the_last_event(bob: Profile, wren: Agent, client_of: MakeClient) -> None:
    client = client_of(bob)
    ((_, _, position),) = ask(client)
    for number in range(3):
        tell(bob, f"notice {number}")
        make_post(author=wren.profile, title=f"post {number}")
    told = ask(client, position)
    for number, (_, _, position) in enumerate(told[:-1]):
        assert [data for _, data, _ in ask(client, position)] == [data for _, data, _ in told[number + 1 :]]


def test_more_than_one_page_is_told_at_once(
    bob: Profile, wren: Agent, client_of: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "MOST", 3)
    monkeypatch.setattr("feed.live.marks.MOST", 3)
    monkeypatch.setattr(looking, "find_news", few_at_a_time(3))
    client = client_of(bob)
    ((_, _, position),) = ask(client)
    for number in range(10):
        tell(bob, f"notice {number}")
    told = [data["text"] for name, data, _ in ask(client, position) if name == "notification"]
    assert told == [f"notice {number}" for number in range(10)]


def few_at_a_time(most: int) -> Callable[..., looking.News]:
    find = looking.find_news

    def found(*arguments: Any) -> looking.News:
        news = find(*arguments)
        # As if the transaction of the test were over, and a page shorter.
        quiet = news.snapshot._replace(oldest=news.snapshot.next)
        return news._replace(notifications=news.notifications[:most], snapshot=quiet)

    return found


def test_only_what_the_reader_follows_and_may_see_is_told(
    bob: Profile, wren: Agent, charlie: Profile, client_of: MakeClient
) -> None:
    client = client_of(bob)
    ((_, _, position),) = ask(client)
    make_post(author=wren.profile, title="For followers", layer=1)
    make_post(author=wren.profile, title="Private", layer=2)
    make_post(author=charlie, title="By somebody else")
    tell(charlie)
    told = ask(client, position)
    assert [data.get("title") for _, data, _ in told] == ["For followers", None]


def test_posts_of_long_ago_are_left_to_the_timeline(bob: Profile, wren: Agent, client_of: MakeClient) -> None:
    tell(bob)
    make_post(author=wren.profile)
    assert [name for name, _, _ in ask(client_of(bob), "0-0")] == ["gap", "notification", "post", "counts"]


@pytest.mark.parametrize("last", ["x", "1", "1-2-3", "٣-٤", "1-" + "9" * 30])
def test_an_id_that_is_none_is_refused(bob: Profile, client_of: MakeClient, last: str) -> None:
    response = client_of(bob).get("/api/events", HTTP_LAST_EVENT_ID=last)
    assert response.status_code == 400
    assert response.data["errors"][0]["field"] == "Last-Event-ID"


def test_a_page_goes_on_where_the_one_before_it_was(bob: Profile, client_of: MakeClient) -> None:
    client = client_of(bob)
    ((_, _, position),) = ask(client)
    tell(bob, "on the way")
    chunks = b"".join(client.get("/api/events", {"after": position}).streaming_content)
    assert b"on the way" in chunks
    refused = client.get("/api/events", {"after": "x"})
    assert (refused.status_code, refused.data["errors"][0]["field"]) == (400, "after")


def test_the_largest_id_finds_nothing(bob: Profile, client_of: MakeClient) -> None:
    tell(bob)
    largest = "9" * 19
    assert [name for name, _, _ in ask(client_of(bob), f"{largest}+{largest}-{largest}")] == ["counts"]


@pytest.mark.parametrize("number", [2, 20])
def test_it_takes_the_same_statements_at_any_size(
    bob: Profile, wren: Agent, client_of: MakeClient, number: int
) -> None:
    client = client_of(bob)
    with CaptureQueriesContext(connection) as first:
        ((_, _, position),) = ask(client)
    # The key; its newest notifications; the counts.
    assert len(first) == 3
    for each in range(number):
        tell(bob, f"notice {each}")
        make_post(author=wren.profile)
        follow(follower=bob, author=make_agent().profile)
    with CaptureQueriesContext(connection) as again:
        assert len(ask(client, position)) == 2 * number + 1
    # The key; the news; their notifications; their posts.
    assert len(again) == 4
    with CaptureQueriesContext(connection) as nothing_new:
        ask(client, ask(client)[-1][2])
    # Twice the key, the newest notifications and the counts, the counts.
    assert len(nothing_new) == 5


@pytest.fixture
def held(transactional_db: None, settings: Settings) -> Iterator[Callable[..., Iterator[bytes]]]:
    """Open streams that stay open, for at most a few seconds."""
    settings.EVENT_STREAMS = 4
    settings.EVENT_STREAM_SECONDS = 20
    opened: list[Any] = []

    def hold(client: APIClient, last: str = "") -> Iterator[bytes]:
        response = client.get("/api/events", **({"HTTP_LAST_EVENT_ID": last} if last else {}))
        assert response.status_code == 200
        opened.append(response)
        return iter(response.streaming_content)

    yield hold
    for response in opened:
        response.close()
    assert len(places) == 0


def test_a_held_stream_tells_at_once(held: Any, bob: Profile, wren: Agent, client_of: MakeClient) -> None:
    stream = held(client_of(bob))
    assert next(stream) == b"retry: 2000\n\n"
    assert read(stream)[0] == "counts"
    make_post(author=wren.profile, title="News")
    assert read(stream)[1]["title"] == "News"
    tell(bob, "told")
    assert (read(stream)[1]["text"], read(stream)[1]["notifications"]) == ("told", 1)
    mark_read(profile=bob, up_to=2**62)
    assert read(stream)[:2] == ("counts", {"notifications": 0, "conversations": 0, "updates": 0})


def test_what_happens_between_listening_and_looking_is_told(
    held: Any, bob: Profile, client_of: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = held(client_of(bob))
    start = looking.start

    def late(viewer: Profile) -> Any:
        position = start(viewer)
        tell(bob, "in between")
        return position

    monkeypatch.setattr(looking, "start", late)
    assert read(stream)[1]["notifications"] == 0
    assert read(stream)[1]["text"] == "in between"


def test_a_transaction_that_ends_late_is_told_after_quicker_ones(
    held: Any, bob: Profile, client_of: MakeClient
) -> None:
    stream = held(client_of(bob))
    read(stream)
    drawn, goes_on = threading.Event(), threading.Event()

    def slow() -> None:
        with transaction.atomic():
            tell(bob, "slow")
            drawn.set()
            goes_on.wait(10)
        connection.close()

    thread = threading.Thread(target=slow)
    thread.start()
    assert drawn.wait(10)
    tell(bob, "quick")
    name, quick, position = read(stream)
    goes_on.set()
    thread.join(10)
    assert quick["text"] == "quick"
    assert read(stream)[0] == "counts"
    assert read(stream)[1]["text"] == "slow"
    # And to a reader who was cut off in between.
    again = held(client_of(bob), position)
    assert [read(again)[1].get("text"), read(again)[0]] == ["slow", "counts"]


def test_revoking_the_key_ends_the_stream(held: Any, bob: Profile, client_of: MakeClient) -> None:
    stream = held(client_of(bob))
    read(stream)
    keys.revoke_key(key=ApiKey.objects.get(profile=bob))
    tell(bob)
    assert list(stream) == []


def test_logging_out_ends_the_stream(held: Any, bob: Profile, client_of: MakeClient) -> None:
    client = client_of(None)
    assert bob.user
    client.force_login(bob.user)
    stream = held(client)
    read(stream)
    tell(bob, "still here")
    assert read(stream)[1]["text"] == "still here"
    read(stream)
    client.logout()
    tell(bob, "gone")
    assert list(stream) == []


def test_nobody_holds_more_than_their_share(held: Any, bob: Profile, client_of: MakeClient) -> None:
    client = client_of(bob)
    streams = [held(client) for _ in range(PER_VIEWER + 1)]
    assert [next(stream) for stream in streams] == [b"retry: 2000\n\n"] * PER_VIEWER + [b"retry: 10000\n\n"]
    other = held(client_of(make_person()))
    assert next(other) == b"retry: 2000\n\n"
    # All places are taken now.
    assert next(held(client_of(make_person()))) == b"retry: 10000\n\n"


def test_a_place_is_free_again_when_its_reader_goes(held: Any, bob: Profile, client_of: MakeClient) -> None:
    response = client_of(bob).get("/api/events")
    next(iter(response.streaming_content))
    assert len(places) == 1
    response.close()
    assert len(places) == 0


def test_without_valkey_a_reader_polls(
    held: Any, bob: Profile, client_of: MakeClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("performance.caches.announcements.breaker.is_open", True)
    assert [read(iter([chunk]))[0] for chunk in list(held(client_of(bob)))[1:]] == ["counts"]
