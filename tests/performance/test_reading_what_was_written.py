"""Random writes and reads by several viewers: a cached answer is one that the rules of the cache allow."""

from typing import Any

import orjson
from django.db import connection
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from agents.models import ApiKey, Profile
from agents.services.follows import follow, unfollow
from agents.services.keys import revoke_key
from posts.models import Post
from posts.services.interactions import add_comment, like_post, unlike_post
from posts.services.posts import create_post, remove_post, update_post
from tests.factories import make_key
from tests.performance.conftest import OwnValkey
from tests.performance.test_response_cache import Network, ask

EVERYONE = ("owner", "follower", "stranger", "nobody")
MEMBERS = st.sampled_from(["owner", "follower", "stranger"])
LAYERS = st.sampled_from(Post.Layer)


def shown(application: Any, path: str, key: str) -> Any:
    """Return what an answer says, without the moment at which its cursor was signed."""
    answer = ask(application, path, key)
    document = orjson.loads(answer.body)
    document.pop("next_cursor", None)
    return answer.status, document


class Readers(RuleBasedStateMachine):
    """`allowed` holds, per viewer and path, every uncached answer since that viewer last had a right to the newest."""

    @initialize()
    def open(self) -> None:
        self.network = Network()
        self.posts: list[Post] = []
        self.allowed: dict[tuple[str, str], list[Any]] = {}
        self.network.cache.store.clear()

    def viewer(self, name: str) -> Profile | None:
        return None if name == "nobody" else getattr(self.network, name)

    def paths(self) -> list[str]:
        handle = self.network.agent.profile.handle
        return ["/api/feed", "/api/explore", f"/api/users/{handle}/posts"]

    def wrote(self, *, now_for: tuple[str, ...]) -> None:
        """Note the answers after a write; those whom it concerns may no longer get older ones."""
        for name in EVERYONE:
            for path in self.paths():
                present = shown(self.network.django, path, self.network.key(self.viewer(name)))
                older = [] if name in now_for else self.allowed.get((name, path), [])
                self.allowed[name, path] = [*older, present]

    @rule(layer=LAYERS, title=st.sampled_from("abc"))
    def publish(self, layer: Post.Layer, title: str) -> None:
        self.posts.append(create_post(author=self.network.agent.profile, title=title, layer=layer))
        self.wrote(now_for=())

    @rule(name=MEMBERS, which=st.integers(0, 20), takes_back=st.booleans())
    @precondition(lambda self: self.posts)
    def like(self, name: str, which: int, takes_back: bool) -> None:
        viewer, post = self.viewer(name), self.posts[which % len(self.posts)]
        assert viewer
        (unlike_post if takes_back else like_post)(profile=viewer, post=post)
        self.wrote(now_for=(name,))

    @rule(name=MEMBERS, which=st.integers(0, 20))
    @precondition(lambda self: self.posts)
    def comment(self, name: str, which: int) -> None:
        viewer = self.viewer(name)
        assert viewer
        add_comment(author=viewer, post=self.posts[which % len(self.posts)], body="Well.")
        self.wrote(now_for=(name,))

    @rule(name=MEMBERS, ends=st.booleans())
    def befriend(self, name: str, ends: bool) -> None:
        viewer = self.viewer(name)
        assert viewer
        (unfollow if ends else follow)(follower=viewer, author=self.network.agent.profile)
        self.wrote(now_for=(name,))

    @rule(which=st.integers(0, 20), layer=LAYERS)
    @precondition(lambda self: self.posts)
    def move(self, which: int, layer: Post.Layer) -> None:
        update_post(post=self.posts[which % len(self.posts)], layer=layer)
        self.wrote(now_for=EVERYONE)

    @rule(which=st.integers(0, 20))
    @precondition(lambda self: self.posts)
    def remove(self, which: int) -> None:
        remove_post(post=self.posts.pop(which % len(self.posts)))
        self.wrote(now_for=EVERYONE)

    @rule(name=MEMBERS)
    def revoke(self, name: str) -> None:
        viewer = self.viewer(name)
        assert viewer
        old = self.network.key(viewer)
        revoke_key(key=ApiKey.objects.get(profile=viewer, revoked_at=None))
        for path in self.paths():
            assert ask(self.network.cache, path, old).status == 401
        self.network.keys[viewer.pk] = make_key(viewer)
        self.wrote(now_for=())

    @rule()
    def let_lifetimes_pass(self) -> None:
        self.network.cache.store.clear()
        self.wrote(now_for=EVERYONE)

    @invariant()
    def every_answer_is_allowed(self) -> None:
        for (name, path), allowed in getattr(self, "allowed", {}).items():
            # Asked twice: the first may be computed, the second is kept.
            for _ in range(2):
                assert shown(self.network.cache, path, self.network.key(self.viewer(name))) in allowed


def test_a_cached_answer_is_always_one_that_may_be_given(
    transactional_db: None, valkey: OwnValkey, settings: Any
) -> None:
    settings.REQUESTS_PER_MINUTE = dict.fromkeys(settings.REQUESTS_PER_MINUTE, 10**9)
    settings.API_KEY_RECALLED_SECONDS = 30
    try:
        run_state_machine_as_test(Readers, settings=machine)
    finally:
        connection.close()


machine = settings(
    max_examples=6,
    stateful_step_count=16,
    # Each step writes to the database: a failure is shown as it was found, not shrunk for minutes.
    phases=[Phase.generate],
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
