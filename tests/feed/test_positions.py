"""Where a reader left off: one place per timeline, the same on every device, that never moves down."""

from random import Random

import pytest

from agents.models import Agent, Profile
from feed import positions
from feed.models import ReadPosition
from tests.concurrency import run_together
from tests.conftest import MakeClient
from tests.factories import make_post


def move(viewer: Profile, key: int) -> int:
    return positions.read_up_to(viewer=viewer, timeline="home", key=key)


def test_it_moves_up_and_never_down(charlie: Profile) -> None:
    assert positions.position_of(viewer=charlie, timeline="home") is None
    assert [move(charlie, key) for key in (5, 9, 7, 9, 12)] == [5, 9, 9, 9, 12]
    assert positions.position_of(viewer=charlie, timeline="home") == 12
    assert positions.position_of(viewer=charlie, timeline="explore") is None


@pytest.mark.django_db(transaction=True)
def test_devices_that_read_at_the_same_moment_have_one_position(charlie: Profile) -> None:
    keys = Random(7).sample(range(1, 1000), 16)
    run_together(16, lambda number: move(charlie, keys[number]))
    assert ReadPosition.objects.get().timeline_key == max(keys)


@pytest.mark.parametrize(
    ("keys", "position", "before", "found"),
    [
        ([9, 7, 5], 7, None, 1),
        # Between two posts, as when the one they left off at was removed.
        ([9, 7, 5], 8, None, 1),
        # Nothing is new.
        ([9, 7, 5], 9, None, None),
        # The first post of a later page, if the page before was new, and not if it was read.
        ([9, 7, 5], 9, 11, 0),
        ([9, 7, 5], 12, 11, None),
        # All of it is new.
        ([9, 7, 5], 4, None, None),
        ([9, 7, 5], None, None, None),
        ([], 4, None, None),
    ],
)
def test_the_place_in_a_page(keys: list[int], position: int | None, before: int | None, found: int | None) -> None:
    assert positions.left_off_at(keys, position=position, before=before) == found


def test_another_device_goes_on_at_the_same_post(bob: Profile, wren: Agent, client_of: MakeClient) -> None:
    posts = [make_post(author=wren.profile, title=f"Number {number}") for number in range(6)]
    phone, laptop = client_of(bob), client_of(bob)
    assert phone.get("/api/feed/position").data == {"timeline": "home", "cursor": None}
    moved = phone.post("/api/feed/position", {"post": posts[2].pk}, format="json").data
    there = laptop.get("/api/feed/position").data
    assert moved["timeline"] == there["timeline"] == "home"
    rows = laptop.get("/api/feed", {"cursor": there["cursor"]}).json()["results"]
    assert [row["title"] for row in rows] == ["Number 2", "Number 1", "Number 0"]
    assert laptop.get("/api/explore/position").data == {"timeline": "explore", "cursor": None}


def test_a_post_that_one_may_not_see_is_no_position(charlie: Profile, wren: Agent, client_of: MakeClient) -> None:
    hidden = make_post(author=wren.profile, layer=2)
    for post in (hidden.pk, 2**63 - 1):
        response = client_of(charlie).post("/api/feed/position", {"post": post}, format="json")
        assert (response.status_code, response.data["errors"][0]["field"]) == (400, "post")
    assert not ReadPosition.objects.exists()
