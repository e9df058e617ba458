"""What PostgreSQL is doing right now: `from performance.db_monitor import monitor; monitor.print_stats()`."""

import sys
from typing import Any

import redis
from django.conf import settings
from django.db import connections
from rich.console import Console
from rich.table import Table

from performance.masking import label_of
from performance.metrics import track_query
from performance.pool import pool_status
from performance.replica.freshness import databases

CONNECTIONS = """
    SELECT coalesce(state, 'other'), count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
    GROUP BY 1 ORDER BY 1
"""
WAITS = """
    SELECT wait_event_type || ': ' || wait_event, count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND state = 'active' AND wait_event IS NOT NULL AND pid <> pg_backend_pid()
    GROUP BY 1 ORDER BY 2 DESC
"""
LOCKS = """
    SELECT blocked.pid, pg_blocking_pids(blocked.pid)::text,
           extract(epoch FROM clock_timestamp() - blocked.query_start)::float, blocked.query
    FROM pg_stat_activity blocked
    WHERE blocked.datname = current_database() AND cardinality(pg_blocking_pids(blocked.pid)) > 0
    ORDER BY blocked.query_start LIMIT 20
"""
SLOW = """
    SELECT pid, extract(epoch FROM clock_timestamp() - query_start)::float, coalesce(wait_event_type, ''), query
    FROM pg_stat_activity
    WHERE datname = current_database() AND state = 'active' AND backend_type = 'client backend'
      AND pid <> pg_backend_pid() AND clock_timestamp() - query_start > make_interval(secs => %s)
    ORDER BY query_start LIMIT 20
"""
# Shares are NULL on a database that has not read anything yet.
TOTALS = """
    SELECT blks_hit::float / nullif(blks_hit + blks_read, 0), xact_commit, xact_rollback, deadlocks, temp_bytes,
           pg_database_size(current_database())
    FROM pg_stat_database WHERE datname = current_database()
"""


class DatabaseMonitor:
    """Reads PostgreSQL's own statistics. Statements are shown without their values."""

    def get_stats(self) -> dict[str, Any]:
        """Return `databases` by alias, and `slow_queries` and `locks` of all of them. Times in seconds."""
        found = {alias: self.of_database(alias) for alias in databases()}
        return {
            "databases": found,
            "slow_queries": [query for stats in found.values() for query in stats["slow_queries"]],
            "locks": [lock for stats in found.values() for lock in stats["locks"]],
        }

    def of_database(self, alias: str) -> dict[str, Any]:
        """Return the figures of one database. Raises `django.db.Error`."""
        with track_query("performance.monitor"), connections[alias].cursor() as cursor:

            def rows(sql: str, parameters: list[float] | None = None) -> list[tuple[Any, ...]]:
                cursor.execute(sql, parameters)
                found: list[tuple[Any, ...]] = cursor.fetchall()
                return found

            # Inside a transaction PostgreSQL would show what it showed before.
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            by_state, waits = dict(rows(CONNECTIONS)), dict(rows(WAITS))
            locks, slow = rows(LOCKS), rows(SLOW, [settings.SLOW_QUERY_THRESHOLD])
            (hit_ratio, commits, rollbacks, deadlocks, temporary, size), *_ = rows(TOTALS)
        pool = _pool(alias)
        return {
            "connections": {"total": sum(by_state.values()), "by_state": by_state},
            "pool": pool,
            "queue_depth": pool["waiting"] if pool else None,
            "waits": waits,
            "locks": [
                {"pid": pid, "blocked_by": by, "seconds": round(seconds, 3), "query": label_of(query)}
                for pid, by, seconds, query in locks
            ],
            "slow_queries": [
                {"pid": pid, "seconds": round(seconds, 3), "waits_for": wait, "query": label_of(query)}
                for pid, seconds, wait, query in slow
            ],
            "cache_hit_ratio": None if hit_ratio is None else round(hit_ratio, 4),
            "transactions": {"committed": commits, "rolled_back": rollbacks, "deadlocks": deadlocks},
            "temporary_bytes": temporary,
            "size_bytes": size,
        }

    def print_stats(self, console: Console | None = None) -> None:
        """Print the figures of every database."""
        console = console or Console(file=sys.stdout)
        for alias, stats in self.get_stats()["databases"].items():
            console.print(_summary(alias, stats))
            for title, found in (("Slow queries", stats["slow_queries"]), ("Blocked", stats["locks"])):
                if found:
                    console.print(_listing(title, found))


def _pool(alias: str) -> dict[str, Any] | None:
    try:
        return pool_status(alias)
    except redis.RedisError:
        return None


def _summary(alias: str, stats: dict[str, Any]) -> Table:
    table = Table(title=f"Database {alias}", show_header=False)
    states = ", ".join(f"{count} {state}" for state, count in stats["connections"]["by_state"].items())
    pool = stats["pool"]
    ratio = stats["cache_hit_ratio"]
    table.add_row("Connections", f"{stats['connections']['total']} ({states or 'none but this one'})")
    if pool:
        table.add_row("Pool", f"{pool['checked_out']} of {pool['checked_out'] + pool['available']} in use")
        table.add_row("Queue", str(pool["waiting"]))
    table.add_row("Waits", ", ".join(f"{count} {event}" for event, count in stats["waits"].items()) or "none")
    table.add_row("Cache hit ratio", "unknown" if ratio is None else f"{ratio:.2%}")
    table.add_row("Deadlocks", str(stats["transactions"]["deadlocks"]))
    table.add_row("Size", f"{stats['size_bytes'] / 1e6:.1f} MB")
    return table


def _listing(title: str, rows: list[dict[str, Any]]) -> Table:
    table = Table(*rows[0], title=title)
    for row in rows:
        table.add_row(*map(str, row.values()))
    return table


monitor = DatabaseMonitor()
