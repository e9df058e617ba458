"""Silk in a process of its own, because it must not be installed where the other tests run."""

import os
import subprocess
import sys

import pytest
from django.db import connection

SCRIPT = """
import os
import django
django.setup()
# Not in this text, which is part of the tracebacks that silk keeps.
secret = os.environ["SECRET"]
from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
settings.ALLOWED_HOSTS = ["*"]
call_command("migrate", "silk", verbosity=0)
client = Client(headers={"Authorization": f"Bearer {secret}", "Cookie": f"sessionid={secret}"})
assert client.get(f"/api/users/{secret}?q={secret}").status_code in (401, 404)
assert client.post("/api/auth/token", {"username": secret, "password": secret},
                   content_type="application/json").status_code in (400, 401, 404)
assert Client().get(f"/api/users/{secret}").status_code == 404
from silk.models import Request, Response, SQLQuery
dump = repr([list(model.objects.values_list()) for model in (Response, SQLQuery)])
dump += repr(list(Request.objects.values_list("query_params", "raw_body", "body", "encoded_headers")))
print(Request.objects.count(), SQLQuery.objects.count() > 0, secret in dump)
print(Client().get("/silk/").status_code)
call_command("migrate", "silk", "zero", verbosity=0)
"""


@pytest.mark.django_db(transaction=True)
def test_it_keeps_no_value_and_shows_itself_to_nobody() -> None:
    database = connection.settings_dict
    url = f"postgres://{database['USER']}@{database['HOST'].replace('/', '%2F')}/{database['NAME']}"
    environment = {
        **os.environ,
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "config.settings.dev",
        "METRICS_FLUSH_SECONDS": "0",
        "SECRET": "canary",
    }
    done = subprocess.run([sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["3", "True", "False", "302"], done.stdout + done.stderr
