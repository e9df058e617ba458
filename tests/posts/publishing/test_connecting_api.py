from collections.abc import Callable, Iterator
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from agents.models import Agent, Profile
from posts.publishing.models import ConnectAttempt, Publication, PublicationEvent, SocialAccount
from posts.publishing.networks import http
from posts.publishing.networks.errors import NotSent
from posts.publishing.tokens import Token
from tests.conftest import MakeClient
from tests.networks.server import Answer, NetworkServer, Request
from tests.networks.speakers import BlueskySpeaker
from tests.publishing import make_account, make_publication

pytestmark = pytest.mark.django_db

type MakeAccount = Callable[..., SocialAccount]


class ConsentServer:
    """The token and user endpoints of X: takes one code, with the verifier that its challenge came from."""

    def __init__(self) -> None:
        self.forms: list[dict[str, str]] = []

    def __call__(self, request: Request) -> Answer | None:
        match request.method, request.path:
            case "POST", "/2/oauth2/token":
                self.forms.append(request.form)
                if request.form["code"] != "good":
                    return Answer(400, {"error": "invalid_grant", "error_description": "The code is invalid"})
                return Answer(200, {"access_token": "secret-access", "refresh_token": "r", "expires_in": 7200})
            case "GET", "/2/users/me":
                return Answer(200, {"data": {"id": "99", "username": "wren"}})
        return None


@pytest.fixture
def x_consent(networks: NetworkServer, settings: Settings) -> Iterator[ConsentServer]:
    settings.NETWORK_APPS = {"x": {"client_id": "house", "client_secret": "hush"}}
    server = ConsentServer()
    networks.speakers.append(server)
    yield server


def start(client: object) -> dict[str, str]:
    answer = client.post("/api/accounts", {"network": "x"}, format="json")  # type: ignore[attr-defined]
    assert answer.status_code == 200, answer.json()
    query = parse_qs(urlsplit(answer.json()["authorize_url"]).query)
    return {name: values[0] for name, values in query.items()}


def test_consent_with_pkce_connects_the_account(
    alice: Profile, client_of: MakeClient, x_consent: ConsentServer
) -> None:
    client = client_of(alice)
    asked = start(client)
    assert asked["redirect_uri"] == "http://localhost:8000/api/accounts/callback/x"
    answer = client.get("/api/accounts/callback/x", {"state": asked["state"], "code": "good"})
    account = SocialAccount.objects.get()
    assert answer.json()[0] | {"created_at": None, "token_expires_at": None} == {
        "id": account.pk,
        "network": "x",
        "handle": "wren",
        "base_url": "",
        "state": "active",
        "time_zone": "UTC",
        "token_expires_at": None,
        "created_at": None,
    }
    form = x_consent.forms[0]
    assert form["redirect_uri"] == asked["redirect_uri"]
    assert len(form["code_verifier"]) >= 43
    assert account.access_token.reveal() == "secret-access"


def test_a_state_works_once(alice: Profile, client_of: MakeClient, x_consent: ConsentServer) -> None:
    client = client_of(alice)
    way = {"state": start(client)["state"], "code": "good"}
    assert client.get("/api/accounts/callback/x", way).status_code == 200
    assert client.get("/api/accounts/callback/x", way).status_code == 422
    assert len(x_consent.forms) == 1


def test_a_state_belongs_to_the_key_or_session_that_asked_for_it(
    alice: Profile, charlie: Profile, client_of: MakeClient, x_consent: ConsentServer
) -> None:
    way = {"state": start(client_of(alice))["state"], "code": "good"}
    for thief in (client_of(alice), client_of(charlie)):
        assert thief.get("/api/accounts/callback/x", way).status_code == 422
    assert client_of(None).get("/api/accounts/callback/x", way).status_code == 401
    assert x_consent.forms == []


def test_a_state_runs_out_and_is_bound_to_its_network(
    alice: Profile, client_of: MakeClient, x_consent: ConsentServer
) -> None:
    client = client_of(alice)
    way = {"state": start(client)["state"], "code": "good"}
    assert client.get("/api/accounts/callback/linkedin", way).status_code == 422
    ConnectAttempt.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert client.get("/api/accounts/callback/x", way).status_code == 422


@pytest.mark.parametrize("way", [{}, {"state": "x"}, {"code": "good"}, {"state": "forged", "code": "good"}])
def test_a_tampered_way_back_is_refused(
    way: dict[str, str], alice: Profile, client_of: MakeClient, x_consent: ConsentServer
) -> None:
    client = client_of(alice)
    start(client)
    assert client.get("/api/accounts/callback/x", way).status_code in (400, 422)
    assert client.get("/api/accounts/callback/x", {"error": "access_denied"}).status_code == 422
    assert client.get("/api/accounts/callback/webhook", way).status_code == 404


def test_a_forged_code_connects_nothing(alice: Profile, client_of: MakeClient, x_consent: ConsentServer) -> None:
    client = client_of(alice)
    answer = client.get("/api/accounts/callback/x", {"state": start(client)["state"], "code": "bad"})
    assert answer.status_code == 422
    assert not SocialAccount.objects.exists()


def test_an_unregistered_house_says_what_is_missing(alice: Profile, client_of: MakeClient) -> None:
    answer = client_of(alice).post("/api/accounts", {"network": "linkedin"}, format="json")
    assert answer.status_code == 422
    assert "docs/operations.md" in answer.json()["detail"]


def test_bluesky_connects_with_an_app_password_that_is_not_kept(
    alice: Profile, client_of: MakeClient, networks: NetworkServer, bluesky: BlueskySpeaker
) -> None:
    body = {"network": "bluesky", "base_url": networks.url, "identifier": "wren.test", "password": "app-password"}
    client = client_of(alice)
    assert client.post("/api/accounts", body, format="json").status_code == 201
    account = SocialAccount.objects.get()
    assert (account.platform_user_id, account.handle) == ("did:plc:wren", "wren.test")
    stored = f"{account.access_token.reveal()} {account.refresh_token.reveal()} {account.limits}"
    assert "app-password" not in stored
    wrong = client.post("/api/accounts", body | {"password": "wrong"}, format="json")
    assert wrong.status_code == 422


def test_connecting_again_revives_the_account_and_what_waited_for_it(
    alice: Profile, client_of: MakeClient, networks: NetworkServer, bluesky: BlueskySpeaker
) -> None:
    account = make_account(owner=alice, network="bluesky", state="needs_reconnect")
    publication = make_publication(account=make_account(owner=alice, network="x"))
    Publication.objects.update(account=account, network="bluesky", due_at=None, error_class="needs_reconnect")
    body = {"network": "bluesky", "base_url": networks.url, "identifier": "wren.test", "password": "app-password"}
    client_of(alice).post("/api/accounts", body, format="json")
    account.refresh_from_db()
    publication.refresh_from_db()
    assert account.state == "active"
    assert publication.due_at is not None


def test_an_account_of_somebody_else_is_not_taken_over(
    alice: Profile, charlie: Profile, client_of: MakeClient, networks: NetworkServer, bluesky: BlueskySpeaker
) -> None:
    make_account(owner=charlie, network="bluesky")
    body = {"network": "bluesky", "base_url": networks.url, "identifier": "wren.test", "password": "app-password"}
    answer = client_of(alice).post("/api/accounts", body, format="json")
    assert answer.status_code == 422
    assert SocialAccount.objects.get().owner == charlie


@pytest.mark.parametrize("host", ["127.0.0.1", "169.254.169.254", "[::ffff:10.0.0.1]", "localhost"])
def test_no_connection_is_made_to_an_address_inside_whatever_a_row_says(host: str, settings: Settings) -> None:
    settings.FETCH_ALLOWED_NETWORKS = []
    with pytest.raises(NotSent, match="not on the public internet"):
        http.call("POST", f"http://{host}:9/hook", publishes=True)


def test_a_name_that_rebinds_is_resolved_once_and_that_address_is_connected_to(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.FETCH_ALLOWED_NETWORKS = []
    answers = iter(["93.184.216.34", "127.0.0.1"])
    connected: list[str] = []

    def resolve(host: str, port: int, **options: object) -> list[tuple[int, int, int, str, tuple[str, int]]]:
        return [(2, 1, 6, "", (next(answers), port))]

    def connect(address: tuple[str, int], timeout: float) -> None:
        connected.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr("socket.getaddrinfo", resolve)
    monkeypatch.setattr("socket.create_connection", connect)
    with pytest.raises(NotSent):
        http.call("POST", "http://rebind.example/hook", publishes=True)
    assert connected == ["93.184.216.34"]


def test_a_secret_is_shown_once_and_never_listed(alice: Profile, client_of: MakeClient) -> None:
    client = client_of(alice)
    body = {"network": "webhook", "base_url": "https://hook.example/in"}
    secret = client.post("/api/accounts", body, format="json").json()["secret"]
    assert secret.startswith("whsec_")
    assert secret not in client.get("/api/accounts").content.decode()
    assert SocialAccount.objects.get().access_token.reveal() == secret


def test_disconnecting_forgets_the_tokens_and_calls_off_what_waits(alice: Profile, client_of: MakeClient) -> None:
    account = make_account(owner=alice, refresh_token=Token.seal("r"))
    publication = make_publication(account=account)
    client = client_of(alice)
    assert client.delete(f"/api/accounts/{account.pk}").status_code == 204
    account.refresh_from_db()
    publication.refresh_from_db()
    assert (account.state, account.access_token.sealed, account.refresh_token.sealed) == ("disconnected", "", "")
    assert publication.status == "cancelled"
    assert client.get("/api/accounts").json()["results"] == []


@pytest.mark.parametrize("count", [2, 20])
def test_disconnecting_costs_the_same_however_much_waits(
    count: int, alice: Profile, client_of: MakeClient, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    account = make_account(owner=alice)
    for number in range(count):
        make_publication(account=account, text=f"Bird {number}")
    client = client_of(alice)
    # The key with its profile; its limit; the account; a savepoint; the account is changed; what waits is locked,
    # called off and told; the savepoint is released.
    with django_assert_num_queries(9):
        assert client.delete(f"/api/accounts/{account.pk}").status_code == 204
    assert Publication.objects.filter(status="cancelled").count() == count
    assert PublicationEvent.objects.filter(to_status="cancelled", actor=alice).count() == count


def test_an_agent_uses_its_owners_accounts_and_manages_none(alice: Profile, wren: Agent, client_of: MakeClient) -> None:
    account = make_account(owner=alice)
    agent = client_of(wren.profile)
    assert [row["id"] for row in agent.get("/api/accounts").json()["results"]] == [account.pk]
    assert agent.delete(f"/api/accounts/{account.pk}").status_code == 403
    assert agent.post("/api/accounts", {"network": "x"}, format="json").status_code == 403


def test_a_stranger_sees_and_changes_no_account(alice: Profile, charlie: Profile, client_of: MakeClient) -> None:
    account = make_account(owner=alice)
    stranger = client_of(charlie)
    assert stranger.get("/api/accounts").json()["results"] == []
    for method in (stranger.get, stranger.delete, stranger.patch):
        assert method(f"/api/accounts/{account.pk}", format="json").status_code == 404
