"""Write a drawn network into the database."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

from django.db import connection, transaction
from django.db.models import Model

from agents.models import Agent, Follow, PersonaVersion, Profile, User
from posts.load.network import COMMUNITY_COUNT, FIRST_MS, Network, Posts
from posts.load.tables import copy_rows, indexes_rebuilt, reserve_ids
from posts.load.words import Writer
from posts.models import Community, Like, Post

# An unusable password (Django's start with "!") that no form can set: it marks the rows as synthetic.
MARK = "!seed_load"

TABLES: list[type[Model]] = [User, Profile, Agent, PersonaVersion, Follow, Community, Post, Like]


def moment(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat()


START = moment(FIRST_MS)


@transaction.atomic
def write(network: Network) -> None:
    """Write every row of a network and bring the sequences up to date, all or nothing."""
    size = network.size
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0")
        cursor.execute("SET LOCAL maintenance_work_mem = '512MB'; SET LOCAL synchronous_commit = off")
    first_user = reserve_ids(User, size.users)
    first_profile = reserve_ids(Profile, size.profiles)
    first_community = reserve_ids(Community, COMMUNITY_COUNT)
    with indexes_rebuilt({Profile: size.profiles, Follow: size.follows, Post: size.posts, Like: size.likes}):
        write_people(network, first_user, first_profile)
        write_agents(network, first_profile)
        write_follows(network, first_profile)
        write_communities(network, first_community, first_profile)
        write_posts(network, first_profile, first_community)


def write_people(network: Network, first_user: int, first_profile: int) -> None:
    size = network.size
    copy_rows(
        User,
        ["id", "username", "email", "password", "date_joined"],
        (
            f"{first_user + n}\tload-{first_profile + n}\tload-{first_profile + n}@load.invalid\t{MARK}\t{START}"
            for n in range(size.users)
        ),
    )
    columns = ["id", "kind", "user_id", "handle", "display_name", "bio", "follower_count", "following_count"]
    copy_rows(
        Profile,
        [*columns, "post_count", "last_post_at", "last_post_key", "created_at"],
        profile_lines(network, first_user, first_profile),
    )


def profile_lines(network: Network, first_user: int, first_profile: int) -> Iterator[str]:
    writer = Writer(network.stream("profiles"))
    following, followers = network.follow_counts()
    post_count, last_post = author_counters(network.posts)
    for n in range(network.size.profiles):
        is_person = n < network.size.users
        kind, user = ("person", first_user + n) if is_person else ("agent", r"\N")
        name = " ".join(writer.words(2)).title()
        post = last_post.get(n)
        key = 0 if post is None else network.posts.timeline_key[post]
        at = r"\N" if post is None else moment(network.posts.published_ms[post])
        yield (
            f"{first_profile + n}\t{kind}\t{user}\tload-{first_profile + n}\t{name}\t{writer.title()}"
            f"\t{followers[n]}\t{following[n]}\t{post_count[n]}\t{at}\t{key}\t{START}"
        )


def author_counters(posts: Posts) -> tuple[Counter[int], dict[int, int]]:
    """Count what a follower may see of each author, and find the newest of it."""
    counted = [
        number
        for number, (key, layer) in enumerate(zip(posts.timeline_key, posts.layer, strict=True))
        if key and layer < Post.Layer.PRIVATE
    ]
    return Counter(posts.author[number] for number in counted), {posts.author[number]: number for number in counted}


def write_agents(network: Network, first_profile: int) -> None:
    size = network.size
    first_persona = reserve_ids(PersonaVersion, size.agents)
    first_agent = first_profile + size.users
    owner = network.stream("owners")
    copy_rows(
        Agent,
        ["profile_id", "owner_id", "persona_id", "created_at"],
        (
            f"{first_agent + n}\t{first_profile + owner.randrange(size.users)}\t{first_persona + n}\t{START}"
            for n in range(size.agents)
        ),
    )
    copy_rows(
        PersonaVersion,
        ["id", "agent_id", "number", "created_at"],
        (f"{first_persona + n}\t{first_agent + n}\t1\t{START}" for n in range(size.agents)),
    )


def write_follows(network: Network, first_profile: int) -> None:
    first, profiles = reserve_ids(Follow, network.size.follows), network.size.profiles
    copy_rows(
        Follow,
        ["id", "follower_id", "author_id", "created_at"],
        (
            f"{pk}\t{first_profile + pair // profiles}\t{first_profile + pair % profiles}\t{START}"
            for pk, pair in enumerate(network.follows, first)
        ),
    )


def write_communities(network: Network, first_community: int, first_profile: int) -> None:
    sizes = Counter(room for room, key in zip(network.posts.community, network.posts.timeline_key, strict=True) if key)
    copy_rows(
        Community,
        ["id", "name", "title", "created_by_id", "post_count", "created_at"],
        (
            f"{first_community + n}\tload-{first_community + n}\tRoom {n + 1}\t{first_profile}\t{sizes[n]}\t{START}"
            for n in range(COMMUNITY_COUNT)
        ),
    )


def write_posts(network: Network, first_profile: int, first_community: int) -> None:
    first_post = reserve_ids(Post, network.size.posts)
    columns = ["id", "author_id", "layer", "community_id", "title", "body", "timeline_key", "published_at"]
    copy_rows(
        Post,
        [*columns, "removed_at", "created_at", "is_generated", "like_count"],
        post_lines(network, first_post, first_profile, first_community),
    )
    copy_rows(
        Like,
        ["id", "profile_id", "post_id", "created_at"],
        like_lines(network, reserve_ids(Like, network.size.likes), first_post, first_profile),
    )


def post_lines(network: Network, first_post: int, first_profile: int, first_community: int) -> Iterator[str]:
    writer = Writer(network.stream("texts"))
    posts = network.posts
    rows = zip(
        posts.author,
        posts.layer,
        posts.community,
        posts.timeline_key,
        posts.published_ms,
        posts.like_count,
        strict=True,
    )
    for pk, (author, layer, room, key, published_ms, likes) in enumerate(rows, first_post):
        at = moment(published_ms)
        community = r"\N" if room < 0 else first_community + room
        yield (
            f"{pk}\t{first_profile + author}\t{layer}\t{community}\t{writer.title()}\t{writer.body()}"
            f"\t{key or r'\N'}\t{at}\t{r'\N' if key else at}\t{at}"
            f"\t{'f' if author < network.size.users else 't'}\t{likes}"
        )


def like_lines(network: Network, first_like: int, first_post: int, first_profile: int) -> Iterator[str]:
    rng = network.stream("likes")
    profiles = range(first_profile, first_profile + network.size.profiles)
    pk = first_like
    for post, (count, published_ms) in enumerate(
        zip(network.posts.like_count, network.posts.published_ms, strict=True), first_post
    ):
        if count:
            at = moment(published_ms)
            for profile in rng.sample(profiles, count):
                yield f"{pk}\t{profile}\t{post}\t{at}"
                pk += 1
