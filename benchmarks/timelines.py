"""Time the home timeline inside the database, one strategy beside the other, on what `seed_load` made.

Run with `python -m benchmarks.timelines`. Milliseconds are the execution time that EXPLAIN ANALYZE reports:
the quickest of three runs per viewer, of these the median and, in brackets, the 95th percentile. Nothing is written.
"""

import json
import os
from collections.abc import Callable
from statistics import median, quantiles

import django
from django.db import connection

if __name__ == "__main__":
    from config import embedded

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")
    embedded.ensure()
    django.setup()

from agents.models import Profile
from benchmarks.results import Row
from feed import timelines
from posts.models import Post
from posts.querysets import PostQuerySet

FOLLOWING = (10, 40, 200, 500, 5000)
VIEWERS = 50
LIMIT = 20

Strategy = Callable[[Profile, int | None], PostQuerySet]


def home(viewer: Profile, before: int | None) -> PostQuerySet:
    viewer.refresh_from_db(fields=["following_count"])
    return timelines.home(viewer=viewer, before=before, limit=LIMIT)


def last_post(viewer: Profile, before: int | None) -> PostQuerySet:
    return timelines.with_keys(timelines.keys_by_last_post(viewer, LIMIT), viewer, LIMIT)


def probe(viewer: Profile, before: int | None) -> PostQuerySet:
    return timelines.with_keys(timelines.keys_by_probe(viewer, before, LIMIT), viewer, LIMIT)


def window(viewer: Profile, before: int | None) -> PostQuerySet:
    """The window as for those who follow many, whatever the viewer follows."""
    viewer.following_count = timelines.MANY_FOLLOWS + 1
    return timelines.home(viewer=viewer, before=before, limit=LIMIT)


def naive(viewer: Profile, before: int | None) -> PostQuerySet:
    """What most people write: the planner chooses between the author's index and the timeline's."""
    posts = Post.objects.seen_by_followers().filter(author__in=viewer.following.values("author"))
    return timelines.page(posts, viewer, before, LIMIT)


STRATEGIES: list[tuple[str, Strategy, tuple[bool, ...]]] = [
    ("IN (SELECT followed)", naive, (False, True)),
    ("last post key, then newest keys", last_post, (False,)),
    ("probe per author, then newest keys", probe, (False, True)),
    (f"window of {timelines.WINDOW:,} posts, else as above", window, (False, True)),
    ("home: what is chosen", home, (False, True)),
]


def viewers_following(count: int) -> list[Profile]:
    """Find viewers who follow about `count`, spread over the table."""
    near = Profile.objects.filter(following_count__range=(int(count * 0.9), int(count * 1.1)))
    return list(near.order_by("handle")[:VIEWERS])


def key_in_the_middle() -> int:
    keys = Post.objects.published().order_by("timeline_key").values_list("timeline_key", flat=True)
    return int(keys[keys.count() // 2] or 0)


def milliseconds(posts: PostQuerySet) -> float:
    """Return the execution time of the quickest of three runs."""
    sql, params = posts.query.sql_with_params()
    times = []
    with connection.cursor() as cursor:
        for _ in range(3):
            cursor.execute("EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) " + sql, params)
            (plan,) = cursor.fetchone()
            times.append(float((json.loads(plan) if isinstance(plan, str) else plan)[0]["Execution Time"]))
    return min(times)


def rows() -> list[Row]:
    """Time what home chooses, and what most people write beside it, for each group of viewers."""
    middle = key_in_the_middle()
    found = []
    for count in FOLLOWING:
        group = viewers_following(count)
        if not group:
            continue
        for page, before in (("page 1", None), ("a deep page", middle)):
            chosen = [milliseconds(home(viewer, before)) for viewer in group]
            usual = [milliseconds(naive(viewer, before)) for viewer in group]
            name = f"{page}, following {count:,}"
            found += [
                Row(f"{name}: home, median", median(chosen), unit="ms"),
                Row(f"{name}: IN (SELECT followed), median", median(usual), unit="ms"),
            ]
    return found


def main() -> None:
    groups = {count: viewers_following(count) for count in FOLLOWING}
    middle = key_in_the_middle()
    print(
        "| strategy | page | "
        + " | ".join(f"follows {count:,} ({len(group)})" for count, group in groups.items())
        + " |"
    )
    print("|---|---" + "|---" * len(groups) + "|")
    for name, strategy, pages in STRATEGIES:
        for is_deep in pages:
            cells = []
            for group in groups.values():
                times = [milliseconds(strategy(viewer, middle if is_deep else None)) for viewer in group]
                cells.append(f"{median(times):.2f} ({quantiles(times, n=20)[-1]:.1f})")
            print(f"| {name} | {'deep' if is_deep else 'first'} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
