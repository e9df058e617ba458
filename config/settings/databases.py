"""How Aviary connects to PostgreSQL: persistent connections, or the psycopg pool when DB_POOL_SIZE is set."""

from collections.abc import Callable
from typing import Any

from environs import Env

# Time limits of web requests and tasks. Behind PgBouncer, which refuses start-up parameters it does not know,
# set DB_STARTUP_OPTIONS=false and give the role the same limits with ALTER ROLE ... SET.
STARTUP_OPTIONS = (
    "-c statement_timeout=30s -c lock_timeout=5s -c idle_in_transaction_session_timeout=60s"
    # Prepared reads are planned once: planning them again for each value costs more than they do.
    " -c plan_cache_mode=force_generic_plan"
    # A vector search goes on until its filters have left enough rows.
    " -c hnsw.iterative_scan=strict_order -c hnsw.ef_search=100"
)

# A request waits this long for a connection before it is answered with 503; the promise is under 6 s.
MAX_WAIT_SECONDS = 5


def database(env: Env, *, variable: str, default: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return one entry of DATABASES from the URL in `variable`, else `default`; its options win over these."""
    config: dict[str, Any] = dict(env.dj_db_url(variable) if env.str(variable, "") else default())
    options: dict[str, Any] = {
        "connect_timeout": MAX_WAIT_SECONDS,
        "application_name": "aviary",
        "keepalives": 1,
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "keepalives_count": 5,
    }
    if env.bool("DB_STARTUP_OPTIONS", True):
        options["options"] = STARTUP_OPTIONS
    config["OPTIONS"] = {**options, **config.get("OPTIONS", {})}
    pool_size = env.int("DB_POOL_SIZE", 0)
    # Health checks make a connection that went stale while idle unnoticed by the reader.
    config["CONN_HEALTH_CHECKS"] = env.bool("DB_POOL_PRE_PING", True)
    # Reconnecting on every request costs 9 ms. The pool keeps connections itself, so Django must not.
    config["CONN_MAX_AGE"] = env.int("CONN_MAX_AGE", 0 if pool_size else 600)
    if pool_size:
        config["OPTIONS"]["pool"] = pool_options(env, size=pool_size)
    return config


def replica(env: Env, *, variable: str) -> dict[str, Any]:
    """Return the entry of the replica; a reader does not wait for it, since the primary answers too."""
    config = database(env, variable=variable, default=dict)
    config["OPTIONS"]["connect_timeout"] = 2
    if "pool" in config["OPTIONS"]:
        config["OPTIONS"]["pool"] |= {"timeout": 1, "name": "aviary-replica"}
    config["TEST"] = {"MIRROR": "default"}
    return config


def pool_options(env: Env, *, size: int) -> dict[str, Any]:
    """Translate the pool's environment variables to psycopg_pool: one pool per process and database.

    DB_MAX_OVERFLOW are connections above DB_POOL_SIZE that exist only under load; DB_POOL_RECYCLE is the
    longest life of a connection in seconds; DB_POOL_TIMEOUT the longest wait for one in seconds, at most 5.
    """
    return {
        "min_size": size,
        "max_size": size + env.int("DB_MAX_OVERFLOW", 10),
        "max_lifetime": env.int("DB_POOL_RECYCLE", 1800),
        "max_idle": 60,
        "timeout": min(env.float("DB_POOL_TIMEOUT", MAX_WAIT_SECONDS), MAX_WAIT_SECONDS),
        "name": "aviary",
    }
