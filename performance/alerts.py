"""One alert per episode, whichever of the processes sees it first, and one recovery at its end.

Two hashes in Valkey hold the state: `open` (the claim: HSETNX by who raises, HDEL by who clears) and `seen`
(when the threshold was last found crossed). Losing them raises a lasting episode a second time, no worse.
"""

import json
import logging
import time
from dataclasses import asdict, dataclass
from typing import Any

from django.conf import settings

from performance import valkey, webhook

logger = logging.getLogger("performance.alerts")

HISTORY_LENGTH = 50


@dataclass(frozen=True, kw_only=True)
class Crossing:
    """A threshold that was found crossed. `kind` and `scope` name the episode, `subject` says what did it."""

    kind: str
    scope: str = ""
    subject: str = ""
    value: float
    threshold: float
    unit: str
    trace: str = ""

    @property
    def episode(self) -> str:
        return f"{self.kind}:{self.scope}" if self.scope else self.kind


def observe(crossing: Crossing) -> bool:
    """Note a crossing; return whether this call began the episode. Raises `redis.RedisError`."""
    now = time.time()
    fields = {**asdict(crossing), "started_at": now}
    with valkey.client().pipeline(transaction=True) as pipeline:
        pipeline.hset(valkey.key("alerts", "seen"), crossing.episode, str(now))
        pipeline.hsetnx(valkey.key("alerts", "open"), crossing.episode, json.dumps(fields))
        _, is_new = pipeline.execute()
    if is_new:
        _announce("raised", fields)
    return bool(is_new)


def clear_recovered() -> list[str]:
    """End the episodes not seen for ALERT_RECOVERY_SECONDS; return those that this call ended.

    A crossing in the very moment of its recovery may end here and begin again: accepted.
    """
    seen: dict[bytes, bytes] = valkey.client().hgetall(valkey.key("alerts", "seen"))  # type: ignore[assignment]
    limit = time.time() - settings.ALERT_RECOVERY_SECONDS
    open_now = {alert["episode"]: alert for alert in open_alerts()}
    ended = []
    for name in [name.decode() for name, at in seen.items() if float(at) < limit]:
        if valkey.client().hdel(valkey.key("alerts", "open"), name) and name in open_now:
            ended.append(name)
            _announce("recovered", {key: value for key, value in open_now[name].items() if key != "episode"})
        valkey.client().hdel(valkey.key("alerts", "seen"), name)
    return ended


def open_alerts() -> list[dict[str, Any]]:
    """Return the episodes that last, the newest first. Raises `redis.RedisError`."""
    found: dict[bytes, bytes] = valkey.client().hgetall(valkey.key("alerts", "open"))  # type: ignore[assignment]
    alerts = [{"episode": name.decode(), **json.loads(value)} for name, value in found.items()]
    return sorted(alerts, key=lambda alert: -alert["started_at"])


def history() -> list[dict[str, Any]]:
    """Return what was announced, the newest first. Raises `redis.RedisError`."""
    found: list[bytes] = valkey.client().lrange(valkey.key("alerts", "history"), 0, HISTORY_LENGTH - 1)  # type: ignore[assignment]
    return [json.loads(value) for value in found]


def _announce(event: str, fields: dict[str, Any]) -> None:
    announcement = {"event": event, "at": time.time(), **fields}
    line = " ".join(f"{key}={value}" for key, value in announcement.items() if value != "")
    logger.log(logging.ERROR if event == "raised" else logging.WARNING, "alert %s", line)
    with valkey.client().pipeline(transaction=True) as pipeline:
        pipeline.lpush(valkey.key("alerts", "history"), json.dumps(announcement))
        pipeline.ltrim(valkey.key("alerts", "history"), 0, HISTORY_LENGTH - 1)
        pipeline.execute()
    if settings.ALERT_WEBHOOK_URL:
        webhook.send(settings.ALERT_WEBHOOK_URL, announcement)
