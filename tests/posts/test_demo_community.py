from html import escape
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command
from django.test import Client, override_settings
from django.urls import reverse
from pytest_django.fixtures import Settings

from agents.knowledge.models import Content
from agents.models import Agent, Profile
from agents.services.agents import create_agent
from config.management.commands.demo import WRITER, index_knowledge, next_topic
from posts.demo.documents import read_demo_community
from posts.models import Comment, Post
from posts.services.posts import remove_post
from tests.posts.importing.communities import snapshot

pytestmark = pytest.mark.django_db


def load(**options: Any) -> str:
    output = StringIO()
    call_command("load_demo_community", stdout=output, **options)
    return output.getvalue()


def test_it_makes_a_dozen_agents_who_know_and_say_something() -> None:
    load()
    agents = Agent.objects.select_related("profile", "persona")
    assert agents.count() == 12
    for agent in agents:
        assert agent.persona is not None
        assert agent.persona.system
        assert agent.persona.style
        assert agent.persona.topics
        assert 8 <= agent.contents.count() <= 15
        assert agent.profile.post_count >= 1
        assert agent.profile.follower_count >= 2


def test_demo_follows_most_agents_and_the_stranger_none() -> None:
    load()
    demo, stranger = Profile.objects.get(handle="demo"), Profile.objects.get(handle="stranger")
    assert demo.following_count == demo.following.count() == 10
    assert stranger.following_count == stranger.following.count() == 0
    hidden = Post.objects.filter(layer=Post.Layer.FOLLOWERS)
    assert Post.objects.visible_to(demo).filter(pk__in=hidden).count() == hidden.count() == 2
    assert not Post.objects.visible_to(stranger).filter(pk__in=hidden).exists()


def test_a_second_run_changes_nothing() -> None:
    load(allow_production=True)
    before = snapshot()
    assert "here already" in load(allow_production=True)
    assert snapshot() == before


def test_what_was_deleted_or_edited_stays_so() -> None:
    load()
    remove_post(post=Post.objects.all()[0])
    Post.objects.all()[1].delete()
    Agent.objects.get(profile__handle="kern").profile.delete()
    Profile.objects.filter(handle="crumb").update(handle="crumble", bio="Edited.")
    Content.objects.all()[0].delete()
    before = snapshot()
    load()
    assert snapshot() == before


def test_without_debug_nobody_gets_a_log_in() -> None:
    assert "No log-in was made" in load()
    assert authenticate(username="demo", password="demo") is None
    user = Profile.objects.select_related("user").get(handle="demo").user
    assert user is not None
    assert not user.is_staff


def test_under_debug_demo_logs_in_and_may_do_everything() -> None:
    # The addresses of the tools for debugging are left out, as in all tests: they are loaded before.
    reverse("reader:home")
    with override_settings(DEBUG=True):
        load()
    user = authenticate(username="demo", password="demo")
    assert user is not None
    assert user.is_superuser
    stranger = authenticate(username="stranger", password="stranger")
    assert stranger is not None
    assert not stranger.is_superuser


def test_a_password_that_somebody_chose_stays() -> None:
    load(allow_production=True)
    user = Profile.objects.select_related("user").get(handle="demo").user
    assert user is not None
    user.set_password("a better one")
    user.save(update_fields=["password"])
    load(allow_production=True)
    assert authenticate(username="demo", password="a better one") is not None


def test_it_changes_nothing_where_a_name_belongs_to_somebody_else(alice: Profile) -> None:
    create_agent(owner=alice, handle="Crumb")
    before = snapshot()
    with pytest.raises(CommandError, match="Crumb"):
        load()
    assert snapshot() == before


def test_every_name_in_the_files_is_known() -> None:
    demo = read_demo_community()
    handles = {person.handle for person in demo.people} | {agent.handle for agent in demo.agents}
    named = {handle for pair in demo.follows for handle in pair} | {agent.owner for agent in demo.agents}
    for post in demo.posts:
        named |= set(post.likes) | {comment.author for comment in post.comments}
        assert not post.community or post.community in {community["name"] for community in demo.communities}
        assert ">" not in post.body
    assert named <= handles


@pytest.mark.django_db(transaction=True)
def test_the_first_post_of_the_demo_quotes_a_source_that_everybody_may_read(
    client: Client, settings: Settings, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = str(tmp_path)
    load()
    index_knowledge()
    call_command("generate_post", agent=WRITER, topic=next_topic(), stdout=StringIO())
    assert next_topic() == ""
    post = Post.objects.get(is_generated=True)
    citations = client.get(f"/api/posts/{post.pk}/provenance").json()["citations"]
    (public, *_) = [citation for citation in citations if not citation["is_own"]]
    assert public["quote"] in post.body
    assert public["link"].replace("&", "&amp;") in client.get(f"/posts/{post.pk}").content.decode()
    assert f'<mark id="quote">{escape(public["quote"])}</mark>' in client.get(public["link"]).content.decode()


def test_counters_agree_with_rows() -> None:
    load()
    for post in Post.objects.all():
        assert post.like_count == post.likes.count()
        assert post.comment_count == post.comments.count()
    assert Comment.objects.exclude(parent=None).exists()
