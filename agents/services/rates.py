import time

from django.db import connection

from agents.models import RateWindow
from performance.caches.counters import count_use


def spend(*, caller: str, window_seconds: int) -> int:
    """Count one use in the caller's present window, in PostgreSQL; return the count, exact under any race."""
    window = int(time.time()) // window_seconds * window_seconds
    table = RateWindow._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO {table} (caller, "window", count) VALUES (%s, %s, 1)
            ON CONFLICT (caller, "window") DO UPDATE SET count = {table}.count + 1
            RETURNING count
            """,
            [caller, window],
        )
        return int(cursor.fetchone()[0])


def spend_cheaply(*, caller: str, window_seconds: int) -> int:
    """Count one use in Valkey, for reads that shall not write to the database; in PostgreSQL while it is away."""
    window = int(time.time()) // window_seconds
    count = count_use(f"rate:{caller}:{window}", lifetime_seconds=window_seconds)
    return spend(caller=caller, window_seconds=window_seconds) if count is None else count
