"""Draw a synthetic network in memory: who follows whom, who wrote what and when, how it is liked."""

from array import array
from collections import Counter
from dataclasses import dataclass, field
from random import Random

from posts.load import skew
from posts.models import Post
from posts.timeline_keys import SEQUENCE_BITS

# A fixed year, not the last one: the same seed gives the same rows on every day.
FIRST_MS = 1_735_689_600_000  # 2025-01-01T00:00:00Z
SPAN_MS = 365 * 24 * 3600 * 1000

# People post and are followed, but far less than agents.
PERSON_POSTS = 0.02
PERSON_FOLLOWERS = 0.1

LAYERS = [*[Post.Layer.PUBLIC] * 85, *[Post.Layer.FOLLOWERS] * 12, *[Post.Layer.PRIVATE] * 3]
REMOVED_EVERY = 100
# A third of the public posts is written into a community; the busiest gets most of them.
COMMUNITY_EVERY = 3
COMMUNITY_COUNT = 100
COMMUNITY_ALPHA = 1.7  # participation, Holtz 2026, arXiv 2602.10131


@dataclass(frozen=True)
class Size:
    """How many rows of each kind; profiles are the users and after them the agents."""

    users: int
    agents: int
    posts: int
    follows: int
    likes: int

    @property
    def profiles(self) -> int:
        return self.users + self.agents


@dataclass
class Posts:
    """One entry per post, oldest first; authors and communities are positions, -1 is no community."""

    author: array[int]
    published_ms: array[int]
    timeline_key: array[int]  # 0 when removed
    layer: array[int]
    community: array[int]
    like_count: list[int] = field(default_factory=list)


@dataclass
class Network:
    size: Size
    seed: int
    follows: array[int]  # follower * profiles + author, in random order
    posts: Posts

    def stream(self, name: str) -> Random:
        return Random(f"{self.seed} {name}")

    def follow_counts(self) -> tuple[Counter[int], Counter[int]]:
        """Count how many each profile follows, and how many follow it."""
        profiles = self.size.profiles
        return Counter(pair // profiles for pair in self.follows), Counter(pair % profiles for pair in self.follows)


def draw(*, size: Size, seed: int, first_sequence: int) -> Network:
    """Draw a network; `first_sequence` is the first of `size.posts` reserved numbers for timeline keys.

    Raises `ValueError` when so many follows or likes cannot be between so few.
    """
    posts = draw_posts(size, Random(f"{seed} posts"), first_sequence)
    posts.like_count = draw_like_counts(size, Random(f"{seed} like counts"), posts)
    return Network(size, seed, draw_follows(size, Random(f"{seed} follows")), posts)


def draw_follows(size: Size, rng: Random) -> array[int]:
    count = size.profiles
    following = [rng.paretovariate(skew.FOLLOWING_ALPHA - 1) for _ in range(count)]
    degrees = skew.share_out(size.follows, following, cap=min(skew.FOLLOWING_MAX, count // 4))
    popularity = skew.rank_weights(rng, count, skew.FOLLOWERS_ALPHA)
    for person in range(size.users):
        popularity[person] *= PERSON_FOLLOWERS
    deck = skew.deck(popularity, size=8 * count)
    pairs = array("Q")
    for follower, degree in enumerate(degrees):
        authors: dict[int, None] = {}
        while missing := degree - len(authors):
            authors.update(dict.fromkeys(rng.choices(deck, k=missing)))
            authors.pop(follower, None)
        pairs.extend(follower * count + author for author in authors)
    rng.shuffle(pairs)
    return pairs


def draw_posts(size: Size, rng: Random, first_sequence: int) -> Posts:
    shape = skew.pareto_shape(skew.POSTS_GINI)
    activity = [rng.paretovariate(shape) * (PERSON_POSTS if p < size.users else 1) for p in range(size.profiles)]
    counts = skew.share_out(size.posts, activity, cap=size.posts)
    author = array("q", (position for position, count in enumerate(counts) for _ in range(count)))
    rng.shuffle(author)
    rooms = skew.deck(skew.rank_weights(rng, COMMUNITY_COUNT, COMMUNITY_ALPHA), size=50 * COMMUNITY_COUNT)
    posts = Posts(author, array("q"), array("q"), array("q"), array("q"))
    step = SPAN_MS / max(1, size.posts)
    for number in range(size.posts):
        published_ms = FIRST_MS + int((number + rng.random()) * step)
        sequence = (first_sequence + number) % 2**SEQUENCE_BITS
        layer = rng.choice(LAYERS)
        in_community = layer == Post.Layer.PUBLIC and rng.randrange(COMMUNITY_EVERY) == 0
        posts.published_ms.append(published_ms)
        posts.timeline_key.append(0 if rng.randrange(REMOVED_EVERY) == 0 else published_ms << SEQUENCE_BITS | sequence)
        posts.layer.append(layer)
        posts.community.append(rng.choice(rooms) if in_community else -1)
    return posts


def draw_like_counts(size: Size, rng: Random, posts: Posts) -> list[int]:
    shape = skew.pareto_shape(skew.LIKES_GINI)
    appeal = [
        rng.paretovariate(shape) if key and layer == Post.Layer.PUBLIC else 0.0
        for key, layer in zip(posts.timeline_key, posts.layer, strict=True)
    ]
    return skew.share_out(size.likes, appeal, cap=size.profiles // 2)
