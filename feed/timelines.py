"""Every timeline, one function each; JSON views and HTML pages call the same ones.

Each returns at most `limit` posts, newest first, loaded with all that a page shows. `before` is the
`timeline_key` of the last post of the page before, None for the first page. One statement finds the keys of
the page in an index and then loads these rows and no others: what a row costs is paid `limit` times, and the
planner cannot be tempted to walk the whole timeline in search of the last match.
"""

from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import BigIntegerField, BooleanField, Exists, F, Func, OuterRef, QuerySet, Subquery
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce

from agents.models import Follow, Profile
from posts.models import Community, Post
from posts.querysets import PostQuerySet, key_of

# Measured, see docs/decisions/0002-home-picks-its-plan-by-follows.md.
MANY_FOLLOWS = 300
WINDOW = 2000


def home(*, viewer: Profile, before: int | None = None, limit: int) -> PostQuerySet:
    """List what the authors whom the viewer follows let their followers see, in one statement.

    Which plan is quickest depends on the viewer's `following_count`; all give the same posts.
    """
    keys: Combinable = keys_by_last_post(viewer, limit) if before is None else keys_by_probe(viewer, before, limit)
    if viewer.following_count > MANY_FOLLOWS:
        keys = Coalesce(AtLeast(keys_in_window(viewer, before, limit), limit=limit), keys)
    return with_keys(keys, viewer, limit)


def explore(*, viewer: Profile | None, before: int | None = None, limit: int) -> PostQuerySet:
    """List what everyone may see."""
    return page(Post.objects.public().not_blocking(viewer), viewer, before, limit)


def profile(
    *, author: Profile | QuerySet[Profile, Any], viewer: Profile | None, before: int | None = None, limit: int
) -> PostQuerySet:
    """List what the viewer may see of one author."""
    return page(Post.objects.visible_to(viewer, author=author), viewer, before, limit)


def community(
    *, community: Community | QuerySet[Community, Any], viewer: Profile | None, before: int | None = None, limit: int
) -> PostQuerySet:
    """List the posts of a community, which are all public: a constraint says so."""
    posts = Post.objects.published().filter(community=key_of(community)).not_blocking(viewer)
    return page(posts, viewer, before, limit)


def search(*, term: str, viewer: Profile | None, before: int | None = None, limit: int) -> PostQuerySet:
    """List the posts that match a web-style search term and that the viewer may see, newest first."""
    posts = older_than(before, Post.objects.visible_to(viewer).matching(term))
    # The sum keeps the planner off the timeline's order, in which it looked at every post for a rare word:
    # 18 s of a million posts where the full-text index answers in 0.1 ms.
    keys = posts.order_by((F("timeline_key") + 0).desc()).values("timeline_key")[:limit]
    return with_keys(ArraySubquery(keys), viewer, limit)


def page(posts: PostQuerySet, viewer: Profile | None, before: int | None, limit: int) -> PostQuerySet:
    keys = older_than(before, posts).order_by("-timeline_key").values("timeline_key")[:limit]
    return with_keys(ArraySubquery(keys), viewer, limit)


def with_keys(keys: Combinable, viewer: Profile | None, limit: int) -> PostQuerySet:
    return Post.objects.filter(IsAnyOf("timeline_key", keys)).for_timeline(viewer)[:limit]


def older_than(before: int | None, posts: PostQuerySet) -> PostQuerySet:
    return posts if before is None else posts.filter(timeline_key__lt=before)


def keys_by_last_post(viewer: Profile, limit: int) -> ArraySubquery:
    """Find the first page's keys: the newest posts are by the authors who posted last, which their rows say."""
    authors = viewer.following.order_by("-author__last_post_key").values("author")[:limit]
    return newest_keys_of(authors, None, limit)


def keys_by_probe(viewer: Profile, before: int | None, limit: int) -> ArraySubquery:
    """Find any page's keys: one index probe per followed author tells who posted last before the cursor."""
    newest = newest_keys(before, OuterRef("author"))[:1]
    authors = viewer.following.order_by(Subquery(newest).desc(nulls_last=True)).values("author")[:limit]
    return newest_keys_of(authors, before, limit)


def keys_in_window(viewer: Profile, before: int | None, limit: int) -> ArraySubquery:
    """Find keys among the newest posts of everyone: a full page of them is exact, and who follows many has it."""
    posts = older_than(before, Post.objects.seen_by_followers()).order_by("-timeline_key")
    oldest = Subquery(posts.values("timeline_key")[WINDOW - 1 : WINDOW])
    followed = Exists(viewer.following.filter(author=OuterRef("author")))
    return ArraySubquery(posts.filter(followed, timeline_key__gte=Coalesce(oldest, 0)).values("timeline_key")[:limit])


def newest_keys_of(authors: QuerySet[Follow, Any], before: int | None, limit: int) -> ArraySubquery:
    """Merge the newest keys of a few authors, each read from the index in order and no further than needed."""
    keys = ArraySubquery(newest_keys(before, OuterRef("pk"))[:limit])
    return ArraySubquery(Profile.objects.filter(pk__in=authors).values(key=Unnest(keys)).order_by("-key")[:limit])


def newest_keys(before: int | None, author: OuterRef) -> QuerySet[Post, Any]:
    posts = Post.objects.seen_by_followers().filter(author=author)
    return older_than(before, posts).order_by("-timeline_key").values("timeline_key")


class Unnest(Func):
    function = "unnest"
    output_field = BigIntegerField()
    set_returning = True


class IsAnyOf(Func):
    """Compare with the elements of an array: the planner probes the index once per element, whatever their source."""

    template = "%(expressions)s)"
    arg_joiner = " = ANY("
    output_field = BooleanField()


class AtLeast(Func):
    """Turn an array of fewer than `limit` elements into NULL; OFFSET keeps the planner from computing it twice."""

    template = (
        "(SELECT list FROM (SELECT %(expressions)s AS list OFFSET 0) AS lists WHERE cardinality(list) >= %(limit)d)"
    )
    arity = 1
