"""How a text will look to each network before it is queued: its parts, counted the network's way."""

from dataclasses import dataclass

from django.core.exceptions import ValidationError

from posts.models import Post
from posts.publishing.models import SocialAccount
from posts.publishing.networks import network_named
from posts.publishing.services.publications import draft_for


@dataclass(frozen=True)
class Count:
    """One limit of a network, and how much of it a text takes."""

    used: int
    limit: int
    unit: str

    @property
    def is_over(self) -> bool:
        return self.used > self.limit


@dataclass(frozen=True)
class Part:
    """What would be one post on the network."""

    text: str
    counts: list[Count]


@dataclass(frozen=True)
class Preview:
    """What an account would publish, or why it would not."""

    label: str
    handle: str
    parts: list[Part]
    problems: list[str]


def preview(account: SocialAccount, body: str, *, split: bool, post: Post | None = None) -> Preview:
    """Try a text on an account without writing anything."""
    problems: list[str] = []
    texts: tuple[str, ...] = (body.strip(),)
    try:
        texts = draft_for(account=account, body=body, split=split, post=post).parts
    except ValidationError as error:
        problems = error.messages
    network = network_named(account.network)
    parts = [Part(text, counts_of(account, text)) for text in texts]
    return Preview(network.label, account.handle, parts, problems)


def counts_of(account: SocialAccount, text: str) -> list[Count]:
    rules = network_named(account.network).text_rules(account)
    return [Count(rule.count(text), rule.limit, rule.unit) for rule in rules]
