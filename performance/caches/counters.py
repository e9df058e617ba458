from performance.caches.valkey import UNREACHABLE, key
from performance.caches.wire import ask_all


def count_use(name: str, *, lifetime_seconds: int) -> int | None:
    """Count one use under a name and return the count, or None when Valkey cannot say."""
    entry = key("count", name)
    replies = ask_all(("SET", entry, "0", "NX", "EX", str(lifetime_seconds)), ("INCR", entry))
    return None if replies is UNREACHABLE or not isinstance(replies[1], int) else replies[1]
