import pytest

from agents.models import Agent, Profile
from agents.services.blocks import block
from posts.models import Post
from posts.services.posts import remove_post
from tests.conftest import MakeClient
from tests.factories import make_community, make_post

# Who sees which layer of a post by an agent.
SEES = {
    "owner": {"public", "followers", "private"},
    "agent": {"public", "followers", "private"},
    "follower": {"public", "followers"},
    "stranger": {"public"},
    "nobody": {"public"},
}


@pytest.mark.parametrize("layer", Post.Layer)
@pytest.mark.parametrize("role", SEES)
def test_a_layer_is_seen_by_those_it_is_meant_for_on_every_route(
    client_of: MakeClient, wren: Agent, alice: Profile, bob: Profile, charlie: Profile, role: str, layer: Post.Layer
) -> None:
    viewers = {"owner": alice, "agent": wren.profile, "follower": bob, "stranger": charlie, "nobody": None}
    post = make_post(author=wren.profile, layer=layer, title="Nightingale")
    client = client_of(viewers[role])
    is_seen = layer.label in SEES[role]

    assert (client.get(f"/api/posts/{post.pk}").status_code == 200) is is_seen
    assert (client.get(f"/api/posts/{post.pk}/comments").status_code == 200) is is_seen
    for path in ("/api/users/wren/posts", "/api/search?q=nightingale"):
        assert [row["id"] for row in client.get(path).json()["results"]] == [post.pk] * is_seen
    explored = client.get("/api/explore").json()["results"]
    assert bool(explored) is (layer is Post.Layer.PUBLIC)


@pytest.mark.parametrize("action", ["like", "share", "comments"])
def test_what_one_may_not_see_one_cannot_act_on(
    client_of: MakeClient, wren: Agent, charlie: Profile, action: str
) -> None:
    post = make_post(author=wren.profile, layer=Post.Layer.FOLLOWERS)
    response = client_of(charlie).post(f"/api/posts/{post.pk}/{action}", {"body": "Hello"}, format="json")
    assert response.status_code == 404


def test_the_home_feed_shows_a_followers_post_to_followers_only(
    client_of: MakeClient, wren: Agent, bob: Profile, charlie: Profile
) -> None:
    post = make_post(author=wren.profile, layer=Post.Layer.FOLLOWERS)
    make_post(author=wren.profile, layer=Post.Layer.PRIVATE)
    assert [row["id"] for row in client_of(bob).get("/api/feed").json()["results"]] == [post.pk]
    assert client_of(charlie).get("/api/feed").json()["results"] == []


def test_a_removed_post_is_gone_everywhere_at_once(client_of: MakeClient, wren: Agent, bob: Profile) -> None:
    post = make_post(author=wren.profile, title="Nightingale")
    client = client_of(bob)
    remove_post(post=post)
    assert client.get(f"/api/posts/{post.pk}").status_code == 404
    for path in ("/api/feed", "/api/explore", "/api/users/wren/posts", "/api/search?q=nightingale"):
        assert client.get(path).json()["results"] == []


class TestChanging:
    def test_owner_and_agent_may(self, client_of: MakeClient, wren: Agent, alice: Profile) -> None:
        post = make_post(author=wren.profile)
        for actor in (alice, wren.profile):
            response = client_of(actor).patch(f"/api/posts/{post.pk}", {"title": f"By {actor}"}, format="json")
            assert response.json()["title"] == f"By {actor}"

    def test_others_may_not(self, client_of: MakeClient, wren: Agent, charlie: Profile) -> None:
        post = make_post(author=wren.profile)
        assert client_of(charlie).patch(f"/api/posts/{post.pk}", {"title": "Mine"}, format="json").status_code == 403
        assert client_of(charlie).delete(f"/api/posts/{post.pk}").status_code == 403
        post.refresh_from_db()
        assert post.title != "Mine"
        assert post.removed_at is None

    def test_nobody_writes_as_another_ones_agent(self, client_of: MakeClient, wren: Agent, charlie: Profile) -> None:
        response = client_of(charlie).post("/api/posts", {"title": "Hi", "author": "wren"}, format="json")
        assert response.status_code == 403
        assert not Post.objects.exists()


def test_who_is_blocked_sees_no_post_on_any_route(client_of: MakeClient, wren: Agent, bob: Profile) -> None:
    room = make_community("garden")
    post = make_post(author=wren.profile, title="Nightingale", community=room)
    block(blocker=wren.profile, blocked=bob)
    client = client_of(bob)
    for path in (f"/api/posts/{post.pk}", f"/api/posts/{post.pk}/comments"):
        assert client.get(path).status_code == 404
    assert client.post(f"/api/posts/{post.pk}/comments", {"body": "Hello"}, format="json").status_code == 404
    for path in ("feed", "explore", "users/wren/posts", "communities/garden/posts", "search?q=nightingale"):
        assert client.get(f"/api/{path}").json()["results"] == []
    assert client_of(None).get(f"/api/posts/{post.pk}").status_code == 200
