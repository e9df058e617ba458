"""What a page costs beside the JSON that it shows: the same posts for the same session, in turn, in one process.

Neither comes from the response cache; a page and its JSON pass the same handler, so what differs is the template.
"""

import time
from collections.abc import Sequence
from itertools import cycle, islice
from statistics import median
from typing import Any, NamedTuple

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.middleware.csrf import CSRF_SECRET_LENGTH
from django.test import Client, override_settings

from agents.models import Profile
from benchmarks import databases, prepare
from benchmarks.monitoring import check, environ
from benchmarks.options import Options
from benchmarks.results import Row, from_rounds
from config.handlers import Handler, KeyHandler
from feed.pages.timelines import POSTS
from posts.models import Post

MOST_TIMES = 2.0
REQUESTS_PER_ROUND = 100
READERS = 20
TOKEN = "t" * CSRF_SECRET_LENGTH


class Pair(NamedTuple):
    """A page and the requests that a program makes for the same."""

    name: str
    page: str
    json: tuple[str, ...]


class Cost(NamedTuple):
    """Seconds of one answer."""

    wall: float
    cpu: float


def rows(options: Options) -> list[Row]:
    """Compare the median cost of each page with that of its JSON, in wall-clock and in CPU time."""
    databases.use(databases.of_posts(options.posts, people_of=options.posts))
    found: list[Row] = []
    with (
        prepare.callers(following=(10, 100), count=READERS) as callers,
        # No thread: what it would do is timed with the requests.
        override_settings(METRICS_FLUSH_SECONDS=0),
    ):
        application = Handler(full=get_wsgi_application(), for_keys=KeyHandler())
        sessions = [session_of(caller.profile_id) for caller in callers]
        for pair in pairs():
            # The first round compiles templates and statements.
            rounds = [compare(application, pair, sessions) for _ in range(options.rounds + 1)][1:]
            found += rows_of(pair.name, rounds)
    return found


def pairs() -> list[Pair]:
    """Return what is compared: as many posts as a page shows, and what the API gives to whom asks for no number."""
    talked_about = Post.objects.public().order_by("-comment_count", "-pk").values("pk", "author__handle")[0]
    post, handle = talked_about["pk"], talked_about["author__handle"]
    return [
        Pair("home", "/", (f"/api/feed?limit={POSTS}",)),
        Pair("explore", "/explore", (f"/api/explore?limit={POSTS}",)),
        Pair("home with the API's default page", "/", ("/api/feed",)),
        Pair("explore with the API's default page", "/explore", ("/api/explore",)),
        Pair("a profile", f"/@{handle}", (f"/api/users/{handle}", f"/api/users/{handle}/posts?limit={POSTS}")),
        Pair("a post", f"/posts/{post}", (f"/api/posts/{post}", f"/api/posts/{post}/comments")),
    ]


def session_of(profile_id: int) -> str:
    """Log somebody in; return the value of their session cookie."""
    client = Client()
    person = Profile.objects.select_related("user").get(pk=profile_id)
    assert person.user
    client.force_login(person.user)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def compare(application: Handler, pair: Pair, sessions: Sequence[str]) -> tuple[Cost, Cost]:
    """Return what the page and its JSON cost: medians of requests in turn, each of the two first in turn."""
    costs: dict[bool, list[Cost]] = {True: [], False: []}
    for number, session in enumerate(islice(cycle(sessions), REQUESTS_PER_ROUND)):
        for is_page in (True, False) if number % 2 else (False, True):
            paths = (pair.page,) if is_page else pair.json
            costs[is_page].append(cost(application, paths, session))
    page, json = (
        Cost(median(each.wall for each in costs[is_page]), median(each.cpu for each in costs[is_page]))
        for is_page in (True, False)
    )
    return page, json


def cost(application: Handler, paths: Sequence[str], session: str) -> Cost:
    asked = [request(path, session) for path in paths]
    wall, cpu = time.perf_counter(), time.process_time()
    for environment in asked:
        answer = application(environment, check)
        b"".join(answer)
        answer.close()
    return Cost(time.perf_counter() - wall, time.process_time() - cpu)


def request(path: str, session: str) -> dict[str, Any]:
    path, _, query = path.partition("?")
    found = environ("") | {"PATH_INFO": path, "QUERY_STRING": query}
    del found["HTTP_AUTHORIZATION"]
    # A browser brings its token along, which is made once.
    cookies = {settings.SESSION_COOKIE_NAME: session, settings.CSRF_COOKIE_NAME: TOKEN}
    return found | {"HTTP_COOKIE": "; ".join(f"{name}={value}" for name, value in cookies.items())}


def rows_of(name: str, rounds: Sequence[tuple[Cost, Cost]]) -> list[Row]:
    shares = {
        "wall": [page.wall / json.wall for page, json in rounds],
        "CPU": [page.cpu / json.cpu for page, json in rounds],
    }
    return [
        *(from_rounds(f"{name} vs its JSON, {kind}", each, "<=", MOST_TIMES, "x") for kind, each in shares.items()),
        from_rounds(f"{name}, wall", [page.wall * 1000 for page, _ in rounds], unit="ms"),
        from_rounds(f"{name}, CPU", [page.cpu * 1000 for page, _ in rounds], unit="ms"),
    ]
