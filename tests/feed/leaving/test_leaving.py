"""Who leaves is nobody at once, and after a while nothing of theirs is left."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext

from agents.inbox.models import Conversation, Member
from agents.inbox.services.conversations import send_message
from agents.knowledge.models import Account, LedgerEntry
from agents.models import Agent, ApiKey, Leaving, Profile, Session, User
from agents.services.agents import create_agent
from feed.leaving import erasing, running
from feed.leaving.asking import leave
from feed.leaving.running import go_on
from posts.models import Comment, Community, Post
from tests.conftest import MakeClient
from tests.factories import make_post
from tests.feed.leaving.world import CANARY, PASSWORD, World, tables_that_hold

# What others hold on to, as the decision says: their messages and answers hang on these, which are empty.
STAYS = {
    "agents.Leaving.profile",
    "inbox.Conversation.first",
    "inbox.Conversation.second",
    "inbox.Member.profile",
    "posts.Comment.author",
    "posts.Post.author",
}


@pytest.fixture
def world(db: None, settings: Any, tmp_path: Path) -> World:
    settings.MEDIA_ROOT = tmp_path
    return World()


def erase() -> int:
    """Let a minute pass and workers do what there is to do."""
    Leaving.objects.update(asked_at=F("asked_at") - timedelta(minutes=2))
    return go_on(seconds=60)


def relations(*targets: type) -> Iterator[Any]:
    """Every column of the house that names a row of these models."""
    fields = chain.from_iterable(model._meta.get_fields() for model in apps.get_models())
    return (field for field in fields if field.concrete and field.is_relation and field.related_model in targets)


def rows_that_name(world: World) -> dict[str, int]:
    ids = [world.ada.pk, world.agent.pk]
    return {
        f"{field.model._meta.label}.{field.name}": field.model._default_manager.filter(**{f"{field.name}__in": ids})
        .count()
        for field in relations(Profile, Agent)
    }  # fmt: skip


def test_everything_is_invisible_at_once(world: World, client_of: MakeClient) -> None:
    ben, stranger = client_of(world.ben), client_of(None)
    search = f"/api/search?q={CANARY}"
    lists = ["/api/feed", "/api/explore", "/api/communities/room/posts", search, "/api/updates", "/api/cards"]
    lists += [f"/api/posts/{world.theirs.pk}/comments", "/api/conversations", "/api/notifications", "/api/agents"]
    lists += [f"/api/conversations/{world.conversation.pk}/messages", "/api/users/ben/followers"]
    pages = ["/", "/explore", "/messages", "/notifications", f"/messages/{world.conversation.pk}"]
    browser = Client()
    assert world.ben.user
    browser.force_login(world.ben.user)
    assert CANARY in ben.get(search).text and CANARY in browser.get("/").text
    one = [f"/api/posts/{world.post.pk}", f"/api/posts/{world.private.pk}", f"/api/users/{CANARY}"]
    one += [f"/api/agents/{CANARY}-agent", f"/api/users/{CANARY}/posts", f"/api/cards/{world.card.pk}"]
    for path in one:
        assert ben.get(path).status_code == 200, path
    leave(person=world.ada)
    for path in one:
        assert (ben.get(path).status_code, stranger.get(path).status_code) == (404, 404), path
    for path in [*lists, *pages]:
        client = ben if path.startswith("/api") else browser
        answer = client.get(path)
        assert answer.status_code == 200 and CANARY.lower() not in answer.text.lower().replace(search, ""), path
    assert "Ben writes" in browser.get(f"/messages/{world.conversation.pk}").text


def test_who_has_left_can_do_nothing(world: World, client_of: MakeClient) -> None:
    by_key, by_agents_key, browser = client_of(), client_of(), Client()
    by_key.credentials(HTTP_AUTHORIZATION=f"Bearer {world.key}")
    by_agents_key.credentials(HTTP_AUTHORIZATION=f"Bearer {world.agents_key}")
    browser.post("/log-in", {"username": CANARY, "password": PASSWORD})
    assert browser.get("/settings").status_code == 200
    leave(person=world.ada)
    assert (by_key.get("/api/me/profile").status_code, by_agents_key.get("/api/feed").status_code) == (401, 401)
    assert browser.get("/settings").status_code == 302
    assert browser.post("/log-in", {"username": CANARY, "password": PASSWORD}).status_code == 422
    assert not ApiKey.objects.exists() and not Session.objects.filter(user=world.ada.user_id).exists()
    assert not User.objects.filter(username=CANARY).exists()
    with pytest.raises(PermissionDenied):
        create_agent(owner=world.ada, handle="late")
    with pytest.raises(PermissionDenied, match="left"):
        send_message(conversation=world.conversation, sender=world.ben, body="Are you there?")


def test_nothing_is_left_but_what_others_hold_on_to(world: World, tmp_path: Path) -> None:
    names = rows_that_name(world)
    unused = {name for name, number in names.items() if not number} - {"agents.Leaving.profile"}
    assert not unused, "Somebody who leaves may have rows here that this test does not see erased."
    # A face, the picture of a post and what a network shall get of it.
    assert len(list(tmp_path.rglob("*.*"))) == 3 and world.export.file.storage.exists(world.export.file.name)
    entries = list(LedgerEntry.objects.order_by("pk").values_list("pk", "account", "amount_micro"))
    leave(person=world.ada)
    erase()
    assert {name for name, number in rows_that_name(world).items() if number} == STAYS
    assert tables_that_hold(CANARY) == set()
    assert not list(tmp_path.rglob("*.*")) and not world.export.file.storage.exists(world.export.file.name)
    assert entries == list(LedgerEntry.objects.order_by("pk").values_list("pk", "account", "amount_micro"))
    assert Account.objects.filter(kind="wallet").get().profile is None
    assert_others_are_as_they_were(world)
    done = Leaving.objects.get()
    assert (done.state, done.profiles) == ("finished", [world.ada.pk, world.agent.pk])
    # Asked for and done again, nothing changes.
    assert leave(person=world.ada).finished_at == done.finished_at
    assert erase() == 0 and Leaving.objects.get().asked_at < done.asked_at


def assert_others_are_as_they_were(world: World) -> None:
    """Their words are there, and their counts are without what is gone."""
    theirs = Post.objects.get(pk=world.theirs.pk)
    assert (theirs.like_count, theirs.share_count, theirs.comment_count) == (0, 0, 1)
    assert Comment.objects.get(pk=world.reply.pk).body == "Ben replies"
    assert Comment.objects.get(pk=world.bens.pk).body == "Ben answers"
    assert not Post.objects.filter(pk=world.private.pk).exists()
    ben = Profile.objects.get(pk=world.ben.pk)
    assert (ben.follower_count, ben.following_count) == (0, 0)
    assert Community.objects.get().post_count == 0
    bens = Member.objects.get(profile=world.ben)
    assert [message.body for message in bens.conversation.messages.all()] == ["Ben writes"]
    assert bens.unread_count == 0 and not Conversation.objects.filter(pk=world.unanswered.pk).exists()


def test_killed_after_any_batch_it_goes_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What its transaction wrote is gone with it, the files it deleted are not: neither does harm."""
    monkeypatch.setattr(erasing, "BATCH", 1)
    leave(person=world.ada)
    Leaving.objects.update(asked_at=F("asked_at") - timedelta(minutes=2))
    for step in (*erasing.STEPS, erasing.erase_posts):
        assert killed(step, world)
        while running.erase_batch(world.ada.pk, step=step):
            assert killed(step, world)
    while running.close(world.ada.pk):
        pass
    assert {name for name, number in rows_that_name(world).items() if number} == STAYS
    assert tables_that_hold(CANARY) == set() and Leaving.objects.get().finished_at
    assert_others_are_as_they_were(world)


def killed(step: erasing.Step, world: World) -> bool:
    """Kill a worker that has done a step and not committed it."""

    def die_after(whose: list[int]) -> int:
        step(whose)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        running.erase_batch(world.ada.pk, step=die_after)
    return True


def test_posts_are_erased_a_minute_later_without_another_look_at_everything_else(alice: Profile) -> None:
    late = make_post(author=alice)
    posts = Post.objects.filter(author=alice)
    leave(person=alice)
    assert not running.erase_settled(alice.pk)
    Leaving.objects.update(asked_at=F("asked_at") - timedelta(minutes=2))
    # What was written meanwhile still names its picture.
    assert not running.erase_settled(alice.pk) and posts.get() == late
    assert running.erase_batch(alice.pk, step=erasing.empty_posts)
    with CaptureQueriesContext(connection) as queries:
        assert running.erase_settled(alice.pk) and not posts.exists()
    assert len(queries) < len(erasing.STEPS)


def test_an_agent_does_not_leave_by_itself(wren: Agent) -> None:
    with pytest.raises(PermissionDenied):
        leave(person=wren.profile)


@pytest.mark.parametrize("number", [2, 20])
def test_leaving_takes_the_same_statements_however_much_there_is(alice: Profile, number: int) -> None:
    for _ in range(number):
        make_post(author=alice)
    with CaptureQueriesContext(connection) as queries:
        leave(person=alice)
    # The savepoint's two; the lock; whether it was asked before, the agents, the faces, the row; sessions; names and
    # activity; accounts, what is in hand, the tokens; keys; and the log-in with what Django looks for around it.
    assert len(queries) == 20, [query["sql"] for query in queries]
