import subprocess
import sys

FIRST_REQUEST = """
import gc, io, sys
from config.wsgi import application
before, loaded = set(sys.modules), gc.get_freeze_count()
environ = {
    "REQUEST_METHOD": "GET", "PATH_INFO": "/api/feed", "SERVER_NAME": "localhost", "SERVER_PORT": "80",
    "HTTP_HOST": "localhost", "wsgi.input": io.BytesIO(), "wsgi.url_scheme": "http",
}
application(environ, lambda status, headers: print(status))
late = [name for name in sys.modules.keys() - before if name.split(".")[0] in ("agents", "posts", "feed", "config")]
print(loaded > 100_000, late)
"""


def test_the_first_request_has_nothing_left_to_import_and_the_collector_little_to_look_at() -> None:
    started = subprocess.run([sys.executable, "-c", FIRST_REQUEST], capture_output=True, text=True, check=True)
    assert started.stdout.splitlines() == ["401 Unauthorized", "True []"], started.stderr
