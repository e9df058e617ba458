import pytest

from agents.models import Profile
from posts.models import Comment, Post
from posts.services.interactions import (
    add_comment,
    like_post,
    remove_comment,
    share_post,
    unlike_post,
    unshare_post,
)
from tests.concurrency import run_together
from tests.factories import make_comment, make_person, make_post


def test_a_like_counts_once_and_is_taken_back_once(charlie: Profile) -> None:
    post = make_post()
    assert [like_post(profile=charlie, post=post) for _ in range(2)] == [True, False]
    post.refresh_from_db()
    assert post.like_count == 1
    assert [unlike_post(profile=charlie, post=post) for _ in range(2)] == [True, False]
    post.refresh_from_db()
    assert post.like_count == 0


def test_a_share_counts_once_and_is_taken_back_once(charlie: Profile) -> None:
    post = make_post()
    assert [share_post(profile=charlie, post=post) for _ in range(2)] == [True, False]
    assert [unshare_post(profile=charlie, post=post) for _ in range(2)] == [True, False]
    post.refresh_from_db()
    assert post.share_count == 0


@pytest.mark.django_db(transaction=True)
def test_likes_at_the_same_moment_are_all_counted() -> None:
    post = make_post()
    readers = [make_person() for _ in range(5)]
    # Each reader likes twice.
    run_together(10, lambda i: like_post(profile=readers[i % 5], post=post))
    post.refresh_from_db()
    assert post.like_count == post.likes.count() == 5


@pytest.mark.django_db(transaction=True)
def test_likes_in_opposite_order_do_not_deadlock() -> None:
    pair = make_post(), make_post()
    readers = make_person(), make_person()

    def like_both(number: int) -> None:
        for post in pair if number else reversed(pair):
            like_post(profile=readers[number], post=post)

    run_together(2, like_both)
    assert list(Post.objects.order_by("id").values_list("like_count", flat=True)) == [2, 2]


class TestThread:
    def test_it_reads_depth_first(self) -> None:
        post = make_post()
        first = make_comment(post=post)
        second = make_comment(post=post)
        reply = make_comment(post=post, parent=first)
        deeper = make_comment(post=post, parent=reply)
        late_reply = make_comment(post=post, parent=first)
        assert list(Comment.objects.for_thread(post.pk)) == [first, reply, deeper, late_reply, second]
        assert [comment.depth for comment in Comment.objects.for_thread(post.pk)] == [0, 1, 2, 1, 0]

    def test_it_ends_at_the_deepest_level(self) -> None:
        post = make_post()
        comment = None
        for _ in range(Comment.MAX_DEPTH):
            comment = make_comment(post=post, parent=comment)
        with pytest.raises(ValueError, match="32 levels"):
            add_comment(author=make_person(), post=post, body="Deeper.", parent=comment)

    def test_a_removed_comment_keeps_its_place_and_loses_its_text(self) -> None:
        post = make_post()
        comment = make_comment(post=post, body="Something unkind.")
        reply = make_comment(post=post, parent=comment)
        remove_comment(comment=comment)
        remove_comment(comment=comment)
        shown = list(Comment.objects.for_thread(post.pk))
        assert shown == [comment, reply]
        assert (shown[0].is_removed, shown[0].body) == (True, "")
        post.refresh_from_db()
        assert post.comment_count == 1


@pytest.fixture(autouse=True)
def _database(db: None) -> None:
    """Every test here writes."""
