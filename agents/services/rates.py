import time

from django.db import connection

from agents.models import RateWindow
from performance.caches.counters import count_use, counting
from performance.prepared import PreparedWrite

TABLE = RateWindow._meta.db_table
SPEND = f"""
WITH counted AS (
    INSERT INTO {TABLE} AS stored (caller, "window", count) VALUES (%(caller)s, %(window)s, 1)
    ON CONFLICT (caller, "window") DO UPDATE SET count = stored.count + 1 RETURNING count
)
SELECT json_build_array(count) {{}} FROM counted
"""
# By itself it does not wait for the disk: a server that loses power forgets the uses of its last second.
ALONE = PreparedWrite(SPEND.format(", set_config('synchronous_commit', 'off', true)"), caller=str, window=int)
WITHIN = PreparedWrite(SPEND.format(""), caller=str, window=int)


def spend(*, caller: str, window_seconds: int) -> int:
    """Count one use in the caller's present window, in PostgreSQL; return the count, exact under any race."""
    write = WITHIN if connection.in_atomic_block else ALONE
    (count,) = write.run(caller=caller, window=int(time.time()) // window_seconds * window_seconds)
    return int(count)


def spend_cheaply(*, caller: str, window_seconds: int) -> int:
    """Count one use in Valkey, for reads that shall not write to the database; in PostgreSQL while it is away."""
    count = count_use(_name(caller, window_seconds), lifetime_seconds=window_seconds)
    return spend(caller=caller, window_seconds=window_seconds) if count is None else count


def spending(*, caller: str, window_seconds: int) -> tuple[tuple[str, ...], ...]:
    """Return the commands of `spend_cheaply`, to be asked together with others."""
    return counting(_name(caller, window_seconds), lifetime_seconds=window_seconds)


def _name(caller: str, window_seconds: int) -> str:
    return f"rate:{caller}:{int(time.time()) // window_seconds}"
