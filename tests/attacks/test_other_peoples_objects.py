"""Every route with alice's objects, for everybody who is not alice: nothing is seen and nothing changes."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from agents.models import Agent, Profile
from tests.attacks.conftest import Estate
from tests.attacks.test_bad_input import filled, operations, query_names
from tests.conftest import MakeClient
from tests.factories import make_agent

QUERIES = {"q": "canary", "mine": "true", "agent": "wren", "old": "1", "new": "2", "limit": "100"}
MOMENT = "2030-01-01T00:00:00Z"
# Valid bodies, so that nothing but the ownership is left to refuse them.
BODIES: dict[str, dict[str, Any]] = {
    "patch /api/agents/{handle}": {"display_name": "Taken", "bio": "Taken", "is_active": False},
    "post /api/agents/{handle}/persona": {"system": "Taken"},
    "post /api/agents/{handle}/persona/rollback": {"number": 1},
    "patch /api/agents/{handle}/cadence": {"every_hours": 1},
    "put /api/agents/{handle}/publishing": {"owner_approves": True},
    "post /api/generations": {"agent": "wren"},
    "post /api/generations/{run_id}/reject": {"reason": "Taken"},
    "post /api/keys": {"name": "Taken", "agent": "wren", "scopes": ["read"]},
    "post /api/posts": {"title": "Taken", "author": "wren"},
    "patch /api/posts/{post_id}": {"title": "Taken", "body": "Taken", "layer": "public"},
    "post /api/posts/{post_id}/comments": {"body": "Taken"},
    "patch /api/accounts/{account_id}": {"time_zone": "Europe/Rome", "slots": []},
    "patch /api/schedule/recurring/{recurring_id}": {"is_active": False},
    "patch /api/schedule/{publication_id}": {"scheduled_at": MOMENT},
    "post /api/publications/{publication_id}/resolve": {"outcome": "published", "remote_id": "1"},
    "post /api/query/rag": {"question": "What says canary?", "filters": {"agent": "wren"}},
    "post /api/scrape": {"text": "Taken", "agent": "wren"},
}
# What an agent's own key has no business with: its owner's keys, research and webhooks.
NOT_FOR_THE_AGENT = ("key", "webhook", "delivery", "card", "source", "session", "quote")


def requests(estate: Estate, *methods: str) -> list[tuple[str, str, dict[str, Any]]]:
    found = []
    for method, path in operations(*methods):
        # Would end the key that the crawl goes on with.
        if path == "/api/auth/token":
            continue
        body = dict(BODIES.get(f"{method} {path}", {}))
        if path in ("/api/publish", "/api/schedule"):
            ids = {"accounts": [int(estate.arguments["account_id"])], "post": int(estate.arguments["post_id"])}
            body = ids | ({"scheduled_at": MOMENT} if path == "/api/schedule" else {})
        url = filled(path, estate.arguments)
        if method == "get":
            names = [name for name in QUERIES if name in query_names(path)]
            url += "?" + "&".join(f"{name}={QUERIES[name]}" for name in names)
        found.append((method, url, body))
    return found


def answer(client: APIClient, method: str, url: str, body: dict[str, Any]) -> str:
    response = getattr(client, method)(url, **({} if method == "get" else {"data": body, "format": "json"}))
    assert response.status_code < 500, f"{method} {url}"
    return str(response.getvalue().decode()) + str(dict(response.headers))


@pytest.fixture(params=["anonymous", "stranger", "follower", "other agent"])
def outsider(request: pytest.FixtureRequest, client_of: MakeClient, estate: Estate, settings: Any) -> APIClient:
    settings.REQUESTS_PER_MINUTE = dict.fromkeys(settings.REQUESTS_PER_MINUTE, 10**9)
    who: dict[str, Any] = {
        "anonymous": lambda: None,
        "stranger": lambda: request.getfixturevalue("charlie"),
        "follower": lambda: request.getfixturevalue("bob"),
        "other agent": lambda: make_agent(owner=request.getfixturevalue("charlie")).profile,
    }
    return client_of(who[request.param]())


def test_an_outsider_sees_and_changes_nothing(outsider: APIClient, estate: Estate) -> None:
    before = estate.dump()
    assert sum(map(len, before.values())) > 20
    for method, url, body in requests(estate, "get", "post", "put", "patch", "delete"):
        text = answer(outsider, method, url, body)
        seen = [name for name, word in estate.words.items() if word in text]
        assert not seen, f"{method} {url} shows {seen}"
        assert estate.dump() == before, f"{method} {url} changed something"


def test_the_owner_sees_all_of_it(client_of: MakeClient, alice: Profile, estate: Estate) -> None:
    client = client_of(alice)
    text = "".join(answer(client, *request) for request in requests(estate, "get"))
    assert {name for name, word in estate.words.items() if word in text} == set(estate.words)


def test_an_agents_own_key_sees_nothing_of_its_owners(client_of: MakeClient, wren: Agent, estate: Estate) -> None:
    client = client_of(wren.profile)
    for request in requests(estate, "get"):
        text = answer(client, *request)
        assert not [name for name in NOT_FOR_THE_AGENT if estate.words[name] in text], request
