"""What must be done now and then to stay quick. Other apps add theirs in `upkeep.py`."""

from collections.abc import Callable
from importlib.util import find_spec

from django.apps import apps
from django.db import connection
from django.utils.module_loading import autodiscover_modules

from performance.caches import remove_expired

# Statistics older than this share of a table's rows mislead the planner; autovacuum waits for a tenth.
STALE = """
    SELECT quote_ident(schemaname) || '.' || quote_ident(relname) FROM pg_stat_user_tables
    WHERE schemaname = current_schema() AND n_mod_since_analyze > greatest(50, n_live_tup * 0.02)
"""
INVALID = """
    SELECT quote_ident(nspname) || '.' || quote_ident(index.relname)
    FROM pg_index JOIN pg_class index ON index.oid = indexrelid JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE nspname = current_schema() AND NOT indisvalid
      AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index WHERE index_relid = indexrelid)
"""

_tasks: dict[str, Callable[[], object]] = {}


def register_upkeep(name: str, run: Callable[[], object]) -> None:
    """Add a task; what `run` returns is shown. A second one of the same name takes the place of the first."""
    _tasks[name] = run


def upkeep() -> dict[str, Callable[[], object]]:
    """Return every task by name."""
    autodiscover_modules("upkeep")
    return dict(sorted(_tasks.items()))


def analyze_stale() -> str:
    """Refresh the planner's statistics of the tables that changed most."""
    tables = _names(STALE)
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"ANALYZE {table}")
    return ", ".join(tables) or "nothing was stale"


def mend_invalid_indexes() -> str:
    """Build again what a killed CREATE INDEX CONCURRENTLY left behind; it blocks nobody."""
    indexes = _names(INVALID)
    with connection.cursor() as cursor:
        for index in indexes:
            cursor.execute(f"REINDEX INDEX CONCURRENTLY {index}")
    return ", ".join(indexes) or "none was invalid"


def prune_silk() -> str:
    """Drop what silk recorded beyond its bound."""
    if not apps.is_installed("silk") or find_spec("silk") is None:
        return "silk is not installed"
    from silk.models import Request

    Request.garbage_collect(force=True)
    return f"{Request.objects.count()} requests kept"


def _names(sql: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return [name for (name,) in cursor.fetchall()]


register_upkeep("analyze", analyze_stale)
register_upkeep("expired cache entries", remove_expired)
register_upkeep("invalid indexes", mend_invalid_indexes)
register_upkeep("silk", prune_silk)
