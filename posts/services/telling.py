"""Who is told of what happens to a post."""

import re
from functools import cache

from django.db.models import Exists, OuterRef, Q
from django.urls import get_script_prefix, reverse

from agents.models import Agent, Follow, Notification, Profile
from agents.models.people import HANDLE_PATTERN
from agents.services.notifications import notify
from posts.models import Comment, Post

# Not within a word, an e-mail address or a path.
MENTION = re.compile(rf"(?<![\w@/.+-])@({HANDLE_PATTERN})(?!\w)", re.ASCII)
# A text that names more tells the first ones: nobody can make one post ring everywhere.
MAX_MENTIONS = 10


def address_of(post: Post) -> str:
    """Return the path of a post's page."""
    return f"{_posts(get_script_prefix())}{post.pk}"


@cache
def _posts(_prefix: str) -> str:
    # Finding a route by its name anew takes longer than sending the notification.
    return reverse("reader:post", args=[0]).removesuffix("0")


def mentioned_in(text: str) -> list[str]:
    """Return the handles that a text mentions, in lower case, each once."""
    return list(dict.fromkeys(match[1].lower() for match in MENTION.finditer(text)))[:MAX_MENTIONS]


def who_may_see(post: Post) -> Q:
    """Match the profiles that may see a published post, as `PostQuerySet.visible_to` has it for one of them."""
    if post.layer == Post.Layer.PUBLIC:
        return Q()
    owns = Exists(Agent.objects.filter(owner=OuterRef("pk"), profile=post.author_id))
    follows = Exists(Follow.objects.filter(follower=OuterRef("pk"), author=post.author_id))
    return Q(pk=post.author_id) | owns | (Q(follows) if post.layer == Post.Layer.FOLLOWERS else Q(pk__in=[]))


def tell_mentioned(*, post: Post, actor: Profile, text: str, key: str) -> None:
    """Tell those whom a text mentions, if they may see the post; without mentions this runs no query."""
    if handles := mentioned_in(text):
        notify(
            profiles=Profile.objects.filter(who_may_see(post), handle__lower__in=handles),
            kind=Notification.Kind.MENTION,
            actor=actor,
            text=f"@{actor.handle} mentions you in “{post.title}”",
            url=address_of(post),
            key=key,
        )


def told_of_comment(*, post: Post, parent: Comment | None) -> list[int]:
    """Return the author of a post, and of the comment that is answered if they may still see the post."""
    if parent is None or parent.author_id == post.author_id:
        return [post.author_id]
    if post.layer == Post.Layer.PUBLIC:
        return [post.author_id, parent.author_id]
    return [
        post.author_id,
        *Profile.objects.filter(who_may_see(post), pk=parent.author_id).values_list("pk", flat=True),
    ]
