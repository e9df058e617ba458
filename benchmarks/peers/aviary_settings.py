"""Aviary as it is served, with limits that a benchmark does not reach."""

from config.settings.base import *

ALLOWED_HOSTS = ["*"]
REQUESTS_PER_MINUTE = dict.fromkeys(REQUESTS_PER_MINUTE, 10**12)
if env.bool("BENCH_UNCACHED", False):
    RESPONSE_CACHE_SECONDS = {}
