"""How full the connections to each database are, over all processes and in either mode."""

from typing import Any

from django.db import connections

from performance import processes
from performance.metrics import track_query

COUNT_CONNECTIONS = """
    SELECT count(*), count(*) FILTER (WHERE state <> 'idle' AND pid <> pg_backend_pid()),
           current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
    FROM pg_stat_activity
    WHERE backend_type = 'client backend'
"""


def pool_status(alias: str = "default") -> dict[str, Any]:
    """Return size, checked_out, available, overflow, max_overflow, waiting and usage (0 to 1).

    With the psycopg pool these are sums over the pools of all living processes. With persistent connections
    the limit is the server's, every connection is held by a thread, and `working` are those in a statement.
    Raises `redis.RedisError` or `django.db.Error`.
    """
    pools = [report["pools"][alias] for report in processes.alive() if alias in report["pools"]]
    return _of_pools(pools) if pools else _of_server(alias)


def pool_usage(alias: str) -> float:
    return float(pool_status(alias)["usage"])


def _of_pools(pools: list[dict[str, int]]) -> dict[str, Any]:
    def total(name: str) -> int:
        return sum(pool.get(name, 0) for pool in pools)

    base, limit, opened = total("pool_min"), total("pool_max"), total("pool_size")
    checked_out = opened - total("pool_available")
    return {
        "mode": "pool",
        "pool_size": base,
        "checked_out": checked_out,
        "available": limit - checked_out,
        "overflow": sum(max(0, pool.get("pool_size", 0) - pool["pool_min"]) for pool in pools),
        "max_overflow": limit - base,
        "total_connections": opened,
        "waiting": total("requests_waiting"),
        "timeouts": total("requests_errors"),
        "usage": round(checked_out / limit, 4) if limit else 0.0,
        "processes": len(pools),
    }


def _of_server(alias: str) -> dict[str, Any]:
    with track_query("performance.pool"), connections[alias].cursor() as cursor:
        cursor.execute(COUNT_CONNECTIONS)
        opened, working, limit = cursor.fetchone()
    return {
        "mode": "persistent",
        "pool_size": limit,
        "checked_out": opened,
        "working": working,
        "available": limit - opened,
        "overflow": 0,
        "max_overflow": 0,
        "total_connections": opened,
        "waiting": 0,
        "timeouts": 0,
        "usage": round(opened / limit, 4),
        "processes": len(processes.alive()),
    }
