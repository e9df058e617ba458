"""The indexes that the systems before this one relied on, and what takes the place of each here."""

from collections.abc import Collection
from dataclasses import dataclass

from django.apps import apps

from performance.documents import table


@dataclass(frozen=True, kw_only=True)
class Former:
    """`indexes` are the counterparts; with none, `why` says why none is needed. `app` is where they live."""

    name: str
    purpose: str
    indexes: tuple[str, ...] = ()
    app: str = "agents"
    why: str = ""


PERFORMANCE_INDEXES_001 = (
    Former(name="idx_profiles_user_id", purpose="profile of a user", indexes=("agents_profile_user_id_key",)),
    Former(name="idx_profiles_handle_lower", purpose="handle, any case", indexes=("profile_handle_lower_unique",)),
    Former(name="idx_profiles_email", purpose="log-in by address", indexes=("user_email_lower_unique",)),
    Former(name="idx_avees_owner_user_id", purpose="agents of an owner", indexes=("agent_owner_newest",)),
    Former(name="idx_avees_handle_lower", purpose="agent by handle", indexes=("profile_handle_lower_unique",)),
    Former(
        name="idx_avees_owner_handle",
        purpose="one of my agents by handle",
        indexes=("profile_handle_lower_unique",),
        why="A handle is unique among all profiles: it is found first, its owner checked after.",
    ),
    Former(
        name="idx_agent_updates_avee_created",
        purpose="updates of an agent, newest first",
        indexes=("post_author_timeline",),
        app="posts",
        why="An update is a post of another kind.",
    ),
    Former(
        name="idx_agent_updates_owner_created",
        purpose="updates of all agents of an owner",
        indexes=("agent_owner_newest", "post_author_timeline"),
        app="posts",
        why="The owner is read from the agent, so that it cannot drift; each agent is one probe.",
    ),
    Former(
        name="idx_agent_updates_layer",
        purpose="updates of one layer",
        indexes=("post_author_timeline", "post_public_timeline"),
        app="posts",
        why="Three values select nothing: the layer is a condition of one index and a payload of the other.",
    ),
    Former(
        name="idx_agent_followers_user_created",
        purpose="whom a profile follows, newest first",
        indexes=("follow_follower_newest", "follow_once"),
    ),
    Former(
        name="idx_agent_followers_avee_created",
        purpose="followers of an agent, newest first",
        indexes=("follow_author_newest",),
    ),
    Former(
        name="idx_update_read_user_update",
        purpose="has this reader read it",
        indexes=("update_read_once",),
        app="feed",
    ),
    Former(
        name="idx_update_read_user_created",
        purpose="what a reader read last",
        why="Nothing lists what somebody has read; the flag of a page is a probe by reader and post.",
    ),
    Former(
        name="idx_direct_conversations_p1_last_msg",
        purpose="conversations of the first member, latest first",
        indexes=("member_latest",),
        app="agents.inbox",
        why="Membership is a row per member, so one index serves both sides.",
    ),
    Former(
        name="idx_direct_conversations_p2_last_msg",
        purpose="conversations of the second member, latest first",
        indexes=("member_latest",),
        app="agents.inbox",
        why="See above.",
    ),
    Former(
        name="idx_direct_messages_conv_created",
        purpose="messages of a conversation",
        indexes=("message_conversation_newest",),
        app="agents.inbox",
    ),
    Former(
        name="idx_direct_messages_sender_created",
        purpose="messages of a sender",
        indexes=("message_sender",),
        app="agents.inbox",
        why="Serves the deletion of a profile; nothing lists messages by sender.",
    ),
    Former(
        name="idx_posts_author_created",
        purpose="posts of an author, newest first",
        indexes=("post_author_timeline", "post_author_newest"),
        app="posts",
    ),
    Former(
        name="idx_posts_avee_created",
        purpose="posts of an agent, newest first",
        indexes=("post_author_timeline",),
        app="posts",
        why="An agent posts as its own profile.",
    ),
    Former(
        name="idx_post_likes_post", purpose="likes of a post", indexes=("like_post_newest", "like_once"), app="posts"
    ),
)

PERF_ALPHA_003 = (
    Former(
        name="idx_contents_scraped_at_desc",
        purpose="newest contents",
        indexes=("content_newest",),
        app="agents.knowledge",
    ),
    Former(
        name="idx_contents_analyzed_at_not_null",
        purpose="analysed contents",
        indexes=("content_analyzed_newest", "content_to_analyze"),
        app="agents.knowledge",
    ),
    Former(
        name="idx_contents_embedding_not_null",
        purpose="contents with an embedding",
        indexes=("content_embedded",),
        app="agents.knowledge",
    ),
    Former(
        name="idx_contents_platform_scraped",
        purpose="newest of a platform",
        indexes=("content_platform_scraped",),
        app="agents.knowledge",
    ),
    Former(
        name="idx_authors_username_trigram",
        purpose="search by user name",
        indexes=("author_username_trgm",),
        app="agents.knowledge",
    ),
    Former(
        name="idx_authors_display_name_trigram",
        purpose="search by display name",
        indexes=("author_display_name_trgm",),
        app="agents.knowledge",
    ),
    Former(
        name="idx_patterns_confidence_score_desc",
        purpose="surest patterns",
        indexes=("pattern_confidence",),
        app="agents.knowledge",
    ),
    Former(
        name="idx_patterns_discovered_at_desc",
        purpose="newest patterns",
        indexes=("pattern_newest",),
        app="agents.knowledge",
    ),
    Former(
        name="idx_research_sessions_status_created",
        purpose="active sessions",
        indexes=("session_status_created",),
        app="agents.knowledge",
    ),
    Former(name="idx_users_email_lower", purpose="address, any case", indexes=("user_email_lower_unique",)),
    Former(name="idx_users_username_lower", purpose="user name, any case", indexes=("user_username_lower_unique",)),
    Former(
        name="idx_cards_user_created_desc",
        purpose="a user's newest cards",
        indexes=("card_profile_newest",),
        app="agents.knowledge",
    ),
    Former(
        name="idx_cards_published_desc",
        purpose="newest published cards",
        indexes=("card_published_newest",),
        app="agents.knowledge",
    ),
    Former(
        name="idx_extropy_ledger_user_type_created",
        purpose="transactions of a user by type",
        indexes=("ledger_account_kind_newest", "ledger_account_newest"),
        app="agents.knowledge",
    ),
    Former(name="idx_api_keys_hash_active", purpose="live key by digest", indexes=("api_key_live_digest",)),
)

SCHEDULING_004 = (
    Former(
        name="idx_social_accounts_business_platform_active",
        purpose="active accounts of an owner by network",
        indexes=("social_account_owner_network",),
        app="posts.publishing",
    ),
    Former(
        name="idx_published_posts_business_published_desc",
        purpose="an owner's newest publications",
        indexes=("publication_owner_published",),
        app="posts.publishing",
    ),
    Former(
        name="idx_published_posts_platform_published",
        purpose="newest of a network",
        indexes=("publication_network_published",),
        app="posts.publishing",
    ),
    Former(
        name="idx_social_accounts_platform_user",
        purpose="account by network and user id",
        indexes=("social_account_platform_user",),
        app="posts.publishing",
    ),
    Former(
        name="idx_scheduled_posts_pending_scheduled",
        purpose="what is due",
        indexes=("publication_pending_due",),
        app="posts.publishing",
    ),
    Former(
        name="idx_scheduled_posts_celery_task",
        purpose="by task, to cancel it",
        indexes=("publication_celery_task",),
        app="posts.publishing",
    ),
    Former(
        name="idx_scheduled_posts_business_status_scheduled",
        purpose="an owner's calendar by status",
        indexes=("publication_calendar",),
        app="posts.publishing",
    ),
)

CATALOGUE = (*PERFORMANCE_INDEXES_001, *PERF_ALPHA_003, *SCHEDULING_004)


def absent(names: Collection[str]) -> list[tuple[Former, str]]:
    """Return the counterparts that `names` lacks although their app is installed."""
    return [
        (former, index)
        for former in CATALOGUE
        if apps.is_installed(former.app)
        for index in former.indexes
        if index not in names
    ]


def render() -> str:
    """Render the catalogue as a Markdown table."""
    rows = [
        [
            f"`{former.name}`",
            former.purpose,
            ", ".join(f"`{index}`" for index in former.indexes) or "none",
            former.why,
        ]
        for former in CATALOGUE
    ]
    return "\n" + table(["Index of the systems before", "What it was for", "Here", "Why it differs"], rows)
