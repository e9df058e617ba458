"""What measuring every request costs: the same request through the same handler, measured and not, in turn.

In one process without a network, where a hundredth of a request can be seen. What is measured is flushed to Valkey as
often as a server does, and that is timed too.
"""

import io
import time
from collections.abc import Callable, Sequence
from itertools import cycle, islice
from statistics import median
from typing import Any

from django.conf import settings
from django.db import connection
from django.test import override_settings

from benchmarks import databases, prepare
from benchmarks.options import Options
from benchmarks.results import Row, from_rounds
from config.handlers import KeyHandler
from performance.metrics.recorder import recorder
from performance.metrics.statements import _measure, watch

MEASURING = "performance.middleware.measure_requests"
# What a server of 400 requests a second measures between two flushes.
REQUESTS_PER_FLUSH = 2000
MOST_SHARE = 0.01

type Application = Callable[[dict[str, Any], Callable[..., Any]], Any]


def rows(options: Options) -> list[Row]:
    """Compare the median time of a request with and without measuring, on the feed without its cache."""
    databases.use(databases.of_posts(options.posts, people_of=options.posts))
    with prepare.callers(following=(10, 100)) as callers:
        secrets = [caller.secret for caller in callers]
        # The thread sleeps through all of it: what it would do is timed with the requests.
        with override_settings(METRICS_FLUSH_SECONDS=3600):
            applications = handler(is_measured=True), handler(is_measured=False)
            found = [compare(*applications, secrets) for _ in range(options.rounds + 1)][1:]
    return [
        from_rounds("measuring, share of a request's time", [cost / plain for cost, plain in found], "<=", MOST_SHARE),
        from_rounds("measuring", [cost * 1e6 for cost, _ in found], unit="µs"),
        from_rounds("the request without it", [plain * 1e6 for _, plain in found], unit="µs"),
    ]


def handler(*, is_measured: bool) -> Application:
    """Build Django's handler for requests with a key, as `config.wsgi` does."""
    layers = [layer for layer in settings.KEY_MIDDLEWARE if is_measured or layer != MEASURING]
    with override_settings(KEY_MIDDLEWARE=layers):
        return KeyHandler()


def compare(measured: Application, plain: Application, secrets: Sequence[str]) -> tuple[float, float]:
    """Return the seconds that measuring adds to a request, and what the request takes without it: medians."""
    times: dict[bool, list[float]] = {True: [], False: []}
    for number, secret in enumerate(islice(cycle(secrets), REQUESTS_PER_FLUSH)):
        # Whoever asks second finds the reader's pages warm: each is first in turn.
        for is_measured in (True, False) if number % 2 else (False, True):
            arrange(is_measured=is_measured)
            times[is_measured].append(seconds(measured if is_measured else plain, secret))
    started = time.perf_counter()
    recorder.flush()
    flush = (time.perf_counter() - started) / REQUESTS_PER_FLUSH
    without = median(times[False])
    return median(times[True]) - without + flush, without


def arrange(*, is_measured: bool) -> None:
    """Put on the connection what counts its statements, or take it off: it is a part of what is measured."""
    if is_measured:
        watch(connection)
    else:
        connection.execute_wrappers[:] = [each for each in connection.execute_wrappers if each is not _measure]


def seconds(application: Application, secret: str) -> float:
    asked = environ(secret)
    started = time.perf_counter()
    answer = application(asked, check)
    b"".join(answer)
    answer.close()
    return time.perf_counter() - started


def environ(secret: str) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "GET", "PATH_INFO": "/api/feed", "SCRIPT_NAME": "", "QUERY_STRING": "",
        "SERVER_NAME": "localhost", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "localhost", "HTTP_AUTHORIZATION": f"Bearer {secret}",
        "wsgi.input": io.BytesIO(), "wsgi.url_scheme": "http", "wsgi.errors": io.StringIO(),
    }  # fmt: skip


def check(status: str, headers: Any, *_: Any) -> None:
    if not status.startswith("200"):
        raise SystemExit(f"/api/feed answered {status}.")
