"""Credentials through connecting, publishing, failing and refreshing: in no log, page, table, dump or answer."""

import io
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import RequestFactory
from django.views.debug import ExceptionReporter
from pytest_django.fixtures import Settings

from agents.models import Profile
from posts.publishing.models import AccountEvent, Publication, SocialAccount, WebhookDelivery
from posts.publishing.networks import http, network_named
from posts.publishing.services.accounts import expire_token
from posts.publishing.services.webhooks import create_endpoint, deliver_due
from tests.conftest import MakeClient
from tests.networks.server import Answer, NetworkServer, Request
from tests.networks.speakers import BlueskySpeaker
from tests.posts.publishing.test_connecting_api import start
from tests.publishing import make_publication, publish_all

pytestmark = pytest.mark.django_db(transaction=True)

ACCESS, REFRESH, NEXT_ACCESS = "canary-access-5b1", "canary-refresh-7c2", "canary-nextaccess-9d3"
CLIENT_SECRET, APP_PASSWORD, SESSION = "canary-client-2e4", "canary-password-4f5", "canary-session-6a6"
CODE = "canary-code-8b7"
CANARIES = [ACCESS, REFRESH, NEXT_ACCESS, CLIENT_SECRET, APP_PASSWORD, SESSION, CODE]


class TalkativeX:
    """X as a hostile copy of it would be: an error repeats every credential that came with the request."""

    refuses = False

    def __call__(self, request: Request) -> Answer | None:
        told = f"{request.headers.get('authorization')} {request.raw.decode()}"
        match request.method, request.path:
            case "POST", "/2/oauth2/token" if self.refuses:
                return Answer(400, {"error": "invalid_request", "error_description": f"Refused: {told}"})
            case "POST", "/2/oauth2/token" if "refresh_token" in request.form:
                return Answer(200, {"access_token": NEXT_ACCESS, "expires_in": 7200})
            case "POST", "/2/oauth2/token":
                return Answer(200, {"access_token": ACCESS, "refresh_token": REFRESH, "expires_in": 7200})
            case "GET", "/2/users/me":
                return Answer(200, {"data": {"id": "99", "username": "wren"}})
            case "POST", "/2/tweets" if self.refuses:
                return Answer(403, {"title": "Forbidden", "detail": f"Refused: {told}"})
            case "POST", "/2/tweets":
                return Answer(201, {"data": {"id": "1", "text": request.json["text"]}})
        return None


@pytest.fixture
def x(networks: NetworkServer, settings: Settings) -> Iterator[TalkativeX]:
    settings.NETWORK_APPS = {"x": {"client_id": "house", "client_secret": CLIENT_SECRET}}
    speaker = TalkativeX()
    networks.speakers.append(speaker)
    yield speaker


def everything_stored() -> str:
    """Return every row of every table as text, and what `dumpdata` says."""
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        rows = []
        for table in tables:
            cursor.execute(f"SELECT row::text FROM {connection.ops.quote_name(table)} AS row")
            rows += [row for (row,) in cursor.fetchall()]
    dump = io.StringIO()
    call_command("dumpdata", "publishing", "agents", stdout=dump)
    return "\n".join([*rows, dump.getvalue()])


def found_in(text: str) -> list[str]:
    return [canary for canary in CANARIES if canary in text]


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Everything that anything says, down to the SQL."""
    caplog.set_level(logging.DEBUG)
    for name in list(logging.root.manager.loggerDict):
        caplog.set_level(logging.DEBUG, logger=name)
    return caplog


def test_a_consent_a_publication_a_refresh_and_two_refusals_show_no_credential(
    alice: Profile, client_of: MakeClient, x: TalkativeX, log: pytest.LogCaptureFixture
) -> None:
    client = client_of(alice)
    way = {"state": start(client)["state"], "code": CODE}
    answers = [client.get("/api/accounts/callback/x", way).content.decode()]
    account = SocialAccount.objects.get()
    assert account.access_token.reveal() == ACCESS
    assert account.refresh_token.reveal() == REFRESH
    make_publication(account=account, text="The first")
    publish_all()
    expire_token(account=account)
    make_publication(account=account, text="With a fresh token")
    publish_all()
    account.refresh_from_db()
    assert account.access_token.reveal() == NEXT_ACCESS
    x.refuses = True
    make_publication(account=account, text="Refused")
    publish_all()
    expire_token(account=account)
    make_publication(account=account, text="Not refreshed")
    publish_all()
    answers += [
        client.get("/api/accounts/callback/x", {"state": start(client)["state"], "code": CODE}).content.decode()
    ]
    answers += [client.get(path).content.decode() for path in ("/api/publications", "/api/accounts", "/api/schedule")]
    answers += [
        client.get(f"/api/publications/{pk}").content.decode()
        for pk in Publication.objects.values_list("pk", flat=True)
    ]
    assert "Refused: " in answers[1]
    assert AccountEvent.objects.filter(kind="needs_reconnect").exists()
    assert found_in("\n".join(answers)) == []
    assert found_in(log.text) == []
    assert found_in(everything_stored()) == []


def test_an_app_password_is_used_and_forgotten(
    alice: Profile, client_of: MakeClient, networks: NetworkServer, log: pytest.LogCaptureFixture
) -> None:
    class Pds(BlueskySpeaker):
        def __call__(self, request: Request) -> Answer | None:
            if not request.path.endswith("createSession"):
                return super().__call__(request)
            if request.json["identifier"] == "nobody":
                return Answer(400, {"error": "InvalidRequest", "message": f"Refused: {request.raw.decode()}"})
            return Answer(200, {"did": "did:plc:wren", "handle": "wren", "accessJwt": SESSION, "refreshJwt": REFRESH})

    networks.speakers.append(Pds())
    client = client_of(alice)
    body = {"network": "bluesky", "password": APP_PASSWORD}
    refused = client.post("/api/accounts", body | {"identifier": "nobody"}, format="json")
    assert refused.status_code == 422
    connected = client.post("/api/accounts", body | {"identifier": "wren"}, format="json")
    assert connected.status_code == 201
    make_publication(account=SocialAccount.objects.get())
    publish_all()
    assert found_in(refused.content.decode() + connected.content.decode() + log.text + everything_stored()) == []


def test_the_secrets_of_webhooks_are_shown_once_and_stored_sealed(
    alice: Profile, client_of: MakeClient, networks: NetworkServer, log: pytest.LogCaptureFixture
) -> None:
    endpoint, secret = create_endpoint(owner=alice, url=f"{networks.url}/told", kinds=["created"])
    answer = client_of(alice).post(
        "/api/accounts", {"network": "webhook", "base_url": f"{networks.url}/hook"}, format="json"
    )
    secrets = [secret, answer.json()["secret"]]
    make_publication(account=SocialAccount.objects.get())
    publish_all()
    deliver_due()
    assert WebhookDelivery.objects.get().attempt == 1
    text = log.text + everything_stored() + repr(endpoint) + repr(vars(endpoint))
    assert not [value for value in secrets if value in text]


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
    x: TalkativeX,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = client_of(alice)
    client.get("/api/accounts/callback/x", {"state": start(client)["state"], "code": CODE})
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
    assert found_in(page) == []


def test_an_answer_that_lacks_what_is_documented_is_a_problem_and_no_error_page(
    alice: Profile, client_of: MakeClient, networks: NetworkServer, x: TalkativeX
) -> None:
    client = client_of(alice)
    networks.speakers.insert(0, lambda request: Answer(200, {"data": {}}) if request.path == "/2/users/me" else None)
    answer = client.get("/api/accounts/callback/x", {"state": start(client)["state"], "code": CODE})
    assert answer.status_code == 422
    assert answer.json()["detail"] == "The network's answer cannot be understood."
