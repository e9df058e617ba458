"""Who is told of what happens to a post."""

import re

from django.db.models import Exists, OuterRef, Q
from django.urls import reverse

from agents.models import Agent, Follow, Notification, Profile
from agents.models.people import HANDLE_PATTERN
from agents.services.notifications import notify
from posts.models import Comment, Post

# Not within a word, an e-mail address or a path.
MENTION = re.compile(rf"(?<![\w@/.+-])@({HANDLE_PATTERN})(?!\w)", re.ASCII)
# A text that names more tells the first ones: nobody can make one post ring everywhere.
MAX_MENTIONS = 10


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


def tell_author(*, post: Post, actor: Profile, kind: Notification.Kind, did: str) -> None:
    """Tell a post's author that somebody reacted to it, once per person however often they change their mind."""
    notify(
        profiles=Profile.objects.filter(pk=post.author_id),
        kind=kind,
        actor=actor,
        text=f"@{actor.handle} {did} “{post.title}”",
        url=reverse("reader:post", args=[post.pk]),
        key=f"{kind}:{post.pk}:{actor.pk}",
    )


def tell_mentioned(*, post: Post, actor: Profile, text: str, key: str) -> None:
    """Tell those whom a text mentions, if they may see the post; without mentions this runs no query."""
    if handles := mentioned_in(text):
        notify(
            profiles=Profile.objects.filter(who_may_see(post), handle__lower__in=handles),
            kind=Notification.Kind.MENTION,
            actor=actor,
            text=f"@{actor.handle} mentions you in “{post.title}”",
            url=reverse("reader:post", args=[post.pk]),
            key=key,
        )


def tell_of_comment(*, comment: Comment, post: Post, actor: Profile) -> None:
    """Tell the author of a post, the author of the comment that is answered, and those who are mentioned."""
    # One key for all three: who is more than one of them is told once.
    key = f"comment:{comment.pk}"
    answered = Q(pk=post.author_id)
    if comment.parent is not None:
        answered |= Q(pk=comment.parent.author_id)
    notify(
        profiles=Profile.objects.filter(answered & who_may_see(post)),
        kind=Notification.Kind.COMMENT,
        actor=actor,
        text=f"@{actor.handle} comments on “{post.title}”",
        url=reverse("reader:post", args=[post.pk]),
        key=key,
    )
    tell_mentioned(post=post, actor=actor, text=comment.body, key=key)
