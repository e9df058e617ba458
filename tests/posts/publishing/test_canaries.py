"""Credentials through connecting, publishing, failing and refreshing: in no log, page, table, dump or answer."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection
from django.test import RequestFactory
from django.views.debug import ExceptionReporter
from pytest_django.fixtures import Settings

from agents.models import Profile
from config.embedded.layout import CLONE
from posts.publishing.models import SocialAccount
from posts.publishing.networks import http, network_named
from tests.conftest import MakeClient
from tests.networks.server import Answer, NetworkServer
from tests.posts.publishing import canaries
from tests.posts.publishing.test_connecting_api import start
from tests.publishing import make_publication

pytestmark = pytest.mark.django_db(transaction=True)

# What each sink holds at least, in characters: an empty one would be clean for nothing.
LEAST = {
    "answers": 5000,
    "pages": 50_000,
    "error pages": 50_000,
    "silk": 20_000,
    "rows": 10_000,
    "dump": 10_000,
    "broker": 1000,
    "cache": 10,
    "log": 50_000,
}


def test_a_journey_through_staging_with_silk_leaves_no_credential_anywhere(settings: Settings) -> None:
    database = connection.settings_dict
    environment = {
        **os.environ,
        "DATABASE_URL": f"postgres://{database['USER']}@{quote(database['HOST'], safe='')}/{database['NAME']}",
        "CACHE_URL": settings.CACHES["default"]["LOCATION"],
        "BROKER_URL": settings.CELERY_BROKER_URL,
        "DJANGO_SETTINGS_MODULE": "config.settings.staging",
        "SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
        "ALLOWED_HOSTS": "*",
        "SILK_PERCENT": "100",
        "METRICS_FLUSH_SECONDS": "0",
    }
    command = [sys.executable, "-m", "tests.posts.publishing.canary_journey"]
    done = subprocess.run(command, cwd=CLONE, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
    report = json.loads(done.stdout)
    assert report["found"] == dict.fromkeys(LEAST, [])
    assert not {name: size for name, size in report["sizes"].items() if size < LEAST[name]}


@pytest.fixture
def x(networks: NetworkServer, settings: Settings) -> Iterator[canaries.TalkativeX]:
    settings.NETWORK_APPS = {"x": {"client_id": "house", "client_secret": canaries.CLIENT_SECRET}}
    speaker = canaries.TalkativeX()
    networks.speakers.append(speaker)
    yield speaker


def explode(*args: Any, **options: Any) -> None:
    raise RuntimeError("A mistake of ours")


def page_of_an_error(call: Callable[[], object]) -> str:
    """Return the page that DEBUG shows for an error: every variable of every frame."""
    try:
        call()
    except RuntimeError as error:
        request = RequestFactory().get("/")
        return ExceptionReporter(request, type(error), error, error.__traceback__).get_traceback_html()
    raise AssertionError("No error came.")


@pytest.mark.parametrize("step", ["send", "refresh"])
def test_an_error_page_with_all_variables_shows_no_credential(
    step: str,
    alice: Profile,
    client_of: MakeClient,
    x: canaries.TalkativeX,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = client_of(alice)
    client.get("/api/accounts/callback/x", {"state": start(client)["state"], "code": canaries.CODE})
    publication = make_publication(account=SocialAccount.objects.get())
    network: Any = network_named("x")
    calls = {
        "send": lambda: network.send(publication, {}),
        "refresh": lambda: network.refresh(publication.account),
    }
    monkeypatch.setattr(http, "target_of", explode)
    settings.DEBUG = True
    page = page_of_an_error(calls[step])
    assert "A mistake of ours" in page
    assert "explode" in page
    assert not [canary for canary in canaries.ALL if canary in page]


def test_an_answer_that_lacks_what_is_documented_is_a_problem_and_no_error_page(
    alice: Profile, client_of: MakeClient, networks: NetworkServer, x: canaries.TalkativeX
) -> None:
    client = client_of(alice)
    networks.speakers.insert(0, lambda request: Answer(200, {"data": {}}) if request.path == "/2/users/me" else None)
    answer = client.get("/api/accounts/callback/x", {"state": start(client)["state"], "code": canaries.CODE})
    assert answer.status_code == 422
    assert answer.json()["detail"] == "The network's answer cannot be understood."
