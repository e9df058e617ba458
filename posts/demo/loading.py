from collections import Counter
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from agents.knowledge.characters import create_character
from agents.knowledge.services import save_author, save_content
from agents.models import Profile, User
from agents.services.bulk import follow_many
from agents.services.people import create_person, update_profile
from posts.demo.documents import DemoCommunity, DemoPerson, DemoPost
from posts.importing.follows import key_of, remember_follows
from posts.importing.ledger import Kind, Ledger
from posts.models import Community, Post
from posts.services.bulk import NewComment, create_comments, draw_comment_ids
from posts.services.communities import create_community
from posts.services.interactions import like_post
from posts.services.posts import create_post

SOURCE = "demo"
# Who opened the communities.
HOST = "greta"
COMMENT_INTERVAL = timedelta(minutes=11)


class NameTaken(Exception):
    """A name of the demo community belongs to somebody else; the message lists them."""


class DemoLoader:
    """Creates those rows of the demo community that were never made before; leaves all others alone."""

    def __init__(self, demo: DemoCommunity, *, with_log_ins: bool) -> None:
        self.demo = demo
        self.with_log_ins = with_log_ins
        self.ledger = Ledger(SOURCE)
        self.created: Counter[str] = Counter()

    @transaction.atomic
    def load(self) -> None:
        """Create what is missing. Raises `NameTaken`, and then changes nothing."""
        self.ledger.lock()
        handles = [person.handle for person in self.demo.people] + [agent.handle for agent in self.demo.agents]
        names = [community["name"] for community in self.demo.communities]
        made = self.ledger.known(Kind.PROFILE, handles)
        rooms = self.ledger.known(Kind.COMMUNITY, names)
        refuse_taken(
            [handle for handle in handles if handle not in made], [name for name in names if name not in rooms]
        )
        # By the handle in the files, whatever the profile is called by now; a deleted one is missing.
        alive = Profile.objects.select_related("user").in_bulk(made.values())
        self.profiles = {handle: alive[pk] for handle, pk in made.items() if pk in alive}
        existing = Community.objects.in_bulk(rooms.values())
        self.communities = {name: existing[pk] for name, pk in rooms.items() if pk in existing}
        self._load_people(made)
        self._load_agents(made)
        self._load_sources()
        self._load_communities(rooms)
        self._load_posts()
        self._load_follows()

    def _load_people(self, made: dict[str, int]) -> None:
        for person in self.demo.people:
            if person.handle not in made:
                profile = create_person(username=person.handle, password=None, display_name=person.display_name)
                update_profile(profile=profile, bio=person.bio)
                self._add(Kind.PROFILE, "people", person.handle, profile.pk)
                self.profiles[person.handle] = profile
            if self.with_log_ins and person.password and person.handle in self.profiles:
                give_log_in(self.profiles[person.handle], person)

    def _load_agents(self, made: dict[str, int]) -> None:
        for agent in self.demo.agents:
            if agent.handle not in made and agent.owner in self.profiles:
                row, knowledge = create_character(agent.character, owner=self.profiles[agent.owner])
                self._add(Kind.PROFILE, "agents", agent.handle, row.pk)
                self.created["knowledge items"] += knowledge
                self.profiles[agent.handle] = row.profile

    def _load_sources(self) -> None:
        made = self.ledger.known(Kind.CONTENT, [source.key for source in self.demo.sources])
        for source in self.demo.sources:
            if source.key not in made:
                author = save_author(platform=SOURCE, name=source.author)
                row, is_new = save_content(platform=SOURCE, title=source.title, text=source.text, author=author)
                if is_new:
                    self._add(Kind.CONTENT, "sources", source.key, row.pk)

    def _load_communities(self, made: dict[str, int]) -> None:
        for community in self.demo.communities:
            name = community["name"]
            if name not in made and HOST in self.profiles:
                row = create_community(creator=self.profiles[HOST], **community)
                self._add(Kind.COMMUNITY, "communities", name, row.pk)
                self.communities[name] = row

    def _load_posts(self) -> None:
        made = self.ledger.known(Kind.POST, [post.key for post in self.demo.posts])
        for post in self.demo.posts:
            if post.key not in made and post.author in self.profiles:
                row = create_post(
                    author=self.profiles[post.author],
                    title=post.title,
                    body=post.body,
                    published_at=timezone.now() - timedelta(hours=post.hours_ago),
                    layer=post.layer,
                    community=self.communities.get(post.community),
                )
                self._add(Kind.POST, "posts", post.key, row.pk)
                self._react(post, row)

    def _react(self, post: DemoPost, row: Post) -> None:
        for handle in post.likes:
            self.created["likes"] += handle in self.profiles and like_post(profile=self.profiles[handle], post=row)
        assert row.published_at
        comments: list[NewComment] = []
        ancestors: list[int] = []
        moment = row.published_at
        said = [comment for comment in post.comments if comment.author in self.profiles]
        for comment, pk in zip(said, draw_comment_ids(len(said)), strict=True):
            moment += COMMENT_INTERVAL
            ancestors = [*ancestors[: comment.depth], pk]
            author_id = self.profiles[comment.author].pk
            comments.append(NewComment(pk, row.pk, author_id, ancestors[:-1], comment.body, moment))
        create_comments(comments=comments)
        self.created["comments"] += len(comments)

    def _load_follows(self) -> None:
        keys = {key_of(*pair): pair for pair in self.demo.follows}
        made = self.ledger.known(Kind.FOLLOW, keys)
        pairs = {
            key: (self.profiles[follower].pk, self.profiles[author].pk)
            for key, (follower, author) in keys.items()
            if key not in made and follower in self.profiles and author in self.profiles
        }
        self.created["follows"] += follow_many(pairs=list(pairs.values()))
        remember_follows(self.ledger, pairs)

    def _add(self, kind: Kind, label: str, external_id: str, pk: int) -> None:
        self.ledger.remember(kind, {external_id: pk})
        self.created[label] += 1


def refuse_taken(handles: list[str], names: list[str]) -> None:
    """Raise `NameTaken` where somebody else has one of these handles, user names or community names."""
    taken = [
        *Profile.objects.filter(handle__lower__in=handles).values_list("handle", flat=True),
        *User.objects.filter(username__lower__in=handles, profile=None).values_list("username", flat=True),
        *Community.objects.filter(name__lower__in=names).values_list("name", flat=True),
    ]
    if taken:
        raise NameTaken(", ".join(sorted(taken)))


def give_log_in(profile: Profile, person: DemoPerson) -> None:
    """Let a demo person log in who could not so far; a password that somebody chose stays."""
    user = profile.user
    if user is not None and not user.has_usable_password():
        user.set_password(person.password)
        user.is_staff = user.is_superuser = person.is_staff
        user.save(update_fields=["password", "is_staff", "is_superuser"])
