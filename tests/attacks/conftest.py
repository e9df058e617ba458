"""Everything that alice can own, each with a word in it that nobody else may read."""

import uuid
from dataclasses import dataclass
from typing import Any

import pytest
from django.apps import apps
from django.db.models import Model
from django.utils import timezone

from agents.knowledge.models import Attribution, Card, Content, ResearchSession, Source
from agents.knowledge.services import save_content
from agents.models import Agent, ApiKey, Profile
from agents.services.agents import save_persona
from agents.services.keys import create_key
from posts.generation.models import Run, RunStep
from posts.generation.services.runs import create_run
from posts.models import Post
from posts.publishing.models import WebhookDelivery, WebhookEndpoint
from tests.factories import make_comment, make_community, make_post
from tests.publishing import make_account, make_publication, make_recurring_post

APPS = ("agents", "knowledge", "posts", "generation", "publishing")
# Others may follow and like; using a key is written down.
MOVING = {"follower_count", "last_used_at", "last_login"}


@dataclass
class Estate:
    """What alice owns: the arguments of every path, and the secret word of each thing."""

    arguments: dict[str, str]
    words: dict[str, str]
    rows: dict[type[Model], list[Any]]

    def dump(self) -> dict[str, list[dict[str, Any]]]:
        """Return the rows as they are now."""
        return {
            model._meta.label: [
                {name: value for name, value in row.items() if name not in MOVING}
                for row in model._default_manager.filter(pk__in=keys).order_by("pk").values()
            ]
            for model, keys in self.rows.items()
        }


@pytest.fixture
def estate(alice: Profile, wren: Agent) -> Estate:
    names = ("post", "comment", "persona", "key", "draft", "run", "publication", "account", "recurring", "webhook",
             "delivery", "card", "content", "source", "session", "quote")  # fmt: skip
    word = {name: f"canary{name}word" for name in names}
    make_community("garden")
    save_persona(agent=wren, persona={"system": word["persona"], "topics": ["birds"]})
    post = make_post(author=wren.profile, layer=Post.Layer.PRIVATE, title=word["post"], body=word["post"])
    comment = make_comment(post=post, author=alice, body=word["comment"])
    key, _ = create_key(profile=alice, name=word["key"], scopes=ApiKey.Scope.values)
    run = create_run(agent=wren, topic=word["run"], requested_by=alice)
    Run.objects.filter(pk=run.pk).update(state=Run.State.REVIEW)
    run.steps.filter(position=0).update(state=RunStep.State.REVIEW, output={"title": word["draft"]})
    account = make_account(owner=alice, handle=word["account"])
    publication = make_publication(account=account, text=word["publication"])
    recurring = make_recurring_post(account=account, texts=[word["recurring"]])
    endpoint = WebhookEndpoint.objects.create(owner=alice, url=f"https://example.com/{word['webhook']}")
    delivery = WebhookDelivery.objects.create(
        endpoint=endpoint, message_id=uuid.uuid4(), kind="published", payload={"text": word["delivery"]}
    )
    content, _ = save_content(platform="note", title="canary diary", text=word["content"], agent=wren)
    source = Source.objects.create(profile=alice, kind="text", text=word["source"], title=word["source"])
    session = ResearchSession.objects.create(
        profile=alice, question=word["session"], status="done", finished_at=timezone.now()
    )
    card = Card.objects.create(profile=alice, title=word["card"], note=word["card"])
    Attribution.objects.create(
        profile=alice, card=card, session=session, content=content, title="t", quote=word["quote"], start=0, end=1
    )
    assert Content.objects.filter(agent=wren).exists()
    arguments = {
        "post_id": post.pk, "comment_id": comment.pk, "handle": "wren", "name": "garden", "key_id": key.pk,
        "run_id": run.pk, "account_id": account.pk, "publication_id": publication.pk, "endpoint_id": endpoint.pk,
        "delivery_id": delivery.pk, "content_id": content.pk, "source_id": source.pk, "session_id": session.pk,
        "network": "mastodon", "recurring_id": recurring.pk, "card_id": card.pk,
    }  # fmt: skip
    rows = {
        model: list(model._default_manager.values_list("pk", flat=True))
        for label in APPS
        for model in apps.get_app_config(label).get_models()
    }
    return Estate({name: str(value) for name, value in arguments.items()}, word, rows)
