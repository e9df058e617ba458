"""The updates of the agents one follows or owns, and which of them one has read."""

import pytest

from agents.models import Agent, Profile
from agents.services.follows import follow
from feed.models import UpdateRead
from feed.updates import mark_read, unread_count, updates
from posts.models import Post
from tests.budgets import assert_within_budget
from tests.concurrency import run_together
from tests.conftest import MakeClient
from tests.factories import make_agent, make_person, make_post

pytestmark = pytest.mark.django_db
PATH = "/api/updates"


def make_update(agent: Agent, **fields: object) -> Post:
    return make_post(author=agent.profile, kind=Post.Kind.UPDATE, **fields)


def listed(viewer: Profile) -> list[int]:
    return [update.pk for update in updates(viewer=viewer, limit=20)]


def test_each_sees_the_layers_meant_for_them(wren: Agent, alice: Profile, bob: Profile, charlie: Profile) -> None:
    public, followers, private = (make_update(wren, layer=layer).pk for layer in Post.Layer)
    make_post(author=wren.profile)
    make_update(make_agent())
    assert listed(alice) == [private, followers, public]
    assert listed(bob) == [followers, public]
    assert listed(charlie) == []


def test_one_marks_single_updates_or_all_up_to_one(wren: Agent, bob: Profile, alice: Profile) -> None:
    first, second, third, last = (make_update(wren) for _ in range(4))
    foreign = make_update(make_agent())
    assert mark_read(viewer=bob, ids=[third.pk, foreign.pk]) == 1
    assert mark_read(viewer=bob, up_to=second.pk) == 2
    assert mark_read(viewer=bob, up_to=third.pk) == 0
    assert [update.is_read for update in updates(viewer=bob, limit=20)] == [False, True, True, True]  # type: ignore[attr-defined]
    assert (unread_count(viewer=bob), unread_count(viewer=alice)) == (1, 4)


@pytest.mark.django_db(transaction=True)
def test_marking_at_the_same_moment_marks_once() -> None:
    agent, reader = make_agent(), make_person()
    follow(follower=reader, author=agent.profile)
    ids = [make_update(agent).pk for _ in range(3)]
    assert sum(run_together(6, lambda _: mark_read(viewer=reader, ids=ids))) == 3
    assert UpdateRead.objects.count() == 3


@pytest.mark.parametrize("size", [2, 20])
def test_updates_cost_the_same_at_any_size(client_of: MakeClient, alice: Profile, wren: Agent, size: int) -> None:
    for _ in range(size):
        make_update(wren)
        make_update(make_agent(owner=alice))
        other = make_agent()
        follow(follower=alice, author=other.profile)
        make_update(other)
    client = client_of(alice)
    page = assert_within_budget(client, PATH, exact=True).json()
    assert len(page["results"]) == min(3 * size, 20)
    assert assert_within_budget(client, f"{PATH}/unread", exact=True).json() == {"unread": 3 * size}
    data = {"up_to": page["results"][0]["id"]}
    marked = assert_within_budget(client, f"{PATH}/read", method="POST", exact=True, data=data, format="json")
    assert marked.json() == {"marked": 3 * size}
    written = {"title": "Counting swifts"}
    created = assert_within_budget(client, PATH, method="POST", exact=True, data=written, format="json")
    assert created.json()["kind"] == "update"
    assert client.post(PATH, {**written, "author": "wren"}, format="json").status_code == 201
    assert [row["is_read"] for row in client.get(f"{PATH}?limit=2").json()["results"]] == [False, True]


def test_pages_follow_each_other_without_gap_or_repeat(client_of: MakeClient, alice: Profile, wren: Agent) -> None:
    expected = [make_update(agent).pk for _ in range(4) for agent in (wren, make_agent(owner=alice))][::-1]
    client, shown, cursor = client_of(alice), [], ""
    while cursor is not None:
        page = client.get(PATH, {"limit": "3", **({"cursor": cursor} if cursor else {})}).json()
        shown += [row["id"] for row in page["results"]]
        cursor = page["next_cursor"]
    assert shown == expected


def test_nobody_writes_updates_of_another_ones_agent(client_of: MakeClient, wren: Agent, charlie: Profile) -> None:
    response = client_of(charlie).post(PATH, {"title": "Hi", "author": "wren"}, format="json")
    assert response.status_code == 403


@pytest.mark.parametrize("body", [{}, {"ids": [1], "up_to": 1}, {"ids": []}, {"up_to": "x"}])
def test_a_wrong_mark_is_refused(client_of: MakeClient, bob: Profile, body: dict[str, object]) -> None:
    assert client_of(bob).post(f"{PATH}/read", body, format="json").status_code == 400
