import subprocess
import sys

FIRST_REQUEST = """
import gc, io, sys
from django.core.signals import request_finished, request_started
told = []
for signal in (request_started, request_finished):
    signal.connect(lambda signal, **about: told.append(signal), weak=False)
from config.wsgi import application
before, loaded = set(sys.modules), gc.get_freeze_count()
environ = {
    "REQUEST_METHOD": "GET", "PATH_INFO": "/api/feed", "SERVER_NAME": "localhost", "SERVER_PORT": "80",
    "HTTP_HOST": "localhost", "wsgi.input": io.BytesIO(), "wsgi.url_scheme": "http",
}
answer = application(environ, lambda status, headers: print(status))
getattr(answer, "close", list)()
late = [name for name in sys.modules.keys() - before if name.split(".")[0] in ("agents", "posts", "feed", "config")]
print(loaded > 100_000, late)
# Tens of megabytes in every process, for what few requests do.
print({"numpy", "cryptography.fernet", "openai", "trafilatura"} & sys.modules.keys())
listeners = [[listener() for _, listener, *_ in signal.receivers if hasattr(listener, "__callback__")]
             for signal in (request_started, request_finished)]
print(told == [request_started, request_finished], [[one.__name__ for one in some] for some in listeners])
"""


def test_the_first_request_has_nothing_left_to_import_little_to_collect_and_few_listeners() -> None:
    started = subprocess.run([sys.executable, "-c", FIRST_REQUEST], capture_output=True, text=True, check=True)
    assert started.stdout.splitlines() == [
        "401 Unauthorized",
        "True []",
        "set()",
        "True [[], ['close_old_connections']]",
    ], started.stderr
