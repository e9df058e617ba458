"""One journey of planted credentials through a house with staging's settings, with silk on every request.

A script for a process of its own, because silk is to be installed in no other. It prints, as JSON, in which sinks a
credential was found, and how much each of them holds.
"""

import base64
import io
import json
import logging
import sys
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.signals import got_request_exception  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client, override_settings  # noqa: E402
from django.utils import timezone  # noqa: E402
from django.views.debug import ExceptionReporter  # noqa: E402
from django_redis import get_redis_connection  # noqa: E402
from kombu import Connection  # noqa: E402
from silk.models import Request as SilkRequest  # noqa: E402

from posts.publishing import tasks  # noqa: E402
from posts.publishing.models import LatestFigures, Publication, SocialAccount  # noqa: E402
from posts.publishing.networks import NETWORKS, http  # noqa: E402
from posts.publishing.services.accounts import expire_token  # noqa: E402
from tests.factories import make_key, make_person  # noqa: E402
from tests.networks.server import NetworkServer  # noqa: E402
from tests.posts.publishing.canaries import (  # noqa: E402
    ALL,
    APP_PASSWORD,
    CLIENT_SECRET,
    CODE,
    TalkativePds,
    TalkativeX,
    rows_of,
)

QUEUE = "canaries"
STATIC_FILES = "django.contrib.staticfiles.storage.StaticFilesStorage"


class Journey:
    """Connects, publishes, fails and refreshes, as a person with a key and as a superuser in the admin."""

    def __init__(self, network: NetworkServer) -> None:
        self.x = TalkativeX()
        network.speakers += [self.x, TalkativePds()]
        self.url = network.url
        self.owner = make_person("journey")
        self.key = make_key(self.owner)
        self.client = Client(headers={"Authorization": f"Bearer {self.key}"}, raise_request_exception=False)
        self.canaries = [*ALL, self.key]
        self.answers: list[str] = []
        self.error_pages: list[str] = []
        got_request_exception.connect(self.render)

    def render(self, request: Any, **kwargs: Any) -> None:
        """Keep the page that DEBUG would show for an error: every variable of every frame."""
        settings.DEBUG = True
        self.error_pages.append(ExceptionReporter(request, *sys.exc_info()).get_traceback_html())
        settings.DEBUG = False

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self.client.post(path, body, content_type="application/json", secure=True)
        self.answers.append(answer.content.decode())
        found: dict[str, Any] = answer.json()
        return found

    def get(self, path: str, query: dict[str, str] | None = None) -> None:
        self.answers.append(self.client.get(path, query, secure=True).content.decode())

    def come_back(self, *, code: str) -> None:
        asked = self.post("/api/accounts", {"network": "x"})["authorize_url"]
        state = parse_qs(urlsplit(asked).query)["state"][0]
        self.get("/api/accounts/callback/x", {"state": state, "code": code})

    def connect(self) -> None:
        for _ in range(2):
            self.come_back(code=CODE)
            # The second time it is refused, in words that repeat all that was sent.
            self.x.refuses = not self.x.refuses
        for identifier in ("nobody", "wren"):
            self.post("/api/accounts", {"network": "bluesky", "identifier": identifier, "password": APP_PASSWORD})
        # These two show their secret once, to whoever asked; from then on it is one of the canaries.
        body = {"network": "webhook", "base_url": f"{self.url}/hook"}
        shown = self.client.post("/api/accounts", body, content_type="application/json", secure=True).json()
        endpoint = {"url": f"{self.url}/told", "kinds": ["created", "failed", "needs_reconnect"]}
        told = self.client.post("/api/webhooks", endpoint, content_type="application/json", secure=True).json()
        self.canaries += [shown["secret"], told["signing_secret"]]

    def publish(self) -> None:
        """Publish to all, with a token that has run out, with one that is refused, and let figures be asked for."""
        accounts = list(SocialAccount.objects.filter(owner=self.owner).order_by("pk"))
        for number in range(4):
            self.x.refuses = number > 1
            self.post("/api/publish", {"accounts": [row.pk for row in accounts], "text": f"Number {number}"})
            if number % 2:
                expire_token(account=SocialAccount.objects.get(network="x"))
            tasks.publish_due.apply_async(queue=QUEUE)
            tasks.publish_due.apply()
            Publication.objects.filter(due_at__isnull=False).update(due_at=timezone.now())
            tasks.publish_due.apply()
        LatestFigures.objects.update(due_at=timezone.now())
        for task in (tasks.fetch_figures, tasks.deliver_webhooks):
            task.apply_async(queue=QUEUE)
            task.apply()

    def break_down(self) -> None:
        """Let a mistake of ours come up amid a request that carries credentials."""
        whole: Callable[..., Any] = http.target_of

        def explode(*args: Any) -> Any:
            raise RuntimeError("A mistake of ours")

        http.target_of = explode
        self.post("/api/accounts", {"network": "bluesky", "identifier": "wren", "password": APP_PASSWORD})
        # Not the planted code: a page of DEBUG shows the address, and a code alone is of no use.
        self.come_back(code="another")
        http.target_of = whole

    def look_back(self) -> str:
        """Read everything that the API and the admin show; return the admin's and silk's pages."""
        for path in ("accounts", "publications", "schedule", "webhooks", "analytics/summary", "notifications"):
            self.get(f"/api/{path}")
        for pk in Publication.objects.values_list("pk", flat=True):
            self.get(f"/api/publications/{pk}")
        user = self.owner.user
        assert user is not None
        type(user).objects.filter(pk=user.pk).update(is_staff=True, is_superuser=True)
        admin = Client()
        admin.force_login(user)
        pages = [f"/admin/publishing/{name}/" for name in ("socialaccount", "publication", "webhookendpoint")]
        pages += [f"/admin/publishing/socialaccount/{row.pk}/change/" for row in SocialAccount.objects.all()[:2]]
        pages += [f"/admin/publishing/publication/{row.pk}/change/" for row in Publication.objects.all()[:2]]
        pages += ["/silk/", "/silk/requests/"]
        recorded = SilkRequest.objects.values_list("pk", flat=True)[:3]
        pages += [f"/silk/request/{pk}/{part}" for pk in recorded for part in ("", "sql/")]
        return "\n".join(admin.get(path, secure=True).content.decode() for path in pages)


def messages() -> str:
    """Return what is in the broker's queue, with the bodies as they were before their encoding."""
    with Connection(settings.CELERY_BROKER_URL) as broker:
        channel: Any = broker.channel()
        raw = [message.decode() for message in channel.client.lrange(QUEUE, 0, -1)]
        channel.client.delete(QUEUE)
    return "\n".join([*raw, *(base64.b64decode(json.loads(one)["body"]).decode() for one in raw)])


def cached() -> str:
    """Return every key and value of the cache."""
    valkey = get_redis_connection("default")
    found = []
    for key in valkey.scan_iter():
        kind = valkey.type(key).decode()
        read: dict[str, Callable[[], Any]] = {
            "string": lambda key=key: valkey.get(key),
            "hash": lambda key=key: valkey.hgetall(key),
            "list": lambda key=key: valkey.lrange(key, 0, -1),
            "set": lambda key=key: valkey.smembers(key),
            "zset": lambda key=key: valkey.zrange(key, 0, -1),
        }
        found.append(f"{key!r} {read[kind]()!r}")
    return "\n".join(found)


def found_in(text: str, canaries: list[str]) -> list[str]:
    """Return the credentials in a text: as they are, in hexadecimal, or in base64 with a name and a colon before."""
    found = []
    for one in canaries:
        # The last character depends on what comes after it.
        encoded = [base64.b64encode(f"{before}{one}".encode()).decode().rstrip("=")[:-1] for before in ("", "house:")]
        if any(form in text for form in (one, one.encode().hex(), *encoded)):
            found.append(one[:12])
    return found


def travel() -> tuple[Journey, str]:
    """Return a journey that has come to its end, and the pages that it saw there."""
    with NetworkServer() as network:
        changes: dict[str, Any] = {
            "FETCH_ALLOWED_NETWORKS": ["127.0.0.0/8"],
            "OUTBOUND_TIMEOUT_SECONDS": 2,
            "NETWORK_APPS": {"x": {"client_id": "house", "client_secret": CLIENT_SECRET}},
            "NETWORK_URLS": dict.fromkeys(NETWORKS, network.url),
            "NETWORK_TOKEN_URLS": {"x": f"{network.url}/2/oauth2/token"},
            # The house's own static files were not collected here.
            "STORAGES": settings.STORAGES | {"staticfiles": {"BACKEND": STATIC_FILES}},
        }
        with override_settings(**changes):
            journey = Journey(network)
            journey.connect()
            journey.publish()
            journey.break_down()
            return journey, journey.look_back()


def main() -> None:
    log = io.StringIO()
    logging.basicConfig(stream=log, level=logging.DEBUG, force=True)
    for name in list(logging.root.manager.loggerDict):
        logging.getLogger(name).setLevel(logging.DEBUG)
    # So that `django.db.backends` says each statement with its parameters.
    connection.force_debug_cursor = True
    call_command("migrate", "silk", verbosity=0)
    journey, pages = travel()
    dump = io.StringIO()
    call_command("dumpdata", stdout=dump, exclude=["contenttypes", "auth.permission"])
    sinks = {
        "answers": "\n".join(journey.answers),
        "pages": pages,
        "error pages": "\n".join(journey.error_pages),
        "silk": rows_of("silk_"),
        "rows": rows_of(""),
        "dump": dump.getvalue(),
        "broker": messages(),
        "cache": cached(),
        "log": log.getvalue(),
    }
    call_command("migrate", "silk", "zero", verbosity=0)
    found = {name: found_in(text, journey.canaries) for name, text in sinks.items()}
    json.dump({"found": found, "sizes": {name: len(text) for name, text in sinks.items()}}, sys.stdout)


if __name__ == "__main__":
    main()
