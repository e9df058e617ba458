"""The raw Valkey connection that monitoring shares with the default cache."""

from typing import cast

import redis
from django.conf import settings
from django_redis import get_redis_connection


def client() -> redis.Redis:
    """Return a client that answers in bytes and raises `redis.RedisError` when Valkey is down or slow."""
    return cast(redis.Redis, get_redis_connection("default"))


def key(*parts: object) -> str:
    """Name a key of monitoring; it never meets the keys of the cache."""
    prefix = settings.CACHES["default"].get("KEY_PREFIX", "")
    return ":".join([str(prefix), "performance", *map(str, parts)])
