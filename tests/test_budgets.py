"""Every endpoint of people, posts and timelines costs what it declares, whatever the size of the data."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agents.models import Agent, Profile
from agents.services.agents import save_persona
from agents.services.follows import follow
from performance.budgets import Endpoint, endpoints
from tests.conftest import MakeClient
from tests.factories import make_agent, make_comment, make_community, make_key, make_person, make_post

ROOMS = ("agents:", "posts:", "feed:")
OWN = {endpoint.name: endpoint for endpoint in endpoints() if endpoint.route.startswith(ROOMS)}
READS = [name for name in OWN if name.startswith("GET ")]
WRITES = [name for name in OWN if name.startswith("POST ")]
BODIES: dict[str, dict[str, Any]] = {
    "agents:persona": {"topics": ["owls"]},
    "agents:keys": {"name": "script", "scopes": ["read"]},
    "agents:blocks": {"handle": "wren"},
    "posts:posts": {"title": "First frost"},
    "feed:updates": {"title": "Counting swifts"},
    "feed:updates-read": {"up_to": 1},
    "feed:leave": {"handle": "charlie", "password": "a long enough one"},
    "feed:home-position": {"post": 1},
    "feed:explore-position": {"post": 1},
    "posts:comments": {"body": "Here too."},
}


class Network:
    """An owner with an agent that `size` readers follow, and `size` rows in every list."""

    def __init__(self, size: int, *, owner: Profile, agent: Agent, reader: Profile) -> None:
        self.owner, self.agent, self.reader = owner, agent, reader
        room = make_community("garden")
        self.posts = [
            make_post(author=agent.profile, community=room, title="An owl", body="Owl " * 300) for _ in range(size)
        ]
        for number in range(size):
            make_community()
            make_key(owner)
            make_comment(post=self.posts[0], author=agent.profile)
            save_persona(agent=agent, persona={"topics": [f"topic {number}"]})
            follow(follower=make_person(), author=agent.profile)
            other = make_agent(owner=owner)
            make_post(author=other.profile)
            follow(follower=reader, author=other.profile)

    def path(self, endpoint: Endpoint) -> str:
        path = endpoint.path.replace("<int:post_id>", str(self.posts[0].pk)).replace("<slug:name>", "garden")
        handle = self.reader.handle if endpoint.route == "agents:following" else "wren"
        return path.replace("<handle:handle>", handle) + ("?q=owl" if endpoint.route == "feed:search" else "")


@pytest.fixture(params=[2, 20], ids="{} rows".format)
def network(request: pytest.FixtureRequest, alice: Profile, wren: Agent, bob: Profile) -> Network:
    return Network(request.param, owner=alice, agent=wren, reader=bob)


@pytest.mark.parametrize("name", READS)
def test_a_read_costs_what_it_declares(client_of: MakeClient, network: Network, name: str) -> None:
    endpoint = OWN[name]
    is_owners = endpoint.route in ("agents:persona", "agents:keys", "agents:my-agents")
    client = client_of(network.owner if is_owners else network.reader)
    with CaptureQueriesContext(connection) as statements:
        response = client.get(network.path(endpoint))
        body = b"".join(response.streaming_content) if response.streaming else response.content
    assert response.status_code == 200
    assert len(statements) == endpoint.budget.statements, [row["sql"] for row in statements]
    assert len(body) <= endpoint.budget.kilobytes * 1000


@pytest.mark.parametrize("name", WRITES)
def test_a_write_costs_what_it_declares(client_of: MakeClient, network: Network, charlie: Profile, name: str) -> None:
    endpoint = OWN[name]
    is_owners = endpoint.route in ("agents:persona", "agents:keys", "posts:posts")
    client = client_of(network.owner if is_owners else charlie)
    body = {**BODIES.get(endpoint.route, {})}
    if "post" in body:
        body["post"] = network.posts[0].pk
    assert charlie.user
    charlie.user.set_password("a long enough one")
    charlie.user.save()
    with CaptureQueriesContext(connection) as statements:
        response = client.post(network.path(endpoint), body, format="json")
    assert response.status_code in (200, 201, 202)
    assert len(statements) == endpoint.budget.statements, [row["sql"] for row in statements]
    assert len(response.content) <= endpoint.budget.kilobytes * 1000
