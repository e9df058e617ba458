"""config.settings.production refuses what only suits development."""

import json
import os
import subprocess
import sys

import pytest

from config.embedded.layout import CLONE

GOOD_KEY = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
PRINT_SETTINGS = """
import json
from config.settings import production as p
names = [name for name in dir(p) if name.startswith(("SECURE_", "SESSION_COOKIE", "CSRF_", "DEBUG", "MIDDLEWARE"))]
print(json.dumps({name: getattr(p, name) for name in names}, default=str))
"""


def run(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings.production", **env}
    return subprocess.run([sys.executable, *arguments], cwd=CLONE, env=env, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("env", "sentence"),
    [
        ({}, "Set SECRET_KEY to at least 50 random characters."),
        ({"SECRET_KEY": "short"}, "Set SECRET_KEY to at least 50 random characters."),
        ({"SECRET_KEY": "x" * 60}, "Set SECRET_KEY to at least 50 random characters."),
        ({"SECRET_KEY": "django-insecure-" + GOOD_KEY}, "Set SECRET_KEY to at least 50 random characters."),
        ({"SECRET_KEY": GOOD_KEY, "DEBUG": "1"}, "DEBUG cannot be switched on with config.settings.production."),
        ({"SECRET_KEY": GOOD_KEY, "CONN_MAX_AGE": "soon"}, 'Environment variable "CONN_MAX_AGE" invalid'),
    ],
)
def test_it_refuses_to_start_and_says_why_in_one_sentence(env: dict[str, str], sentence: str) -> None:
    done = run("manage.py", "check", **env)
    assert done.returncode == 1
    assert done.stderr.startswith(sentence)
    assert done.stderr.count("\n") == 1


def test_it_protects_cookies_and_transport() -> None:
    found = json.loads(run("-c", PRINT_SETTINGS, SECRET_KEY=GOOD_KEY).stdout)
    assert found["DEBUG"] is False
    assert found["SECURE_HSTS_SECONDS"] == 31_536_000
    assert found["SECURE_SSL_REDIRECT"] is True
    assert found["SESSION_COOKIE_SECURE"] is True
    assert found["CSRF_COOKIE_SECURE"] is True
    assert found["SECURE_CSP"]["default-src"] == ["'self'"]
    assert not any("silk" in name or "debug_toolbar" in name for name in found["MIDDLEWARE"])


def test_a_forwarded_protocol_is_believed_only_behind_a_trusted_proxy() -> None:
    alone = json.loads(run("-c", PRINT_SETTINGS, SECRET_KEY=GOOD_KEY).stdout)
    behind = json.loads(run("-c", PRINT_SETTINGS, SECRET_KEY=GOOD_KEY, TRUSTED_PROXY="1").stdout)
    assert "SECURE_PROXY_SSL_HEADER" not in alone
    assert behind["SECURE_PROXY_SSL_HEADER"] == ["HTTP_X_FORWARDED_PROTO", "https"]
