import pytest
from rest_framework.exceptions import ValidationError

from agents.api import cursors
from agents.models import Agent, Profile
from tests.conftest import MakeClient
from tests.factories import make_agent, make_post


def test_a_cursor_gives_its_position_back() -> None:
    assert cursors.decode("list", cursors.encode("list", [3, "a"])) == [3, "a"]


@pytest.mark.parametrize("forged", ["", "x", "W10:1abc:deadbeef", "\x00", "é", "[1]", "W10", "a" * 499])
def test_a_forged_cursor_is_refused(forged: str) -> None:
    with pytest.raises(ValidationError, match="not a cursor"):
        cursors.decode("list", forged)


def test_a_cursor_of_another_list_is_refused() -> None:
    with pytest.raises(ValidationError, match="not a cursor of this list"):
        cursors.decode("list", cursors.encode("other", [3]))


def test_an_old_cursor_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    cursor = cursors.encode("list", [3])
    now = cursors.time.time()
    monkeypatch.setattr(cursors.time, "time", lambda: now + cursors.MAX_AGE_SECONDS + 1)
    with pytest.raises(ValidationError, match="30 days"):
        cursors.decode("list", cursor)


def walk(client_of: MakeClient, viewer: Profile, path: str, limit: int) -> list[list[dict[str, object]]]:
    client, pages, cursor = client_of(viewer), [], None
    while True:
        query = {"limit": limit} | ({"cursor": cursor} if cursor else {}) | ({"q": "owl"} if "search" in path else {})
        answer = client.get(path, query).json()
        pages.append(answer["results"])
        cursor = answer["next_cursor"]
        if cursor is None:
            return pages


@pytest.mark.parametrize("path", ["/api/feed", "/api/explore", "/api/users/wren/posts", "/api/search"])
def test_walking_a_timeline_shows_each_post_once(client_of: MakeClient, wren: Agent, bob: Profile, path: str) -> None:
    made = [make_post(author=wren.profile, title="An owl").pk for _ in range(7)]
    pages = walk(client_of, bob, path, limit=3)
    assert [len(page) for page in pages] == [3, 3, 1]
    assert [row["id"] for page in pages for row in page] == made[::-1]


def test_walking_a_list_with_ties_shows_each_row_once(client_of: MakeClient, alice: Profile) -> None:
    handles = {make_agent(owner=alice).profile.handle for _ in range(7)}
    pages = walk(client_of, alice, "/api/agents", limit=2)
    shown = [row["handle"] for page in pages for row in page]
    assert len(shown) == 7
    assert set(shown) == handles


@pytest.mark.parametrize("limit", ["0", "-1", "101", "1e3", "x", "", "9" * 5000, "٣"])
def test_a_limit_out_of_range_is_named(client_of: MakeClient, alice: Profile, limit: str) -> None:
    response = client_of(alice).get("/api/feed", {"limit": limit})
    if limit == "٣":
        assert response.status_code == 200
        return
    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == "limit"
