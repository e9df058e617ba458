"""How a text will look to each network before it is queued: its parts, counted the network's way."""

from dataclasses import dataclass

from django.core.exceptions import ValidationError

from posts.models import Post
from posts.publishing.models import SocialAccount
from posts.publishing.networks import network_named
from posts.publishing.services.requests import Wanted, draft_of


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
    # The post whose image goes along.
    pictured: Post | None


def preview(account: SocialAccount, wanted: Wanted) -> Preview:
    """Try what is wanted on an account without writing anything."""
    problems: list[str] = []
    parts: tuple[str, ...] = ((wanted.variants.get(account.network) or wanted.body).strip(),)
    has_image = False
    try:
        draft = draft_of(account, wanted)
        parts, has_image = draft.parts, draft.image is not None
    except ValidationError as error:
        problems = error.messages
    network = network_named(account.network)
    shown = [Part(text, counts_of(account, text)) for text in parts]
    return Preview(network.label, account.handle, shown, problems, wanted.post if has_image else None)


def counts_of(account: SocialAccount, text: str) -> list[Count]:
    rules = network_named(account.network).text_rules(account)
    return [Count(rule.count(text), rule.limit, rule.unit) for rule in rules]
