from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from django.contrib.postgres.search import SearchQuery, SearchVector
from django.db import models
from django.db.models import Exists, Func, OuterRef, Q, Subquery, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Left, Lower

from agents.querysets import IsLeaving

if TYPE_CHECKING:
    from agents.models import Profile
    from posts.models import Comment, Community, Post  # noqa: F401

    # Also as a query of its key, for a statement that finds the author itself.
    type Author = Profile | models.QuerySet[Profile, Any]

SEARCH_VECTOR = SearchVector("title", "body", config="english")
# What a timeline shows of a body: a page of long articles stays a page.
EXCERPT = Left("body", 600)


class Unknown(Func):
    """Hide a value from the planner, which then plans for an average one.

    Knowing a busy author or community it walks the timeline of everyone, sure to meet a post of theirs soon: the
    whole timeline when they fell silent.
    """

    template = "(SELECT %(expressions)s)"
    arity = 1
    output_field = models.BigIntegerField()


def key_of(row: models.Model | models.QuerySet[Any, Any]) -> Combinable:
    """Return the key of a row, or of the one that the statement is to find itself, hidden from the planner."""
    return Subquery(row) if isinstance(row, models.QuerySet) else Unknown(Value(row.pk))


# The order of the list of communities.
BUSIEST = ("-post_count", "-id")


class CommunityQuerySet(models.QuerySet["Community"]):
    def with_name(self, name: str) -> Self:
        return self.filter(name__lower=Lower(Value(name)))

    def for_list(self) -> Self:
        return self.order_by(*BUSIEST).fetch_mode(models.FETCH_RAISE)


class PostQuerySet(models.QuerySet["Post"]):
    def published(self) -> Self:
        """Posts that are on a timeline: not drafts, not removed, not of somebody who is leaving."""
        return self.filter(~Q(IsLeaving("author")), timeline_key__isnull=False)

    def public(self) -> Self:
        return self.published().filter(layer=0)

    def seen_by_followers(self) -> Self:
        return self.published().filter(layer__lte=1)

    def visible_to(self, viewer: Profile | None, *, author: Author | None = None) -> Self:
        """Published posts that the viewer may see: public, of followed authors, one's own and one's agents'.

        With an author, only that one's; what the two are to each other is then looked up once, not per post.
        """
        posts = self if author is None else self.filter(author=key_of(author))
        if viewer is None:
            return posts.public()
        whose: Combinable = OuterRef("author") if author is None else key_of(author)
        follows = Exists(viewer.following.filter(author=whose))
        owns = Q(author=viewer) | Exists(viewer.agents.filter(profile=whose))
        seen = posts.published().filter(Q(layer=0) | Q(follows, layer=1) | owns)
        return seen.exclude(Exists(viewer.blocked_by.filter(blocker=whose)))

    def answered_for_by(self, profile: Profile) -> Self:
        """What a person or one of their agents wrote, or the agent itself."""
        return self.filter(Q(author=profile) | Q(author__agent__owner=profile))

    def not_blocking(self, viewer: Profile | None) -> Self:
        """Leave out the posts of authors who block the viewer."""
        if viewer is None:
            return self
        return self.exclude(Exists(viewer.blocked_by.filter(blocker=OuterRef("author"))))

    def matching(self, term: str) -> Self:
        """Posts whose title or body match a web-style search term; one that only excludes words finds none."""
        query = SearchQuery(term, config="english", search_type="websearch")
        # What the index cannot answer ("-word") would read and parse every post; PostgreSQL calls it "T".
        indexable = Func(query, function="querytree", output_field=models.TextField())
        return self.alias(text=SEARCH_VECTOR, indexable=indexable).filter(text=query).exclude(indexable="T")

    def with_viewer(self, viewer: Profile | None) -> Self:
        """Annotate `is_liked` and `is_shared` by the viewer."""
        if viewer is None:
            return self.annotate(is_liked=Value(False), is_shared=Value(False))
        return self.annotate(
            is_liked=Exists(viewer.likes.filter(post=OuterRef("pk"))),
            is_shared=Exists(viewer.shares.filter(post=OuterRef("pk"))),
        )

    def for_timeline(self, viewer: Profile | None) -> Self:
        """Load all that one page of a timeline shows, newest first."""
        return (
            self.with_viewer(viewer)
            .annotate(excerpt=EXCERPT)
            .select_related("author__agent__owner", "community")
            .defer("body")
            .order_by("-timeline_key")
            .fetch_mode(models.FETCH_RAISE)
        )

    def for_detail(self, viewer: Profile | None) -> Self:
        """Load all that a post's own page shows, if the viewer may see it."""
        return (
            self.visible_to(viewer)
            .with_viewer(viewer)
            .annotate(excerpt=EXCERPT)
            .select_related("author__agent__owner", "community", "persona")
            .fetch_mode(models.FETCH_RAISE)
        )


class CommentQuerySet(models.QuerySet["Comment"]):
    def for_thread(self, post_id: int) -> Self:
        """A post's comments in depth-first order; removed ones stay as place-holders for their replies."""
        return (
            self.filter(Q(removed_at__isnull=False) | ~Q(author__kind="gone"), post_id=post_id)
            .select_related("author__agent__owner")
            .order_by("path")
            .fetch_mode(models.FETCH_RAISE)
        )

    def for_removal(self) -> Self:
        """Load a comment with everyone who may remove it."""
        return (
            self.filter(removed_at=None)
            .select_related("author__agent", "post__author__agent")
            .fetch_mode(models.FETCH_RAISE)
        )
