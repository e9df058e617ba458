"""Somebody who has used everything, and whose every word says so."""

from base64 import b64decode
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.utils import timezone

from agents.inbox.services.conversations import start_conversation
from agents.knowledge.models import Attribution, Card, Content, Passage, ResearchSession, Revision, Source
from agents.knowledge.services.ledger import grant
from agents.models import Agent, IdempotentRequest, Profile
from agents.services.agents import create_agent
from agents.services.blocks import block
from agents.services.follows import follow
from agents.services.people import create_person, update_profile
from feed.models import Export, ReadPosition, UpdateRead
from posts.generation.models import Cadence, DailyBudget, Memory, RunStep, Slot
from posts.generation.services.runs import create_run
from posts.models import CardPost, Post
from posts.publishing.models import (
    AccountEvent,
    AnalyticsSummary,
    ConnectAttempt,
    LatestFigures,
    MetricSample,
    PostingSlot,
    PublishingPolicy,
    WebhookDelivery,
    WebhookEndpoint,
)
from posts.publishing.services.recurring import schedule_due
from posts.publishing.tokens import Token
from posts.services.communities import create_community
from posts.services.interactions import add_comment, like_post, share_post
from tests.factories import make_comment, make_key, make_person, make_post
from tests.publishing import make_account, make_publication, make_recurring_post

# The smallest PNG.
PICTURE = b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=")
CANARY = "Zaunkoenig"
PASSWORD = "a long enough one"
NOW = timezone.now()


class World:
    """Ada, her agent, and Ben, who has something to do with both."""

    def __init__(self) -> None:
        # The smaller number comes first in a conversation: one of hers begins with her, one ends with her.
        self.carol = make_person("carol")
        self.ada = create_person(
            username=CANARY, password=PASSWORD, email=f"{CANARY}@example.org", display_name=f"{CANARY} Ada"
        )
        update_profile(profile=self.ada, bio=CANARY, avatar=ContentFile(PICTURE, "face.png"))
        self.agent = create_agent(
            owner=self.ada, handle=f"{CANARY}-agent", bio=CANARY, persona={"system": CANARY, "topics": [CANARY]}
        )
        self.ben = make_person("ben")
        self.room = create_community(creator=self.ada, name="room")
        self.post = self.write(
            self.agent.profile,
            community=self.room,
            image=default_storage.save("posts/picture.png", ContentFile(PICTURE)),
        )
        self.private = self.write(self.ada, layer=Post.Layer.FOLLOWERS)
        self.theirs = make_post(author=self.ben, title="Ben's")
        self.talk()
        self.know(self.agent)
        self.generate(self.agent)
        self.publish()
        self.key = make_key(self.ada)
        self.agents_key = make_key(self.agent.profile)
        IdempotentRequest.objects.create(profile=self.ada, key="k", fingerprint=b"", status=201, body=CANARY)
        kind = ContentType.objects.get_for_model(Profile)
        LogEntry.objects.create(user=self.ada.user, content_type=kind, action_flag=2, object_repr=CANARY)
        self.export = Export.objects.create(
            owner=self.ada, state="ready", expires_at=NOW, file=ContentFile(CANARY.encode(), "all.zip")
        )
        grant(profile=self.ada, amount_micro=5, idempotency_key="grant")

    @staticmethod
    def write(author: Profile, **fields: Any) -> Post:
        return make_post(author=author, title=f"{CANARY} writes", body=CANARY, **fields)

    def talk(self) -> None:
        """What goes to and fro: likes, shares, answers, follows, messages."""
        for mine in (self.ada, self.agent.profile):
            follow(follower=mine, author=self.ben)
            follow(follower=self.ben, author=mine)
        for mine in (self.ada, self.agent.profile):
            like_post(profile=mine, post=self.theirs)
            share_post(profile=mine, post=self.theirs)
        self.answer = add_comment(author=self.ada, post=self.theirs, body=CANARY)
        self.reply = add_comment(author=self.ben, post=self.theirs, body="Ben replies", parent=self.answer)
        self.bens = make_comment(post=self.post, author=self.ben, body="Ben answers")
        make_comment(post=self.private, author=self.ada, body=CANARY)
        like_post(profile=self.ben, post=self.private)
        share_post(profile=self.ben, post=self.private)
        UpdateRead.objects.create(reader=self.ben, post=self.private)
        UpdateRead.objects.create(reader=self.ada, post=self.theirs)
        ReadPosition.objects.create(reader=self.ada, timeline="home", timeline_key=1)
        self.conversation, _ = start_conversation(sender=self.ben, recipient=self.ada, body="Ben writes")
        start_conversation(sender=self.ada, recipient=self.ben, body=CANARY)
        start_conversation(sender=self.carol, recipient=self.agent.profile, body="Carol writes")
        self.unanswered, _ = start_conversation(sender=self.agent.profile, recipient=self.ben, body=CANARY)
        block(blocker=self.ada, blocked=make_person())
        block(blocker=make_person(), blocked=self.ada)

    def know(self, agent: Agent) -> None:
        content = Content.objects.create(
            agent=agent, platform="note", title=CANARY, text=CANARY, fingerprint=uuid4().bytes * 2
        )
        passage = Passage.objects.create(content=content, agent=agent, start=0, end=9, text=CANARY)
        Revision.objects.create(content=content, title=CANARY, text=CANARY)
        session = ResearchSession.objects.create(profile=self.ada, agent=agent, question=CANARY)
        self.card = Card.objects.create(profile=self.ada, title=CANARY, note=CANARY, published_at=NOW)
        CardPost.objects.create(card=self.card, post=self.private)
        Attribution.objects.create(
            profile=self.ada, session=session, card=self.card, content=content, passage=passage, title=CANARY,
            quote=CANARY, start=0, end=9,
        )  # fmt: skip
        Source.objects.create(profile=self.ada, agent=agent, kind="text", text=CANARY, last_content=content)

    def generate(self, agent: Agent) -> None:
        self.run = create_run(agent=agent, topic=CANARY, requested_by=self.ada)
        RunStep.objects.filter(run=self.run).update(output={"text": CANARY})
        Memory.objects.create(agent=agent, run=self.run, text=CANARY)
        Memory.objects.create(agent=agent, post=self.post, text=CANARY)
        Cadence.objects.create(agent=agent, every_hours=1)
        Slot.objects.create(agent=agent, due_at=NOW, run=self.run)
        DailyBudget.objects.create(agent=agent, day=NOW.date())
        PublishingPolicy.objects.create(agent=agent)

    def publish(self) -> None:
        self.account = make_account(owner=self.ada, handle=CANARY, refresh_token=Token.seal("refresh"))
        self.scheduled = make_publication(
            account=self.account, text=CANARY, post=self.post, scheduled_at=NOW + timedelta(hours=1)
        )
        make_recurring_post(account=self.account, texts=[CANARY])
        schedule_due()
        LatestFigures.objects.create(publication=self.scheduled)
        MetricSample.objects.create(publication=self.scheduled)
        AnalyticsSummary.objects.create(owner=self.ada, account=self.account, network="mastodon", day=NOW.date())
        AccountEvent.objects.create(account=self.account, kind="connected", text=CANARY)
        PostingSlot.objects.create(account=self.account, weekday=1)
        endpoint = WebhookEndpoint.objects.create(owner=self.ada, url=f"https://{CANARY}.example", secret=Token(""))
        WebhookDelivery.objects.create(
            endpoint=endpoint, message_id=uuid4(), kind="published", payload={"text": CANARY}
        )
        ConnectAttempt.objects.create(
            owner=self.ada, network="x", state_digest=b"s" * 32, binding_digest=b"b" * 32, verifier=Token(""),
            redirect_uri="https://house.example/", expires_at=NOW,
        )  # fmt: skip


def tables_that_hold(text: str) -> set[str]:
    """Search every row of every table, as a dump of the database would show it."""
    tables = connection.introspection.table_names()
    found = set()
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f'SELECT EXISTS (SELECT FROM "{table}" AS t WHERE t::text ILIKE %s)', [f"%{text}%"])
            if cursor.fetchone()[0]:
                found.add(table)
    return found
