"""What PostgreSQL writes for a serializer is what the serializer writes, key order included."""

import datetime
import json
from typing import Any

import pytest
from django.db.models import F
from django.db.models.functions import Upper
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer

from agents.models import Agent, PersonaVersion, Profile
from agents.reads import directory
from agents.serializers import AgentDetail, AgentSummary, PersonaRead, ProfileDetail
from performance.prepared import PreparedRead, Size, UnexpressibleFieldError, json_of
from posts.models import Comment, Community, Post
from posts.reads import communities
from posts.serializers import CommentRead, CommunityRead, PostDetail, PostSummary
from tests.factories import make_agent, make_comment, make_community, make_person, make_post

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=60)
EARLIEST, LATEST = datetime.datetime(1000, 1, 1), datetime.datetime(9998, 12, 31)  # noqa: DTZ001
MOMENTS = st.datetimes(EARLIEST, LATEST, timezones=st.just(datetime.UTC)) | st.sampled_from(
    [datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)]
)
COUNTS = st.integers(0, 2**31 - 1)
FILES = st.sampled_from(["", "posts/2026/01/a-b_c.png"])

agreement = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)

posts = PreparedRead(
    lambda viewer, size: Post.objects.for_timeline(viewer)[:size],
    name="test posts", shape=PostSummary, position=("timeline_key",), viewer=Profile | None, size=Size(100),
)  # fmt: skip
post = PreparedRead(
    lambda viewer, pk: Post.objects.for_detail(viewer).filter(pk=pk),
    name="test post", shape=PostDetail, viewer=Profile | None, pk=int,
)  # fmt: skip
thread = PreparedRead(
    lambda pk: Comment.objects.for_thread(pk), name="test thread", shape=CommentRead, position=("path",), pk=int
)
agent = PreparedRead(
    lambda viewer, handle: Agent.objects.for_detail(viewer).filter(profile__handle=handle),
    name="test agent", shape=AgentDetail, viewer=Profile | None, handle=str,
)  # fmt: skip
profile = PreparedRead(
    lambda viewer, pk: Profile.objects.for_detail(viewer).filter(pk=pk),
    name="test profile", shape=ProfileDetail, viewer=Profile | None, pk=int,
)  # fmt: skip
persona = PreparedRead(lambda pk: PersonaVersion.objects.filter(pk=pk), name="test persona", shape=PersonaRead, pk=int)
rooms = PreparedRead(lambda: Community.objects.all(), name="test communities", shape=CommunityRead)


def ordered(document: bytes) -> Any:
    """Parse JSON so that a difference in the order of keys is a difference."""
    return json.loads(document, object_pairs_hook=list)


def as_rendered(data: Any) -> Any:
    return ordered(JSONRenderer().render(data))


@pytest.mark.django_db
@agreement
@given(
    title=TEXT, body=TEXT, alt=TEXT, image=FILES, moment=MOMENTS, edited=st.none() | MOMENTS, counts=COUNTS,
    is_generated=st.booleans(), layer=st.sampled_from(Post.Layer), kind=st.sampled_from(Post.Kind.values),
    by_agent=st.booleans(), in_room=st.booleans(), is_liked=st.booleans(), by_stranger=st.booleans(),
)  # fmt: skip
def test_posts_agree(
    title: str, body: str, alt: str, image: str, moment: Any, edited: Any, counts: int, is_generated: bool,
    layer: int, kind: str, by_agent: bool, in_room: bool, is_liked: bool, by_stranger: bool,
) -> None:  # fmt: skip
    author = make_agent().profile if by_agent else make_person()
    room = make_community() if in_room else None
    made = make_post(author=author, title=title, body=body * 20, image_alt=alt, community=room)
    if is_liked:
        author.likes.create(post=made)
    Post.objects.filter(pk=made.pk).update(
        image=image, published_at=moment, edited_at=edited, like_count=counts, is_generated=is_generated,
        kind=kind, layer=layer if room is None else 0,
    )  # fmt: skip
    viewer = None if by_stranger else author
    assert ordered(b"[%b]" % b",".join(row.json for row in posts.rows(viewer=viewer, size=100))) == as_rendered(
        PostSummary(Post.objects.for_timeline(viewer)[:100], many=True).data
    )
    seen = post.one(viewer=viewer, pk=made.pk)
    expected = Post.objects.for_detail(viewer).filter(pk=made.pk).first()
    assert (seen and ordered(seen)) == (expected and as_rendered(PostDetail(expected).data))


@pytest.mark.django_db
@agreement
@given(
    texts=st.lists(TEXT, max_size=3), bio=TEXT, moment=st.none() | MOMENTS, counts=COUNTS, avatar=FILES,
    has_persona=st.booleans(), is_active=st.booleans(), by_stranger=st.booleans(),
)  # fmt: skip
def test_agents_and_profiles_agree(
    texts: list[str], bio: str, moment: Any, counts: int, avatar: str, has_persona: bool, is_active: bool,
    by_stranger: bool,
) -> None:  # fmt: skip
    made = make_agent(bio=bio, persona={"bio": texts, "topics": texts, "system": bio})
    Profile.objects.filter(pk=made.pk).update(last_post_at=moment, follower_count=counts, avatar=avatar)
    if not has_persona:
        Agent.objects.filter(pk=made.pk).update(persona=None)
    Agent.objects.filter(pk=made.pk).update(is_active=is_active)
    viewer = None if by_stranger else made.owner
    rows = directory.rows(viewer=viewer, followers=counts, key=made.pk + 1, limit=100)
    listed = [agent for agent in popular(viewer) if (agent.profile.follower_count, agent.pk) <= (counts, made.pk)]
    assert [ordered(row.json) for row in rows] == as_rendered(AgentSummary(listed, many=True).data)
    assert [row.position_values() for row in rows] == [[one.profile.follower_count, one.pk] for one in listed]
    assert bool(listed and listed[0].pk == made.pk) == is_active
    row = Agent.objects.for_detail(viewer).get(pk=made.pk)
    seen = agent.one(viewer=viewer, handle=made.profile.handle)
    assert seen and ordered(seen) == as_rendered(AgentDetail(row).data)
    for one in (made.profile, made.owner):
        seen = profile.one(viewer=viewer, pk=one.pk)
        expected = ProfileDetail(Profile.objects.for_detail(viewer).get(pk=one.pk)).data
        assert seen and ordered(seen) == as_rendered(expected)
    seen = persona.one(pk=made.persona_id)
    assert seen and ordered(seen) == as_rendered(PersonaRead(made.persona).data)


def popular(viewer: Profile | None) -> list[Agent]:
    """The directory as it was before it was prepared."""
    return list(Agent.objects.active().for_detail(viewer).order_by("-profile__follower_count", "-profile_id"))


@pytest.mark.django_db
@agreement
@given(bodies=st.lists(TEXT, min_size=1, max_size=3), is_removed=st.booleans())
def test_threads_agree(bodies: list[str], is_removed: bool) -> None:
    on = make_post()
    parent = None
    for body in bodies:
        parent = make_comment(post=on, parent=parent, body=body)
    if is_removed:
        Comment.objects.filter(pk=parent and parent.pk).update(removed_at=F("created_at"), body="")
    rows = thread.rows(pk=on.pk)
    expected = list(Comment.objects.for_thread(on.pk))
    assert [ordered(row.json) for row in rows] == as_rendered(CommentRead(expected, many=True).data)
    assert [row.position_values() for row in rows] == [[comment.path] for comment in expected]


@pytest.mark.django_db
@agreement
@given(title=TEXT, description=TEXT, posts=st.integers(0, 3))
def test_communities_agree(title: str, description: str, posts: int) -> None:
    made = make_community()
    Community.objects.filter(pk=made.pk).update(title=title, description=description, post_count=posts)
    rows = communities.rows(posts=posts, key=made.pk + 1, limit=100)
    listed = [one for one in Community.objects.order_by("-post_count", "-id") if one.post_count <= posts]
    assert listed[0].pk == made.pk
    assert [ordered(row.json) for row in rows] == as_rendered(CommunityRead(listed, many=True).data)
    assert [row.position_values() for row in rows] == [[one.post_count, one.pk] for one in listed]


@pytest.mark.django_db
def test_a_read_without_parameters_agrees() -> None:
    make_community("left")
    rows = rooms.rows()
    assert [ordered(row.json) for row in rows] == as_rendered(CommunityRead(Community.objects.all(), many=True).data)


def shape_of(**fields: Any) -> Any:
    meta = type("Meta", (), {"expressions": fields.pop("expressions", {})})
    return type("Shape", (serializers.Serializer,), fields | {"Meta": meta})


class CommentName(serializers.ModelSerializer[Comment]):
    class Meta:
        model = Comment
        fields = ["id", "body"]


@pytest.mark.parametrize(
    ("field", "reason"),
    [
        (serializers.SerializerMethodField(method_name="get_x"), "SerializerMethodField is not known in SQL"),
        (serializers.CharField(source="author.is_agent"), "Profile has no field is_agent"),
        (serializers.CharField(source="title.upper"), "upper is not a relation"),
        (serializers.IntegerField(source="title"), "IntegerField would show a CharField differently"),
        (serializers.CharField(source="like_count"), "CharField would show a PositiveIntegerField differently"),
        (serializers.CharField(source="community.name"), "the key itself would be missing"),
        (serializers.CharField(source="community.name", default="none"), "only None can be the default"),
        (serializers.DateTimeField(source="published_at", format="%Y"), "moments are written as"),
        (serializers.ImageField(source="image"), "ImageField is not known in SQL"),
        (CommentName(source="comments", many=True), "Comment has no ordering"),
        (CommentName(source="title"), "not one row of a model"),
        (serializers.FloatField(source="like_count"), "FloatField is not known in SQL"),
    ],
)
def test_what_cannot_be_said_in_sql_is_refused_by_name(field: Any, reason: str) -> None:
    with pytest.raises(UnexpressibleFieldError, match=rf"Shape\.x: .*{reason}"):
        json_of(shape_of(x=field), Post)


@pytest.mark.django_db
def test_a_computed_field_names_its_expression_and_a_list_its_rows(monkeypatch: Any) -> None:
    monkeypatch.setattr(Comment._meta, "ordering", ["-id"])
    shape = shape_of(
        loud=serializers.SerializerMethodField(),
        comments=CommentName(many=True),
        expressions={"loud": lambda at: Upper(at("title"))},
    )
    read = PreparedRead(lambda pk: Post.objects.filter(pk=pk), name="test list", shape=shape, pk=int)
    on, bare = make_post(title="quiet"), make_post(title="bare")
    first, second = make_comment(post=on, body="a"), make_comment(post=on, body="b")
    assert json.loads(read.one(pk=on.pk) or b"") == {
        "loud": "QUIET",
        "comments": [{"id": second.pk, "body": "b"}, {"id": first.pk, "body": "a"}],
    }
    assert json.loads(read.one(pk=bare.pk) or b"") == {"loud": "BARE", "comments": []}
