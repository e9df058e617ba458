"""Every timeline, one function each; JSON views and HTML pages call the same ones.

Each returns at most `limit` posts, newest first, loaded with all that a page shows. `before` is the
`timeline_key` of the last post of the page before, None for the first page.
"""

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import BigIntegerField, BooleanField, Func, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from agents.models import Follow, Profile
from posts.models import Community, Post
from posts.querysets import PostQuerySet

# Measured, see docs/decisions/0002-home-picks-its-plan-by-follows.md.
MANY_FOLLOWS = 200
WINDOW = 300


def home(*, viewer: Profile, before: int | None = None, limit: int) -> PostQuerySet:
    """List what the authors whom the viewer follows let their followers see, in one statement.

    Which plan is quickest depends on the viewer's `following_count`; all give the same posts.
    """
    if viewer.following_count > MANY_FOLLOWS:
        keys = Coalesce(
            AtLeast(ArraySubquery(keys_in_window(viewer, before, limit)), limit=limit),
            ArraySubquery(keys_by_probe(viewer, before, limit)),
        )
    elif before is None:
        keys = ArraySubquery(keys_by_last_post(viewer, limit))
    else:
        keys = ArraySubquery(keys_by_probe(viewer, before, limit))
    return Post.objects.filter(IsAnyOf("timeline_key", keys)).for_timeline(viewer)[:limit]


def explore(*, viewer: Profile | None, before: int | None = None, limit: int) -> PostQuerySet:
    """List what everyone may see."""
    return page(Post.objects.public(), viewer, before, limit)


def profile(*, author: Profile, viewer: Profile | None, before: int | None = None, limit: int) -> PostQuerySet:
    """List what the viewer may see of one author."""
    return page(Post.objects.visible_to(viewer).filter(author=author), viewer, before, limit)


def community(*, community: Community, viewer: Profile | None, before: int | None = None, limit: int) -> PostQuerySet:
    """List the posts of a community, which are all public."""
    return page(Post.objects.public().filter(community=community), viewer, before, limit)


def search(*, term: str, viewer: Profile | None, before: int | None = None, limit: int) -> PostQuerySet:
    """List the posts that match a web-style search term and that the viewer may see, newest first."""
    return page(Post.objects.visible_to(viewer).matching(term), viewer, before, limit)


def page(posts: PostQuerySet, viewer: Profile | None, before: int | None, limit: int) -> PostQuerySet:
    return older_than(before, posts).for_timeline(viewer)[:limit]


def older_than(before: int | None, posts: PostQuerySet) -> PostQuerySet:
    return posts if before is None else posts.filter(timeline_key__lt=before)


def keys_by_last_post(viewer: Profile, limit: int) -> QuerySet[Profile, dict[str, int]]:
    """Find the first page's keys: the newest posts are by the authors who posted last, known without a look at posts."""
    authors = viewer.following.order_by("-author__last_post_key").values("author")[:limit]
    return newest_keys_of(authors, None, limit)


def keys_by_probe(viewer: Profile, before: int | None, limit: int) -> QuerySet[Profile, dict[str, int]]:
    """Find any page's keys: one index probe per followed author tells who posted last before the cursor."""
    newest = newest_keys(before, OuterRef("author"))[:1]
    authors = viewer.following.order_by(Subquery(newest).desc(nulls_last=True)).values("author")[:limit]
    return newest_keys_of(authors, before, limit)


def newest_keys_of(
    authors: QuerySet[Follow, dict[str, int]], before: int | None, limit: int
) -> QuerySet[Profile, dict[str, int]]:
    """Merge the newest keys of a few authors, each read from the index in order and no further than needed."""
    keys = ArraySubquery(newest_keys(before, OuterRef("pk"))[:limit])
    return Profile.objects.filter(pk__in=authors).values(key=Unnest(keys)).order_by("-key")[:limit]


def newest_keys(before: int | None, author: OuterRef) -> QuerySet[Post, dict[str, int]]:
    posts = Post.objects.seen_by_followers().filter(author=author)
    return older_than(before, posts).order_by("-timeline_key").values("timeline_key")


def keys_in_window(viewer: Profile, before: int | None, limit: int) -> QuerySet[Post, dict[str, int]]:
    """Find keys among the newest posts of everyone: exact when that gives a full page, which it does who follows many."""
    window = older_than(before, Post.objects.seen_by_followers()).order_by("-timeline_key")[:WINDOW]
    return (
        Post.objects.filter(pk__in=window.values("pk"), author__in=viewer.following.values("author"))
        .order_by("-timeline_key")
        .values("timeline_key")[:limit]
    )


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
    """Turn an array of fewer than `limit` elements into NULL; computed once thanks to OFFSET, which stays a subquery."""

    template = "(SELECT list FROM (SELECT %(expressions)s AS list OFFSET 0) AS lists WHERE cardinality(list) >= %(limit)d)"
    arity = 1
