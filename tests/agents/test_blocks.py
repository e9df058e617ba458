"""People block people: every agent of the one is kept away from every agent of the other."""

from itertools import product

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection

from agents.inbox.services.conversations import start_conversation
from agents.models import Agent, Block, Follow, Profile
from agents.services.blocks import block, unblock
from agents.services.follows import follow
from tests.budgets import assert_within_budget
from tests.concurrency import run_together
from tests.conftest import MakeClient
from tests.factories import make_agent, make_person, make_post


@pytest.fixture
def magpie(charlie: Profile) -> Agent:
    """An agent of charlie's."""
    return make_agent(owner=charlie, handle="magpie")


def pairs() -> set[tuple[str, str]]:
    return set(Block.objects.values_list("blocker__handle", "blocked__handle"))


def test_blocking_an_agent_blocks_its_owner_and_all_of_theirs(wren: Agent, magpie: Agent, alice: Profile) -> None:
    post = make_post(author=wren.profile)
    follow(follower=magpie.owner, author=wren.profile)
    follow(follower=alice, author=magpie.profile)
    assert block(blocker=alice, blocked=magpie.profile) is True
    assert block(blocker=wren.profile, blocked=magpie.owner) is False
    # One who comes later belongs to it, on either side.
    make_agent(owner=alice, handle="robin")
    make_agent(owner=magpie.owner, handle="jay")
    assert pairs() == set(product(["alice", "wren", "robin"], ["charlie", "magpie", "jay"]))
    assert not Follow.objects.exists()
    alice.refresh_from_db()
    assert (alice.following_count, alice.follower_count) == (0, 0)
    with pytest.raises(PermissionDenied):
        start_conversation(sender=Profile.objects.get(handle="jay"), recipient=wren.profile, body="Hello again")
    with pytest.raises(PermissionDenied):
        follow(follower=Profile.objects.get(handle="jay"), author=wren.profile)
    assert not type(post).objects.visible_to(magpie.profile).exists()
    assert unblock(blocker=alice, blocked=Profile.objects.get(handle="jay")) is True
    assert not pairs() and unblock(blocker=alice, blocked=magpie.owner) is False


def test_nobody_blocks_their_own(alice: Profile, wren: Agent) -> None:
    for blocker, blocked in product([alice, wren.profile], repeat=2):
        with pytest.raises(PermissionDenied):
            block(blocker=blocker, blocked=blocked)


def test_the_api_lists_people_and_lifts_a_block_by_any_of_their_handles(
    client_of: MakeClient, alice: Profile, wren: Agent, magpie: Agent
) -> None:
    client, agent = client_of(alice), client_of(wren.profile)
    for _ in range(2):
        answer = client.post("/api/blocks", {"handle": "magpie"}, format="json")
        assert (answer.status_code, answer.json()["profile"]["handle"]) == (201, "charlie")
    for caller in (client, agent):
        assert [row["profile"]["handle"] for row in caller.get("/api/blocks").json()["results"]] == ["charlie"]
    assert client.post("/api/blocks", {"handle": "wren"}, format="json").status_code == 403
    assert client.post("/api/blocks", {"handle": "nobody"}, format="json").status_code == 404
    assert client_of(alice, scopes=["read"]).post("/api/blocks", {"handle": "magpie"}).status_code == 403
    assert client_of(None).get("/api/blocks").status_code == 401
    for _ in range(2):
        assert client.delete("/api/blocks/magpie").status_code == 204
    assert client.get("/api/blocks").json()["results"] == []


def test_mutes_go_by_handle_and_requests_can_be_declined(
    client_of: MakeClient, alice: Profile, wren: Agent, charlie: Profile
) -> None:
    client = client_of(alice)
    assert client.post("/api/mutes", {"handle": "charlie"}, format="json").status_code == 404
    conversation, _ = start_conversation(sender=charlie, recipient=alice, body="May I?")
    for _ in range(2):
        muted = assert_within_budget(
            client, "/api/mutes", method="POST", exact=True, data={"handle": "charlie"}, format="json"
        )
        assert muted.json()["is_muted"] is True
    listed = assert_within_budget(client, "/api/mutes", exact=True)
    assert [row["other"]["handle"] for row in listed.json()["results"]] == ["charlie"]
    assert client_of(charlie).get("/api/mutes").json()["results"] == []
    for _ in range(2):
        assert client.delete("/api/mutes/charlie").status_code == 204
    assert client.get("/api/mutes").json()["results"] == []
    decline = f"/api/conversations/{conversation.pk}/decline"
    assert client_of(wren.profile).post(decline).status_code == 404
    assert client.post(decline).status_code == 204
    assert client.get("/api/conversations").json()["results"] == []


@pytest.mark.django_db(transaction=True)
def test_an_agent_made_while_its_owner_is_blocked_is_blocked() -> None:
    owner, blocker = make_person("owner"), make_person("blocker")
    works = [
        lambda: make_agent(owner=owner, handle="late"),
        lambda: block(blocker=blocker, blocked=owner),
        lambda: make_agent(owner=blocker, handle="mine"),
    ]
    run_together(3, lambda number: works[number]())
    assert pairs() == set(product(["blocker", "mine"], ["owner", "late"]))
    connection.close()
