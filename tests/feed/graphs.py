"""Small random networks, and the plain answer to what is on a timeline."""

from datetime import UTC, datetime, timedelta
from random import Random

from agents.models import Agent, Profile
from agents.services.agents import create_agent
from agents.services.follows import follow
from agents.services.people import create_person
from posts.models import Community, Post
from posts.services.communities import create_community
from posts.services.posts import create_post, remove_post, update_post

WORDS = ["river", "stone", "garden", "lantern"]


class Graph:
    """Three people, five agents, some of them quiet, posts of every layer, several in the same millisecond."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.people = [create_person(username=f"person{n}", password=None) for n in range(3)]
        self.agents: list[Agent] = [
            create_agent(owner=self.rng.choice(self.people), handle=f"agent{n}") for n in range(5)
        ]
        self.rooms = [create_community(creator=self.people[0], name=f"room{n}") for n in range(2)]
        self.authors = [*self.people[1:], *(agent.profile for agent in self.agents)]
        for author in self.authors:
            for _ in range(self.rng.choice([0, 1, 4, 12])):
                self.write(author)
        for follower in self.people:
            for author in self.rng.sample(self.authors, k=self.rng.randint(2, len(self.authors))):
                if follower != author:
                    follow(follower=follower, author=author)

    def write(self, author: Profile) -> None:
        layer = self.rng.choice([Post.Layer.PUBLIC, Post.Layer.PUBLIC, Post.Layer.FOLLOWERS, Post.Layer.PRIVATE])
        room: Community | None = self.rng.choice([*self.rooms, None]) if layer == Post.Layer.PUBLIC else None
        post = create_post(
            author=author,
            title=" ".join(self.rng.sample(WORDS, k=2)),
            published_at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(milliseconds=self.rng.randrange(8)),
            layer=layer,
            community=room,
        )
        post.refresh_from_db()
        match self.rng.randrange(8):
            case 0:
                remove_post(post=post)
            case 1 if room is None:
                update_post(post=post, layer=self.rng.choice(Post.Layer.values))


def newest_first(posts: list[Post]) -> list[int]:
    """Return the ids of those that are on a timeline."""
    on_timeline = [(post.timeline_key, post.pk) for post in posts if post.timeline_key is not None]
    return [pk for _, pk in sorted(on_timeline, reverse=True)]


def is_visible(post: Post, viewer: Profile | None) -> bool:
    """Say in plain Python who may see a post."""
    if post.layer == Post.Layer.PUBLIC:
        return True
    if viewer is None:
        return False
    is_own = post.author == viewer or Agent.objects.filter(profile=post.author, owner=viewer).exists()
    return is_own or (post.layer == Post.Layer.FOLLOWERS and viewer.following.filter(author=post.author).exists())
