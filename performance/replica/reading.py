import logging
from collections.abc import Callable

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, DatabaseError, InterfaceError, OperationalError, connections
from psycopg import errors

from performance.caches.invalidation import TAG_LIFETIME_SECONDS, WITHDRAWN, add_missing_versions, settle, tag_key
from performance.caches.valkey import UNREACHABLE
from performance.caches.wire import ask_all
from performance.replica.freshness import freshness
from performance.replica.router import REPLICA, reads_from
from performance.response_cache.viewers import viewer_tag

logger = logging.getLogger(__name__)

# Between a commit and the change of its tags, and between two looks at a replica's log.
MARGIN_SECONDS = 1


def may_lag[T](read: Callable[[], T], *, viewer: int | None) -> T:
    """Run a read on the replica if it has all that this viewer (a profile's id) must see, else on the primary.

    `read` loads its rows before it returns; when the replica fails it is run again.
    """
    if REPLICA not in connections.settings or connections[DEFAULT_DB_ALIAS].in_atomic_block:
        return read()
    if not freshness.is_fresh() or _wrote_lately(viewer):
        return read()
    routed = reads_from.set(REPLICA)
    try:
        with freshness.reading():
            return read()
    except (DatabaseError, InterfaceError) as error:
        # What took too long there would take too long here.
        if isinstance(error.__cause__, errors.QueryCanceled):
            raise
        if isinstance(error, OperationalError | InterfaceError):
            freshness.doubt(error)
    finally:
        reads_from.reset(routed)
    return read()


def _wrote_lately(viewer: int | None) -> bool:
    """Tell whether the viewer wrote, or anything was withdrawn, later than the replica is known to have."""
    settle()
    tags = [WITHDRAWN, viewer_tag(viewer)]
    # A version that was lost is drawn again, and counts as a write until it is old enough.
    replies = ask_all(*add_missing_versions(tags), *[("PTTL", tag_key(tag)) for tag in tags])
    if replies is UNREACHABLE:
        return True
    oldest = (TAG_LIFETIME_SECONDS - settings.REPLICA_MAX_LAG_SECONDS - MARGIN_SECONDS) * 1000
    return any(not isinstance(left, int) or left > oldest for left in replies[len(tags) :])
