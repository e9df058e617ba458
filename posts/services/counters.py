"""Counters set from the rows they count: for writes of many rows, where a step per row would be slow.

Each locks the rows it is about to write first: a single write that commits before is counted, one that commits
after adds its own step to what was counted here.
"""

from collections.abc import Collection
from typing import Any

from django.db import transaction
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from agents.models import Profile
from agents.services.bulk import lock_profiles
from posts.models import Comment, Community, Post


@transaction.atomic
def recount_authors(*, profile_ids: Collection[int]) -> None:
    """Set the post counter and the newest post of these profiles to what a follower may see."""
    lock_profiles(profile_ids)
    seen = Post.objects.seen_by_followers().filter(author=OuterRef("pk"))
    newest = seen.order_by("-timeline_key")
    Profile.objects.filter(pk__in=profile_ids).update(
        post_count=_count(seen, "author"),
        last_post_key=Coalesce(newest.values("timeline_key")[:1], 0),
        last_post_at=newest.values("published_at")[:1],
    )


@transaction.atomic
def recount_communities(*, community_ids: Collection[int]) -> None:
    """Set the post counter of these communities."""
    communities = Community.objects.filter(pk__in=community_ids)
    _lock(communities)
    communities.update(post_count=_count(Post.objects.published().filter(community=OuterRef("pk")), "community"))


@transaction.atomic
def recount_comments(*, post_ids: Collection[int]) -> None:
    """Set the comment counter of these posts."""
    posts = Post.objects.filter(pk__in=post_ids)
    _lock(posts)
    posts.update(comment_count=_count(Comment.objects.filter(post=OuterRef("pk"), removed_at=None), "post"))


def _lock(rows: QuerySet[Any]) -> None:
    list(rows.order_by("pk").select_for_update(no_key=True).values_list("pk"))


def _count(rows: QuerySet[Any], per: str) -> Coalesce:
    return Coalesce(Subquery(rows.order_by().values(per).annotate(count=Count("pk")).values("count")), 0)
