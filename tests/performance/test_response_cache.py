"""Answers before Django: to their own viewer, until they may no longer be seen."""

import io
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson
import pytest
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.utils import timezone

from agents.models import ApiKey, Profile
from agents.services.agents import update_agent
from agents.services.follows import follow
from agents.services.keys import create_key, revoke_key
from performance.caches import cache_statistics, invalidate_now
from performance.caches.invalidation import SHOWN_TAGS, shown
from performance.caches.valkey import breaker
from performance.response_cache import ResponseCache
from performance.response_cache.entries import matches, read_headers
from posts.models import Post
from posts.services.interactions import add_comment, like_post, share_post
from posts.services.posts import create_post, remove_post, update_post
from tests.concurrency import wait_until
from tests.factories import make_agent, make_community, make_key, make_person, make_post
from tests.performance.conftest import OwnValkey


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def outcome(self) -> str:
        return self.headers["X-Cache"]

    @property
    def titles(self) -> list[str]:
        return [post["title"] for post in orjson.loads(self.body)["results"]]


def ask(application: Any, path: str, key: str = "", *, method: str = "GET", **environ: str) -> Answer:
    path, _, query = path.partition("?")
    started: list[Any] = []
    request: dict[str, Any] = {
        "REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query, "HTTP_HOST": "localhost",
        "SERVER_NAME": "localhost", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "127.0.0.1",
        "wsgi.input": io.BytesIO(), "wsgi.errors": io.StringIO(), "wsgi.url_scheme": "http", **environ,
    }  # fmt: skip
    if key:
        request["HTTP_AUTHORIZATION"] = f"Bearer {key}"
    chunks = application(request, lambda status, headers, *_: started.append((status, headers)))
    body = b"".join(chunks)
    if hasattr(chunks, "close"):
        chunks.close()
    ((status, headers),) = started
    return Answer(int(status.split()[0]), dict(headers), body)


class Network:
    """An agent whom a follower reads, and a stranger; each with a key."""

    def __init__(self) -> None:
        self.django = get_wsgi_application()
        self.cache = ResponseCache(self.django)
        self.owner, self.follower, self.stranger = (make_person() for _ in range(3))
        self.agent = make_agent(owner=self.owner)
        follow(follower=self.follower, author=self.agent.profile)
        self.keys = {one.pk: make_key(one) for one in (self.owner, self.follower, self.stranger)}

    def key(self, viewer: Profile | None) -> str:
        return self.keys[viewer.pk] if viewer else ""

    def get(self, path: str, viewer: Profile | None = None, **environ: str) -> Answer:
        return ask(self.cache, path, self.key(viewer), **environ)

    def warm(self, path: str, viewer: Profile | None = None) -> Answer:
        """Ask until the answer is kept; the first question only tells whose credential it is."""
        for _ in range(3):
            answer = self.get(path, viewer)
        assert answer.outcome == "HIT"
        return answer


@pytest.fixture
def network(transactional_db: None, valkey: OwnValkey, settings: Any) -> Iterator[Network]:
    settings.REQUESTS_PER_MINUTE = dict.fromkeys(settings.REQUESTS_PER_MINUTE, 10**9)
    yield Network()
    connection.close()


def test_a_hit_answers_what_django_answered_without_a_statement(
    network: Network, django_assert_num_queries: Any
) -> None:
    make_post(author=network.agent.profile)
    missed = network.get("/api/explore")
    with django_assert_num_queries(0):
        hit = network.get("/api/explore")
    assert (missed.outcome, hit.outcome) == ("MISS", "HIT")
    assert hit.body == missed.body
    ours = {"X-Cache", "X-Request-ID"}
    assert {k: v for k, v in hit.headers.items() if k not in ours} == {
        k: v for k, v in missed.headers.items() if k not in ours
    }
    assert hit.headers["Content-Type"] == "application/json"
    assert hit.headers["X-Frame-Options"] == "DENY"


def test_an_answer_reaches_its_own_viewer_only(network: Network) -> None:
    make_post(author=network.agent.profile, layer=Post.Layer.FOLLOWERS, title="For followers")
    make_post(author=network.owner, layer=Post.Layer.PRIVATE, title="For oneself")
    paths = [f"/api/users/{network.agent.profile.handle}/posts", f"/api/users/{network.owner.handle}/posts"]
    paths += ["/api/feed", "/api/explore", f"/api/agents/{network.agent.profile.handle}", "/api/communities"]
    viewers = [network.owner, network.follower, network.stranger, None]
    for _ in range(3):
        for path in paths:
            for viewer in viewers:
                direct = ask(network.django, path, network.key(viewer))
                cached = network.get(path, viewer)
                assert (cached.status, orjson.loads(cached.body)) == (direct.status, orjson.loads(direct.body))
    bodies = {viewer and viewer.pk: network.warm(paths[0], viewer).body for viewer in viewers}
    assert b"For followers" in bodies[network.follower.pk]
    assert b"For followers" not in bodies[network.stranger.pk]
    assert b"For followers" not in bodies[None]


def test_two_keys_of_one_viewer_and_a_cookie_are_three_credentials(network: Network, valkey: OwnValkey) -> None:
    network.warm("/api/feed", network.follower)
    _, other = create_key(profile=network.follower, name="other", scopes=["read"])
    assert ask(network.cache, "/api/feed", other).outcome == "MISS"
    assert ask(network.cache, "/api/feed", HTTP_X_API_KEY=other).outcome == "MISS"
    assert ask(network.cache, "/api/feed", HTTP_COOKIE="sessionid=nobody").status == 401
    assert ask(network.cache, "/api/feed").status == 401


@pytest.mark.parametrize(
    "environ",
    [
        {"HTTP_HOST": "127.0.0.1"},
        {"HTTP_ACCEPT": "application/json"},
        {"wsgi.url_scheme": "https"},
        {"HTTP_X_FORWARDED_PROTO": "https"},
        {"QUERY_STRING": "limit=20"},
    ],
)
def test_what_chooses_an_answer_is_in_its_name(network: Network, environ: dict[str, str]) -> None:
    network.warm("/api/explore")
    assert network.get("/api/explore", **environ).outcome == "MISS"


def test_own_writes_are_seen_at_once_and_those_of_others_within_the_lifetime(network: Network) -> None:
    post = make_post(author=network.agent.profile)

    def likes(viewer: Profile) -> int:
        return int(orjson.loads(network.get("/api/explore", viewer).body)["results"][0]["like_count"])

    network.warm("/api/explore", network.follower)
    network.warm("/api/explore", network.stranger)
    like_post(profile=network.follower, post=post)
    assert likes(network.follower) == 1
    assert likes(network.stranger) == 0
    network.cache.store.clear()
    assert likes(network.stranger) == 1


@pytest.mark.parametrize(
    "write",
    [
        lambda network, post: like_post(profile=network.follower, post=post),
        lambda network, post: share_post(profile=network.follower, post=post),
        lambda network, post: add_comment(author=network.follower, post=post, body="Well."),
        lambda network, post: update_post(post=post, body="Mended."),
    ],
    ids=["like", "share", "comment", "edit"],
)
def test_what_happens_to_a_post_is_seen_where_it_is_shown_by_name(network: Network, write: Any) -> None:
    post, *others = (make_post(author=network.agent.profile) for _ in range(9))
    other = next(one for one in others if shown("post", one.pk) != shown("post", post.pk))
    paths = [f"/api/posts/{post.pk}", f"/api/posts/{post.pk}/comments"]
    for path in [*paths, f"/api/posts/{other.pk}"]:
        network.warm(path, network.stranger)
    write(network, post)
    assert [network.get(path, network.stranger).outcome for path in paths] == ["MISS", "MISS"]
    assert network.get(f"/api/posts/{other.pk}", network.stranger).outcome == "HIT"


def test_a_new_or_changed_post_is_seen_at_once_at_its_authors_and_in_its_community(network: Network) -> None:
    room, handle = make_community("garden"), network.agent.profile.handle
    paths = [f"/api/users/{handle.upper()}/posts", f"/api/users/{handle}", "/api/communities/garden/posts"]
    for path in [*paths, "/api/explore"]:
        network.warm(path, network.stranger)
    post = create_post(author=network.agent.profile, title="Just now", community=room)
    assert [network.get(path, network.stranger).outcome for path in paths] == ["MISS"] * 3
    assert network.get("/api/explore", network.stranger).outcome == "HIT"
    for path in paths:
        network.warm(path, network.stranger)
    update_post(post=post, title="A moment ago")
    assert [network.get(path, network.stranger).outcome for path in paths] == ["MISS"] * 3


def test_the_number_of_what_is_not_read_is_right_at_once(network: Network) -> None:
    post = make_post(author=network.owner)
    before = orjson.loads(network.warm("/api/notifications/unread", network.owner).body)["total"]
    like_post(profile=network.stranger, post=post)
    assert orjson.loads(network.get("/api/notifications/unread", network.owner).body)["total"] == before + 1


def test_whatever_is_asked_for_the_names_take_bounded_memory(network: Network) -> None:
    assert len({shown("author", number) for number in range(50_000)}) <= SHOWN_TAGS


def test_any_unsafe_request_of_a_viewer_is_a_write_of_theirs(network: Network) -> None:
    post = make_post(author=network.agent.profile)
    network.warm("/api/feed", network.follower)
    answer = ask(network.cache, f"/api/posts/{post.pk}/like", network.key(network.follower), method="POST")
    assert answer.status == 200
    assert network.get("/api/feed", network.follower).outcome == "MISS"


def test_what_is_removed_or_narrowed_is_gone_at_once_for_everyone(network: Network) -> None:
    removed, narrowed, other = (make_post(author=network.agent.profile, title=t) for t in ("a", "b", "c"))
    for viewer in (network.follower, network.stranger, None):
        assert network.warm("/api/explore", viewer).titles == ["c", "b", "a"]
    remove_post(post=removed)
    update_post(post=narrowed, layer=Post.Layer.FOLLOWERS)
    for viewer in (network.follower, network.stranger, None):
        assert network.get("/api/explore", viewer).titles == ["c"]


def test_a_revoked_key_is_refused_at_once(network: Network) -> None:
    network.warm("/api/feed", network.follower)
    revoke_key(key=ApiKey.objects.get(profile=network.follower))
    assert network.get("/api/feed", network.follower).status == 401


def test_the_key_of_a_deactivated_agent_is_refused_at_once(network: Network) -> None:
    network.keys[network.agent.pk] = make_key(network.agent.profile)
    network.warm("/api/feed", network.agent.profile)
    update_agent(agent=network.agent, is_active=False)
    assert network.get("/api/feed", network.agent.profile).status == 401


def test_an_answer_does_not_outlive_its_key(network: Network, valkey: OwnValkey) -> None:
    _, key = create_key(
        profile=network.stranger, name="x", scopes=["read"], expires_at=timezone.now() + timedelta(seconds=9)
    )
    for _ in range(3):
        ask(network.cache, "/api/explore", key)
    lifetimes = [valkey.client().pttl(name) for name in valkey.client().keys("*:entry:responses:*")]
    assert lifetimes and all(0 < lifetime <= 9000 for lifetime in lifetimes)


def test_staff_who_change_something_empty_the_cache(network: Network) -> None:
    network.warm("/api/explore")
    ask(network.cache, "/admin/login/", method="POST")
    assert network.get("/api/explore").outcome == "MISS"


def test_what_the_client_has_is_not_sent_again(network: Network) -> None:
    first = network.get("/api/explore")
    for _ in range(2):
        again = network.get("/api/explore", HTTP_IF_NONE_MATCH=f'"other", W/{first.headers["ETag"]}')
        assert (again.status, again.body) == (304, b"")
        assert again.headers["ETag"] == first.headers["ETag"]
        assert "Content-Length" not in again.headers
    assert network.get("/api/explore", HTTP_IF_NONE_MATCH='"other"').status == 200
    assert matches("*", '"x"')


def test_browsers_are_told_whose_answer_it_is(network: Network) -> None:
    for path, viewer, whose in [("/api/explore", None, "public"), ("/api/explore", network.owner, "private")]:
        for _ in range(3):
            answer = network.get(path, viewer)
            assert answer.headers["Cache-Control"] == f"{whose}, no-cache"
            assert "Authorization" in answer.headers["Vary"]
    assert network.get("/api/me/profile", network.owner).headers["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize("path", ["/api/me/profile", "/api/keys"])
def test_paths_without_a_lifetime_are_never_kept(network: Network, path: str) -> None:
    for _ in range(3):
        assert network.get(path, network.owner).outcome == "BYPASS"


def test_errors_are_never_kept(network: Network) -> None:
    for _ in range(3):
        answer = network.get("/api/users/nobody-here")
        assert (answer.status, answer.outcome) == (404, "MISS")


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        ("500 Error", [("Content-Length", "2")]),
        ("206 Partial", [("Content-Length", "2")]),
        ("200 OK", []),
        ("200 OK", [("Content-Length", "2"), ("Set-Cookie", "a=b")]),
        ("200 OK", [("Content-Length", "2"), ("Cache-Control", "no-store")]),
        ("200 OK", [("Content-Length", "2"), ("Vary", "Accept, Accept-Language")]),
        ("200 OK", [("Content-Length", "2"), ("Vary", "*")]),
    ],
)
def test_answers_that_no_cache_may_keep(status: str, headers: list[tuple[str, str]]) -> None:
    *_, may_be_kept = read_headers(status, headers)
    assert not may_be_kept
    *_, may_be_kept = read_headers("200 OK", [("Content-Length", "2"), ("Vary", "Accept, Cookie")])
    assert may_be_kept


def test_a_view_that_does_not_say_for_whom_is_never_kept(valkey: OwnValkey) -> None:
    def application(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Length", "2")])
        return [b"{}"]

    cache = ResponseCache(application)
    assert [ask(cache, "/api/explore").outcome for _ in range(3)] == ["MISS"] * 3


@pytest.mark.parametrize("poison", [b"", b"x", b"\n\n\n", b"{versions}\n\xff\n[]\n{}", b"{versions}\ne\nnot json\n{}"])
def test_a_poisoned_entry_is_a_miss(network: Network, valkey: OwnValkey, poison: bytes) -> None:
    network.warm("/api/explore")
    (name,) = valkey.client().keys("*:entry:responses:*")
    versions = valkey.client().get(name).split(b"\n")[0]
    valkey.client().set(name, poison.replace(b"{versions}", versions))
    answer = network.get("/api/explore")
    assert (answer.status, answer.outcome) == (200, "MISS")
    assert network.get("/api/explore").outcome == "HIT"


def test_many_readers_of_a_cold_answer_cause_one_rebuild(network: Network) -> None:
    asked = 0

    def counting(environ: Any, start_response: Any) -> Any:
        nonlocal asked
        asked += 1
        return network.django(environ, start_response)

    cache = ResponseCache(counting)
    ready, outcomes = threading.Barrier(40), []

    def read() -> None:
        ready.wait()
        outcomes.append(ask(cache, "/api/explore").status)
        connection.close()

    threads = [threading.Thread(target=read) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == [200] * 40
    assert asked <= 2


def test_a_write_during_the_computation_is_not_lost(network: Network) -> None:
    def slow(environ: Any, start_response: Any) -> Any:
        answer = network.django(environ, start_response)
        invalidate_now([f"profile:{network.follower.pk}"])
        return answer

    network.warm("/api/feed", network.follower)
    invalidate_now([f"profile:{network.follower.pk}"])
    ask(ResponseCache(slow), "/api/feed", network.key(network.follower))
    assert network.get("/api/feed", network.follower).outcome == "MISS"


def test_hits_and_misses_are_counted(network: Network) -> None:
    for _ in range(4):
        network.get("/api/explore")
    statistics = cache_statistics()["responses"]
    assert (statistics["hits"], statistics["misses"], statistics["entries"]) == (3, 1, 1)


def test_readers_go_on_without_valkey_and_nothing_stale_comes_back(network: Network, valkey: OwnValkey) -> None:
    kept, removed = (make_post(author=network.agent.profile, title=t) for t in ("kept", "removed"))
    network.warm("/api/explore")
    valkey.freeze()
    remove_post(post=removed)
    assert [network.get("/api/explore").titles for _ in range(10)] == [["kept"]] * 10
    valkey.thaw()
    wait_until(lambda: not breaker.is_open)
    assert network.get("/api/explore").titles == ["kept"]
    valkey.kill()
    assert [network.get("/api/explore", network.follower).status for _ in range(10)] == [200] * 10
    valkey.start()
    wait_until(lambda: not breaker.is_open)
    assert network.warm("/api/explore").titles == ["kept"]
    valkey.client().flushall()
    assert network.get("/api/explore").outcome == "MISS"
    assert network.get("/api/explore").outcome == "HIT"
