"""What is a level rather than an event, noted once a minute for the charts."""

import json
import time
from typing import Any

from performance import processes, valkey
from performance.caches import cache_statistics
from performance.pool import pool_status

KEPT_SECONDS = 65 * 60


def note() -> None:
    """Write this minute's levels; the last one to write a minute stays. Raises `redis.RedisError`."""
    statistics = cache_statistics().values()
    pool = pool_status()
    levels = {
        # Counts since the beginning: the chart shows the difference between two minutes.
        "hits": sum(cache["hits"] for cache in statistics),
        "misses": sum(cache["misses"] for cache in statistics),
        "pool_usage": pool["usage"],
        "pool_waiting": pool["waiting"],
        "connections": pool["total_connections"],
        "memory": processes.memory_usage(),
    }
    name = valkey.key("levels", int(time.time()) // 60)
    valkey.client().set(name, json.dumps(levels), ex=KEPT_SECONDS)


def read_levels(minutes: list[int]) -> list[dict[str, Any] | None]:
    """Return the levels of each minute, None where nobody took them. Raises `redis.RedisError`."""
    found: list[bytes | None] = valkey.client().mget([valkey.key("levels", minute) for minute in minutes])  # type: ignore[assignment]
    return [json.loads(value) if value else None for value in found]
