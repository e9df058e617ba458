"""Aviary as it is served, on a database of the bench's own, with limits that a benchmark does not reach."""

from config.settings.base import *

ALLOWED_HOSTS = ["*"]
REQUESTS_PER_MINUTE = dict.fromkeys(REQUESTS_PER_MINUTE, 10**12)
if env.str("BENCH_DATABASE", ""):
    DATABASES["default"]["NAME"] = env.str("BENCH_DATABASE")
CACHES["default"]["KEY_PREFIX"] = f"bench:{DATABASES['default']['NAME']}"
if env.bool("BENCH_UNCACHED", False):
    RESPONSE_CACHE_SECONDS = {}
