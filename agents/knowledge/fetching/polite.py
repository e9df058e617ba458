"""Fetching the way a host asks for it: robots.txt, and one request at a time."""

import time
from datetime import timedelta
from typing import Any
from urllib.robotparser import RobotFileParser

from django.db import connection
from django.utils import timezone

from agents.knowledge.fetching.addresses import Target, target_of
from agents.knowledge.fetching.client import USER_AGENT, Fetched, FetchFailed, fetch
from agents.knowledge.models import FetchedHost

SECONDS_BETWEEN_REQUESTS = 1.0
# Who has to wait longer than this comes back later instead of holding a worker.
MAX_WAIT_SECONDS = 5.0
ROBOTS_LIFETIME = timedelta(hours=24)
MAX_ROBOTS_BYTES = 500 * 1024
DISALLOW_ALL = "User-agent: *\nDisallow: /"


class NotAllowed(FetchFailed):
    """The host's robots.txt asks not to fetch this address."""


class HostBusy(FetchFailed):
    """Others wait for this host already: come back in `wait_seconds`."""

    def __init__(self, wait_seconds: float) -> None:
        super().__init__(f"The host is asked by others already; it is free in {wait_seconds:.0f} s.")
        self.wait_seconds = wait_seconds


def fetch_politely(url: str, **options: Any) -> Fetched:
    """Fetch a page or feed once the host's robots.txt allows it and its turn has come; see `fetch()`.

    Raises what `fetch()` does, `NotAllowed` and `HostBusy`.
    """
    target = target_of(url)
    robots = _robots(target, **options)
    if not robots.can_fetch(USER_AGENT, target.path):
        raise NotAllowed("The host's robots.txt asks not to fetch this address.")
    _wait_for_turn(target.origin)
    return fetch(url, **options)


def _wait_for_turn(origin: str) -> None:
    """Book the next free second of a host, across all processes, and wait for it."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO knowledge_fetchedhost (origin, robots, next_request_at)
            VALUES (%(origin)s, '', clock_timestamp() + %(gap)s::interval)
            ON CONFLICT (origin) DO UPDATE
            SET next_request_at = GREATEST(knowledge_fetchedhost.next_request_at, clock_timestamp()) + %(gap)s::interval
            WHERE knowledge_fetchedhost.next_request_at < clock_timestamp() + %(most)s::interval
            RETURNING extract(epoch FROM next_request_at - %(gap)s::interval - clock_timestamp())
            """,
            {
                "origin": origin,
                "gap": f"{SECONDS_BETWEEN_REQUESTS} seconds",
                "most": f"{MAX_WAIT_SECONDS} seconds",
            },
        )
        row = cursor.fetchone()
    if row is None:
        raise HostBusy(MAX_WAIT_SECONDS)
    time.sleep(max(float(row[0]), 0))


def _robots(target: Target, **options: Any) -> RobotFileParser:
    known = FetchedHost.objects.filter(origin=target.origin).first()
    if known and known.robots_read_at and known.robots_read_at > timezone.now() - ROBOTS_LIFETIME:
        text = known.robots
    else:
        text = _fetch_robots(target, **options)
        now = timezone.now()
        FetchedHost.objects.update_or_create(
            origin=target.origin,
            defaults={"robots": text, "robots_read_at": now},
            create_defaults={"robots": text, "robots_read_at": now, "next_request_at": now},
        )
    parser = RobotFileParser()
    parser.parse(text.splitlines())
    return parser


def _fetch_robots(target: Target, **options: Any) -> str:
    """Return a host's rules; per RFC 9309 none if it has none, and all forbidden if it cannot say."""
    try:
        answer = fetch(f"{target.origin}/robots.txt", **options | {"max_bytes": MAX_ROBOTS_BYTES, "headers": None})
    except FetchFailed:
        return DISALLOW_ALL
    if answer.status >= 500:
        return DISALLOW_ALL
    return answer.body.decode("utf-8", "ignore").replace("\0", "") if answer.status < 300 else ""
