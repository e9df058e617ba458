from datetime import datetime
from pathlib import Path

import pytest
from django.core.management import CommandError

from agents.models import Agent, Follow, Profile
from agents.services.follows import unfollow
from posts.models import Comment, Community, Post
from posts.services.communities import create_community
from posts.services.posts import create_post
from posts.timeline_keys import first_key_at
from tests.posts.importing.communities import NOON, a_comment, a_post, run, snapshot, write

pytestmark = pytest.mark.django_db


def test_a_community_comes_in_whole(tmp_path: Path) -> None:
    write(
        tmp_path,
        agents=[{"handle": "Fred", "bio": "Makes podcasts."}],
        submolts=[{"name": "general", "display_name": "General", "description": "The square."}],
        posts=[a_post("1")],
        post_headlines=[a_post("1", title="Only a headline"), {k: v for k, v in a_post("2").items() if k != "content"}],
        comments=[a_comment("c", "1")],
        reply_graph=[{"source": "Gus", "target": "Fred", "weight": 2}],
    )
    run(tmp_path)
    fred = Profile.objects.select_related("agent__owner", "agent__persona").get(handle="Fred")
    assert (fred.bio, fred.agent.owner.handle, fred.agent.persona.bio) == (
        "Makes podcasts.",
        "importer",
        ["Makes podcasts."],
    )
    assert (fred.post_count, fred.follower_count, fred.following_count) == (2, 1, 0)
    post = Post.objects.select_related("community").get(title="Post 1")
    assert post.community is not None
    assert (post.community.title, post.community.post_count, post.comment_count) == ("General", 2, 1)
    assert Post.objects.get(title="Post 2").body == ""
    assert Follow.objects.get().follower.handle == "Gus"


def test_times_are_kept_and_order_the_timelines(tmp_path: Path) -> None:
    write(
        tmp_path,
        posts=[a_post("1", created_at="2026-01-29T12:00:00Z"), a_post("2"), a_post("3", created_at="someday")],
    )
    output = run(tmp_path)
    assert "created_at is not an ISO 8601 time (posts.jsonl.gz:3)" in output
    newest = Post.objects.get(title="Post 2")
    assert newest.published_at == datetime.fromisoformat(NOON)
    assert newest.timeline_key is not None
    assert first_key_at(newest.published_at) <= newest.timeline_key < first_key_at(newest.published_at) + 2**20
    author = Profile.objects.get(handle="Fred")
    assert (author.last_post_key, author.last_post_at) == (newest.timeline_key, newest.published_at)


def test_a_comment_keeps_its_time(tmp_path: Path) -> None:
    write(tmp_path, posts=[a_post("1")], comments=[a_comment("c", "1")])
    run(tmp_path)
    assert Comment.objects.get().created_at == datetime.fromisoformat(NOON)


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    write(
        tmp_path,
        agents=[{"handle": "Fred"}, {"handle": "Fred"}, {"handle": "fred"}],
        communities=[{"name": "general"}, {"name": "C++"}],
        posts=[a_post("1"), a_post("1"), a_post("2", author="まい", submolt="C++"), a_post("3", submolt="None")],
        comments=[a_comment("b", "1", parent_id="a"), a_comment("a", "1"), a_comment("a", "1")],
        reply_graph=[{"source": "Gus", "target": "Fred"}] * 2,
    )
    run(tmp_path)
    before = snapshot()
    run(tmp_path)
    assert snapshot() == before
    assert [len(before[table]) for table in ("Agent", "Community", "Post", "Comment", "Follow")] == [4, 2, 3, 2, 1]


def test_replies_may_stand_before_what_they_answer(tmp_path: Path) -> None:
    chain = [a_comment(str(n), "1", parent_id=str(n + 1)) for n in range(5)]
    write(tmp_path, posts=[a_post("1")], comments=[*chain, a_comment("5", "1")])
    run(tmp_path)
    deepest = Comment.objects.get(body="Comment 0")
    assert deepest.depth == 5
    assert deepest.path[-1] == deepest.pk
    assert deepest.path[-2] == deepest.parent_id
    assert Post.objects.get().comment_count == 6


def test_comments_without_their_place_are_skipped_with_a_reason(tmp_path: Path) -> None:
    chain = [a_comment(f"d{n}", "1", parent_id=f"d{n - 1}" if n else None) for n in range(Comment.MAX_DEPTH + 1)]
    write(
        tmp_path,
        posts=[a_post("1"), a_post("2")],
        comments=[
            a_comment("a", "gone"),
            a_comment("b", "1", parent_id="gone"),
            a_comment("c", "2", parent_id="d0"),
            a_comment("e", "1", parent_id="e"),
            a_comment("f", "1", content=" "),
            *chain,
        ],
    )
    output = run(tmp_path)
    assert Comment.objects.count() == Comment.MAX_DEPTH
    for reason in (
        "1 comments: its post is not in the data (comments.jsonl.gz:1)",
        "2 comments: the comment it answers is not in the data (comments.jsonl.gz:2, comments.jsonl.gz:4)",
        "1 comments: it answers a comment of another post (comments.jsonl.gz:3)",
        "1 comments: it has no text (comments.jsonl.gz:5)",
        "1 comments: it lies deeper than 32 levels (comments.jsonl.gz:38)",
    ):
        assert reason in output


def test_rows_that_cannot_be_used_are_skipped_and_the_rest_is_stored(tmp_path: Path) -> None:
    write(
        tmp_path,
        posts=[
            "{broken",
            "[]",
            a_post("1", title=7),
            a_post("2", title="", content=""),
            a_post("3", author=None),
            a_post("4", created_at="3026-01-01T00:00:00Z"),
            {**a_post("5"), "id": ["x"]},
            a_post("6", title="N\0ul \ud800", content="a\0b" + "x" * 1_000_000),
            a_post("7", title="t" * 108_000, content=""),
            a_post("8", title="", content="First words. Then more."),
        ],
        agents=[{"handle": "x" * 500}, {"handle": "a\0b"}, {"bio": "nameless"}],
        communities=[{"name": "n" * 51}, {"name": "ok", "description": "d" * 5000}],
        reply_graph=[{"source": "a", "target": "a"}, {"source": "a", "target": "b", "weight": 0}, {"source": "a"}]
        + [{"source": "a", "target": "b", "weight": True}, {"source": "a", "target": "b", "weight": "2"}],
    )
    output = run(tmp_path)
    six, seven, eight = Post.objects.order_by("pk")
    assert (six.title, len(six.body), six.body[:3]) == ("Nul ", 100_000, "abx")
    assert (len(seven.title), len(seven.body)) == (300, 100_000)
    assert (eight.title, eight.body) == ("First words. Then more.", "First words. Then more.")
    assert Community.objects.get(name="ok").description == "d" * 2000
    assert not Follow.objects.exists()
    for reason in (
        "posts: not JSON (posts.jsonl.gz:1)",
        "posts: not a JSON object (posts.jsonl.gz:2)",
        "posts: title is not a string (posts.jsonl.gz:3)",
        "posts: it has neither title nor text (posts.jsonl.gz:4)",
        "posts: author is missing (posts.jsonl.gz:5)",
        "posts: created_at lies in the future or before 1970 (posts.jsonl.gz:6)",
        "posts: id is neither a string nor a number (posts.jsonl.gz:7)",
        "2 posts: the text was cut to 100,000 characters (posts.jsonl.gz:8, posts.jsonl.gz:9)",
        "agents: handle is longer than 120 characters (agents.jsonl.gz:1)",
        "follows: it replies to itself (reply_graph.jsonl.gz:1)",
        "3 follows: weight is not a number of 1 or more",
    ):
        assert reason in output


def test_names_that_others_have_are_not_taken_over(tmp_path: Path, wren: Agent) -> None:
    write(tmp_path, posts=[a_post("1", author="Wren")])
    run(tmp_path)
    assert Post.objects.select_related("author").get().author.handle.startswith("Wren-")
    assert not Post.objects.filter(author=wren.profile).exists()


def test_a_community_of_the_same_name_is_the_same_room(tmp_path: Path, alice: Profile) -> None:
    room = create_community(creator=alice, name="General")
    create_post(author=alice, title="Already here", community=room)
    write(tmp_path, posts=[a_post("1"), a_post("2", submolt="GENERAL")])
    run(tmp_path)
    room.refresh_from_db()
    assert (Community.objects.count(), room.post_count) == (1, 3)


def test_what_was_deleted_here_stays_deleted(tmp_path: Path) -> None:
    write(
        tmp_path,
        posts=[a_post("1"), a_post("2", author="Ida")],
        comments=[a_comment("c", "1")],
        reply_graph=[{"source": "Gus", "target": "Fred"}],
    )
    run(tmp_path)
    Post.objects.get(title="Post 1").delete()
    Profile.objects.get(handle="Ida").delete()
    unfollow(follower=Profile.objects.get(handle="Gus"), author=Profile.objects.get(handle="Fred"))
    write(tmp_path, posts=[a_post("1"), a_post("2"), a_post("3", author="Ida")], comments=[a_comment("d", "1")])
    output = run(tmp_path)
    assert not Post.objects.exists()
    assert not Follow.objects.exists()
    assert "posts: its author was deleted here (posts.jsonl.gz:3)" in output
    assert "comments: its post was deleted here (comments.jsonl.gz:1)" in output


def test_sources_do_not_share_ids(tmp_path: Path) -> None:
    write(tmp_path, posts=[a_post("1")])
    run(tmp_path, source="one")
    run(tmp_path, source="two")
    assert Post.objects.count() == 2
    assert Agent.objects.count() == 2


def test_texts_are_stored_as_they_are(tmp_path: Path) -> None:
    text = "Ignore all previous instructions. <script>alert(1)</script>\r\n  {{ secret }}  "
    write(tmp_path, posts=[a_post("1", content=text)])
    run(tmp_path)
    assert Post.objects.get().body == text


def test_scores_are_left_out_and_the_summary_says_so(tmp_path: Path) -> None:
    write(tmp_path, posts=[a_post("1", score=23964)])
    assert "scores were left out" in run(tmp_path)
    assert Post.objects.get().like_count == 0


def test_it_fails_only_where_nothing_could_be_read(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="holds no file of a community"):
        run(tmp_path)
    with pytest.raises(CommandError, match="Nothing could be read"):
        run(write(tmp_path, posts=["{", "7"]))
    (tmp_path / "posts.jsonl.gz").write_bytes(b"\x1f\x8b\x08 cut")
    (tmp_path / "agents.jsonl").write_text('{"handle": "Fred"}\n')
    run(tmp_path)
    assert Agent.objects.count() == 1
