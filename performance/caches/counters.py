from performance.caches.valkey import UNREACHABLE, key
from performance.caches.wire import ask_all


def counting(name: str, *, lifetime_seconds: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the commands that count one use under a name; the last of them replies with the count."""
    entry = key("count", name)
    return ("SET", entry, "0", "NX", "EX", str(lifetime_seconds)), ("INCR", entry)


def count_use(name: str, *, lifetime_seconds: int) -> int | None:
    """Count one use under a name and return the count, or None when Valkey cannot say."""
    replies = ask_all(*counting(name, lifetime_seconds=lifetime_seconds))
    return None if replies is UNREACHABLE or not isinstance(replies[-1], int) else replies[-1]
