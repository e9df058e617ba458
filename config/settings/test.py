"""The test suite: real PostgreSQL and Valkey, instances of its own, nothing mocked."""

import os
from pathlib import Path

os.environ["AVIARY_STATE"] = os.environ.setdefault(
    "AVIARY_TEST_STATE", str(Path(__file__).resolve().parents[2] / ".aviary" / "test")
)
# A test database need not survive a power cut.
os.environ["AVIARY_DURABLE"] = "0"

from config import embedded
from config.settings.base import *

# pytest-xdist names its workers gw0, gw1, ...; each gets a cache and a broker of its own.
worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw-1").removeprefix("gw")) + 1
CACHES["default"]["KEY_PREFIX"] = f"aviary-test-{worker}"
if not env.str("CACHE_URL", ""):
    CACHES["default"]["LOCATION"] = embedded.valkey_url(database=2 * worker)
if not env.str("BROKER_URL", ""):
    CELERY_BROKER_URL = embedded.broker_url(database=2 * worker + 1)

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
CELERY_TASK_ALWAYS_EAGER = False
# Statements are counted with the one that asks who calls; its own tests turn this on.
API_KEY_RECALLED_SECONDS = 0
# Static files come from the apps, without collecting them first.
WHITENOISE_AUTOREFRESH = WHITENOISE_USE_FINDERS = True
# Tests flush by hand: no thread runs beside them.
METRICS_FLUSH_SECONDS = 0
# A stream says what there is and ends: no test waits for one that it does not hold.
EVENT_STREAMS = 0
STORAGES["exports"]["OPTIONS"]["location"] = Path(os.environ["AVIARY_STATE"]) / "exports" / str(worker)
