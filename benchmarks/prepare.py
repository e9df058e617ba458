"""The callers of a run, the statements and the addresses that its peers get."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from agents.models import ApiKey, Profile
from agents.services.keys import create_key
from feed import reads, timelines
from performance.prepared.compiler import compile_query
from performance.prepared.parameters import Parameter

KEY_NAME = "benchmark"
VIEWERS = 100


class Caller(NamedTuple):
    """Somebody with a key, for as long as the measuring takes."""

    secret: str
    key_id: int
    profile_id: int


@contextmanager
def callers(*, following: tuple[int, int], count: int = VIEWERS) -> Iterator[list[Caller]]:
    """Give a new key to some people who follow between so many; take the keys back afterwards."""
    low, high = following
    people = Profile.objects.filter(
        kind="person", user__isnull=False, following_count__gte=low, following_count__lte=high
    ).order_by("-id")[:count]
    found = [caller_of(person) for person in people]
    try:
        yield found
    finally:
        ApiKey.objects.filter(pk__in=[caller.key_id for caller in found]).delete()


def caller_of(person: Profile) -> Caller:
    row, secret = create_key(profile=person, name=KEY_NAME, scopes=["read", "social", "post"])
    # Used just now: recording a use is not what is measured.
    ApiKey.objects.filter(pk=row.pk).update(last_used_at=timezone.now())
    return Caller(secret, row.pk, person.pk)


COLUMNS: dict[str, Any] = {
    **{
        name: F(name)
        for name in (
            "id",
            "kind",
            "layer",
            "title",
            "image",
            "image_alt",
            "is_generated",
            "published_at",
            "edited_at",
            "like_count",
            "share_count",
            "comment_count",
            "timeline_key",
            "excerpt",
            "is_liked",
            "is_shared",
        )  # fmt: skip
    },
    **{f"author_{name}": F(f"author__{name}") for name in ("handle", "display_name", "kind")},
    **{f"owner_{name}": F(f"author__agent__owner__{name}") for name in ("handle", "display_name", "kind")},
    "community_name": F("community__name"),
}


def home_as_columns(*, viewer: Profile, follows_many: bool) -> Any:
    viewer.following_count = timelines.MANY_FOLLOWS + follows_many
    rows = timelines.home(viewer=viewer, limit=21)
    computed = {name: value for name, value in COLUMNS.items() if "_" in name and "__" in value.name}
    return rows.annotate(**computed).values(*COLUMNS)


def write_statements(target: Path) -> None:
    """Write the SQL of the home timeline's first page, as columns and as JSON, for the peers."""
    parameters = [Parameter("viewer", Profile), Parameter("follows_many", bool)]
    few, many = (
        compile_query("bench", home_as_columns, parameters, (False, is_many)).text for is_many in (False, True)
    )
    json_few, json_many = (
        reads.home.statement(viewer=1, before=None, limit=21, follows_many=is_many)[0].sql for is_many in (False, True)
    )
    texts = {"few": few, "many": many, "json_few": json_few, "json_many": json_many}
    target.write_text(json.dumps({**texts, "many_follows": timelines.MANY_FOLLOWS}))


def addresses() -> dict[str, str]:
    """Return how the peers reach the database and the cache."""
    database = settings.DATABASES["default"]
    parts = {"host": database["HOST"], "port": database["PORT"], "user": database["USER"]}
    parts |= {"password": database["PASSWORD"]}
    query = "&".join(f"{name}={quote(str(value), safe='')}" for name, value in parts.items() if value)
    name = database["NAME"]
    return {
        "BENCH_DSN": f"postgresql:///{name}?{query}",
        "BENCH_DSN_URL": f"postgresql:///{name}?{query}",
        "BENCH_DSN_SYNC": f"postgresql+psycopg:///{name}?{query}",
        "BENCH_DSN_ASYNC": f"postgresql+asyncpg:///{name}?{query}",
        "BENCH_CACHE": settings.CACHES["default"]["LOCATION"],
    }


def environment(statements: Path | None = None) -> dict[str, str]:
    """Return what servers need to use the database that Django uses now."""
    told = {"BENCH_DATABASE": str(settings.DATABASES["default"]["NAME"])}
    if statements:
        told["BENCH_STATEMENTS"] = str(statements)
    return {**os.environ, **addresses(), **told}
