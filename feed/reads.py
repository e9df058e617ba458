"""Every timeline as a prepared read, written by PostgreSQL as the JSON of `PostSummary`."""

from collections.abc import Callable
from typing import Any

from agents.models import Profile
from agents.reads import PAGE
from feed import timelines
from feed.serializers import UpdateSummary
from feed.updates import updates as list_updates
from performance.prepared import PreparedRead
from posts.models import Community
from posts.querysets import PostQuerySet
from posts.serializers import PostSummary


def timeline(
    name: str, build: Callable[..., PostQuerySet], viewer: Any, *, shape: type[PostSummary] = PostSummary, **of: Any
) -> PreparedRead:
    parameters = {"viewer": viewer, "before": int | None, "limit": PAGE, **of}
    return PreparedRead(build, name=name, shape=shape, position=("timeline_key",), **parameters)


def home_of(*, viewer: Profile, follows_many: bool, **page: Any) -> PostQuerySet:
    # The viewer is known by its key alone here; the caller knows how many it follows.
    viewer.following_count = timelines.MANY_FOLLOWS + follows_many
    return timelines.home(viewer=viewer, **page)


home = timeline("home", home_of, Profile, follows_many=bool)
explore = timeline("explore", timelines.explore, Profile | None, may_lag=True)
search = timeline("search", timelines.search, Profile | None, term=str, may_lag=True)
profile = timeline("profile posts", timelines.profile, Profile | None, author=Profile)
community = timeline("community posts", timelines.community, Profile | None, community=Community)

updates = PreparedRead(
    list_updates,
    name="updates",
    shape=UpdateSummary,
    position=("timeline_key",),
    viewer=Profile,
    before=int | None,
    limit=PAGE,
)
