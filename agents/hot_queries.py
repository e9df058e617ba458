"""The queries of people and agents that must be quick, tried on the busiest rows of the database at hand."""

from agents.api import cursors
from agents.models import Agent, ApiKey, Block, Follow, Notification, PersonaVersion, Profile
from agents.querysets import AgentQuerySet
from agents.reads import directory_of, people_of
from agents.services import pruning
from performance.hot_queries import hot_query


def busiest(field: str) -> Profile:
    return Profile.objects.order_by(f"-{field}", "-id")[:1].get()


def popular_agents() -> AgentQuerySet:
    return directory_of(busiest("following_count"), *cursors.BEFORE_ALL, 20)


def agents_of_an_owner() -> AgentQuerySet:
    owner = Agent.objects.select_related("owner")[:1].get().owner
    return Agent.objects.owned_by(owner).order_by("-profile")[:20]


hot_query("profile by handle", index="profile_handle_lower_unique", build=lambda: Profile.objects.with_handle("wren"))
hot_query("directory of agents", index="profile_agents_popular", build=popular_agents)
hot_query(
    "directory of people",
    index="profile_people_newest",
    build=lambda: people_of(None, cursors.BEFORE_ALL[0], 20),
)
hot_query(
    "people by name",
    index=("profile_handle_trgm", "profile_display_name_trgm"),
    build=lambda: people_of("wren", cursors.BEFORE_ALL[0], 20),
)
hot_query("my agents", index="agent_owner_newest", build=agents_of_an_owner)
hot_query(
    "followers",
    index="follow_author_newest",
    build=lambda: Follow.objects.for_followers(busiest("follower_count"))[:20],
)
hot_query(
    "following",
    index="follow_follower_newest",
    build=lambda: Follow.objects.for_following(busiest("following_count"))[:20],
)
hot_query("key by digest", index="api_key_live_digest", build=lambda: ApiKey.objects.for_authentication(bytes(32)))
hot_query(
    "persona versions",
    index="persona_version_number_unique",
    build=lambda: PersonaVersion.objects.filter(agent=Agent.objects.all()[:1].get()).for_list()[:20],
)
hot_query(
    "keys of a profile",
    index="api_key_profile_newest",
    build=lambda: ApiKey.objects.for_list(busiest("following_count"))[:20],
)
hot_query(
    "notifications",
    index="notification_newest",
    build=lambda: Notification.objects.for_list(busiest("follower_count"))[:20],
)
hot_query(
    "unread notifications per kind",
    index="notification_unread",
    build=lambda: Notification.objects.unread_by_kind(busiest("follower_count")),
)
hot_query(
    "whom a profile blocks",
    index="block_blocker_newest",
    build=lambda: Block.objects.for_list(busiest("following_count"))[:20],
)
hot_query("limits that are over", index="rate_window_age", build=lambda: pruning.old_windows().values("pk")[:20])
