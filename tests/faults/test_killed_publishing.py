"""kill -9 at six points around the network call, for each kind of network: nothing twice, nothing lost."""

import os
import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.db.models.functions import Now
from pytest_django.fixtures import Settings

from posts.publishing.models import AccountEvent, Publication
from posts.publishing.networks import NETWORKS, http, network_named
from posts.publishing.states import Status
from tests.faults import killed_worker
from tests.networks.server import NetworkServer
from tests.networks.speakers import LinkedInSpeaker, MastodonSpeaker, Speaker, WebhookSpeaker
from tests.publishing import make_account, make_publication, publish_all

pytestmark = pytest.mark.django_db(transaction=True)

# One network of each kind, and the path on which it publishes.
KINDS: dict[str, tuple[str, type[Speaker], str]] = {
    "idempotency key": ("mastodon", MastodonSpeaker, "/api/v1/statuses"),
    "read-back": ("linkedin", LinkedInSpeaker, "/rest/posts"),
    "neither": ("webhook", WebhookSpeaker, "/hook"),
}
CASES = [(kind, point) for kind in KINDS for point in killed_worker.POINTS]
FULL_MATRIX_RUNS = 200


@pytest.fixture
def server(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[NetworkServer]:
    for name in NETWORKS:
        monkeypatch.setattr(network_named(name), "settle_seconds", 0)
    with NetworkServer() as server:
        settings.FETCH_ALLOWED_NETWORKS = ["127.0.0.0/8"]
        settings.OUTBOUND_TIMEOUT_SECONDS = 2
        settings.NETWORK_URLS = dict.fromkeys(NETWORKS, server.url)
        yield server
        http.connections().close()


def kill_and_recover(server: NetworkServer, kind: str, point: str) -> tuple[Publication, Speaker]:
    """Publish one text, kill its worker at a point, let another worker take over."""
    network, speaker_class, path = KINDS[kind]
    speaker = speaker_class()
    server.speakers[:] = [speaker]  # type: ignore[list-item]
    account = make_account(network=network, base_url=f"{server.url}/hook" if network == "webhook" else "")
    publication = make_publication(account=account)
    processes: list[Any] = []
    if point in ("requested", "accepted"):
        kill: Callable[[], None] = lambda: os.kill(processes[0].pid, signal.SIGKILL)  # noqa: E731
        server.fail("call", path=path, after=point == "accepted", action=kill)
    if point == "requested":
        server.fail("reset", path=path)
    overrides = {
        name: getattr(django_settings, name)
        for name in ("FETCH_ALLOWED_NETWORKS", "OUTBOUND_TIMEOUT_SECONDS", "NETWORK_URLS")
    }
    # The row has to wait for the process that is killed: it may only start when that is known.
    processes.append(killed_worker.start(network, point, connection.settings_dict["NAME"], overrides))
    processes[0].join(20)
    assert processes[0].exitcode == -signal.SIGKILL
    # Half a minute passes.
    Publication.objects.filter(lease_until__isnull=False).update(lease_until=Now(), due_at=Now())
    publish_all()
    publication.refresh_from_db()
    return publication, speaker


def check(publication: Publication, speaker: Speaker, kind: str, point: str) -> None:
    if kind == "neither" and point in ("begun", "requested", "accepted", "answered"):
        assert len(speaker.posts) == (point in ("accepted", "answered"))
        assert list(Publication.objects.awaiting_review()) == [publication]
        assert AccountEvent.objects.filter(account=publication.account_id, kind="review").count() == 1
    else:
        assert len(speaker.posts) == 1
        assert publication.status == Status.PUBLISHED


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One run of each case in the ordinary suite, 200 with --full."""
    runs = CASES
    if metafunc.config.getoption("--full", default=False):
        runs = (CASES * (FULL_MATRIX_RUNS // len(CASES) + 1))[:FULL_MATRIX_RUNS]
    ids = [f"{kind}-{point}-{number}" for number, (kind, point) in enumerate(runs)]
    metafunc.parametrize(("kind", "point"), runs, ids=ids)


def test_a_killed_worker_doubles_nothing_and_loses_nothing(server: NetworkServer, kind: str, point: str) -> None:
    check(*kill_and_recover(server, kind, point), kind, point)
