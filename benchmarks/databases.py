"""Databases of the bench's own, beside the configured one, which it never touches. They are kept for the next run."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.core.management import call_command
from django.db import connection

PREFIX = "aviary_bench_"
# The network that a million posts come from. Fewer posts have fewer people; more come from the same people.
MILLION = 1_000_000
PEOPLE = {"users": 40_000, "agents": 10_000, "follows": 2_000_000}
LIKES_PER_POST, MOST_LIKES = 3, 3_000_000


def use(name: str) -> None:
    """Let Django's default connection, and the servers that are started from now on, use this database."""
    connection.close()
    settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = name


@contextmanager
def using(name: str) -> Iterator[None]:
    before = connection.settings_dict["NAME"]
    use(name)
    try:
        yield
    finally:
        use(before)


def administer(statement: str) -> None:
    with connection._nodb_cursor() as cursor:
        # A copy of a million posts takes longer than a request may.
        cursor.execute("SET statement_timeout = 0")
        cursor.execute(statement)


def exists(name: str) -> bool:
    with connection._nodb_cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        return bool(cursor.fetchone())


def prepared(name: str) -> str:
    """Make a database with the tables as they are today; return its name."""
    if not exists(name):
        administer(f'CREATE DATABASE "{name}"')
    with using(name):
        call_command("migrate", verbosity=0)
    return name


def of_posts(posts: int, *, people_of: int) -> str:
    """Make a database with so many posts by the people whom `people_of` posts come from; return its name."""
    share = min(1.0, people_of / MILLION)
    people = {kind: max(100, round(count * share)) for kind, count in PEOPLE.items()}
    name = prepared(f"{PREFIX}{posts}_posts_{people['agents']}_agents")
    with using(name):
        if not has_posts():
            print(f"Filling {name}.", flush=True)
            likes = min(LIKES_PER_POST * posts, MOST_LIKES)
            call_command("seed_load", posts=posts, likes=likes, reset=True, **people)
            analyse()
    return name


def sizes(*, posts: int, is_all: bool) -> list[int]:
    """Return the numbers of posts between which growth is measured, the smallest first."""
    return sorted({max(posts // 10, 100), posts, 10 * posts if is_all else posts})


def fill(*, posts: int, is_all: bool) -> None:
    """Make every database of posts that a run needs."""
    for size in sizes(posts=posts, is_all=is_all):
        of_posts(size, people_of=posts)


def has_posts() -> bool:
    from posts.models import Post

    return Post.objects.exists()


def analyse() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("VACUUM (ANALYZE)")


@contextmanager
def copy_of(name: str) -> Iterator[str]:
    """Copy a database for work that changes it, and drop the copy afterwards."""
    copy = f"{name}_copy"
    administer(f'DROP DATABASE IF EXISTS "{copy}" WITH (FORCE)')
    # A database that somebody is connected to cannot be copied; who still is, was left by a run that was ended.
    administer(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    administer(f'CREATE DATABASE "{copy}" TEMPLATE "{name}"')
    try:
        yield copy
    finally:
        connection.close()
        administer(f'DROP DATABASE "{copy}" WITH (FORCE)')


def drop_all() -> list[str]:
    """Drop every database of the bench; return their names."""
    with connection._nodb_cursor() as cursor:
        cursor.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [PREFIX])
        names = [name for (name,) in cursor.fetchall()]
    for name in names:
        administer(f'DROP DATABASE "{name}" WITH (FORCE)')
    return names
