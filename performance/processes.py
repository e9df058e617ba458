"""What every process says about itself, so that any of them can answer for all."""

import json
import os
import socket
import sys
import time
from pathlib import Path
from typing import Any

from django.db import connections

from performance import valkey

# A process reports at every flush; one that has been silent this long is gone.
SILENT_SECONDS = 30
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def report() -> None:
    """Tell the others about this process. Raises `redis.RedisError`."""
    fields = {
        "at": time.time(),
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "program": Path(sys.argv[0]).name,
        "rss_bytes": rss_bytes(),
        "pools": {alias: stats for alias in connections if (stats := pool_stats(alias))},
    }
    valkey.client().hset(valkey.key("processes"), f"{fields['host']}:{fields['pid']}", json.dumps(fields))


def alive() -> list[dict[str, Any]]:
    """Return the reports of all living processes, and forget the dead. Raises `redis.RedisError`."""
    found: dict[bytes, bytes] = valkey.client().hgetall(valkey.key("processes"))  # type: ignore[assignment]
    reports = {name: json.loads(value) for name, value in found.items()}
    oldest = time.time() - SILENT_SECONDS
    if dead := [name for name, fields in reports.items() if fields["at"] < oldest]:
        valkey.client().hdel(valkey.key("processes"), *dead)
    return [fields for fields in reports.values() if fields["at"] >= oldest]


def pool_stats(alias: str) -> dict[str, int]:
    """Return the figures of this process's psycopg pool; empty when Django keeps the connections."""
    pool = getattr(connections[alias], "pool", None)
    return dict(pool.get_stats()) if pool is not None else {}


def rss_bytes() -> int:
    """Return the memory that this process holds; 0 where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_BYTES
    except OSError:
        return 0


def memory_usage() -> float | None:
    """Return the used share (0 to 1) of the memory of this container, else of this machine; None if unknown."""
    return _container_memory() or _machine_memory()


def _container_memory() -> float | None:
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text().strip()
        used = int(Path("/sys/fs/cgroup/memory.current").read_text())
        statistics = dict(line.split() for line in Path("/sys/fs/cgroup/memory.stat").read_text().splitlines())
    except (OSError, ValueError):
        return None
    # Page cache that the kernel can drop is not pressure.
    return None if limit == "max" else (used - int(statistics.get("inactive_file", 0))) / int(limit)


def _machine_memory() -> float | None:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    kilobytes = {name.rstrip(":"): int(value) for name, value, *_ in map(str.split, lines)}
    return 1 - kilobytes["MemAvailable"] / kilobytes["MemTotal"]
