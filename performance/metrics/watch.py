"""What the metrics thread does after each flush: report the process, raise alerts, clear the recovered."""

import logging
import os
import socket
from collections.abc import Iterator

import redis
from django.conf import settings
from django.db import Error, connections

from performance import alerts, processes, valkey
from performance.alerts import Crossing
from performance.metrics import gauges
from performance.metrics.recorder import Measurement, recorder
from performance.metrics.store import ENDPOINT, QUERY
from performance.pool import pool_usage
from performance.replica.freshness import databases

logger = logging.getLogger(__name__)

# One process at a time watches what belongs to all.
WATCH_SECONDS = 10


def tick() -> None:
    """Run one round; a fault of Valkey or PostgreSQL ends the round, not the thread."""
    try:
        processes.report()
        for crossing in _crossings():
            alerts.observe(crossing)
        if _is_watcher():
            alerts.clear_recovered()
            gauges.note()
    except (redis.RedisError, Error):
        logger.warning("watch_skipped", exc_info=settings.DEBUG)
    finally:
        connections.close_all()


def _crossings() -> Iterator[Crossing]:
    slowest = recorder.take_slowest()
    if request := slowest.get(ENDPOINT):
        yield from _slow("api", request, settings.ALERT_API_SECONDS)
    if query := slowest.get(QUERY):
        yield from _slow("query", query, settings.ALERT_QUERY_SECONDS)
    memory = processes.memory_usage()
    if memory is not None and memory > settings.ALERT_MEMORY_SHARE:
        yield _share("memory", memory, settings.ALERT_MEMORY_SHARE, scope=socket.gethostname())
    if _is_watcher():
        for alias in databases():
            usage = pool_usage(alias)
            if usage > settings.ALERT_POOL_SHARE:
                yield _share("pool", usage, settings.ALERT_POOL_SHARE, scope=alias)


def _slow(kind: str, slow: Measurement, threshold_seconds: float) -> Iterator[Crossing]:
    seconds = slow.microseconds / 1e6
    if seconds > threshold_seconds:
        yield Crossing(
            kind=kind,
            subject=slow.name,
            value=round(seconds, 3),
            threshold=threshold_seconds,
            unit="s",
            trace=slow.trace,
        )


def _share(kind: str, value: float, threshold: float, *, scope: str) -> Crossing:
    return Crossing(kind=kind, scope=scope, value=round(value * 100, 1), threshold=round(threshold * 100, 1), unit="%")


def _is_watcher() -> bool:
    """Claim the watch for a while, or keep it; when the process that has it ends, another takes over."""
    me = f"{socket.gethostname()}:{os.getpid()}"
    name = valkey.key("watcher")
    client = valkey.client()
    if client.set(name, me, nx=True, ex=WATCH_SECONDS):
        return True
    return client.get(name) == me.encode() and bool(client.expire(name, WATCH_SECONDS))
