"""What every outside network has to say about itself and to do."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any

import httpx2
from django.conf import settings
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from posts.publishing import text
from posts.publishing.models import Publication, SocialAccount
from posts.publishing.networks import http
from posts.publishing.networks.errors import CannotReadBack, OutcomeUnknown
from posts.publishing.tokens import Secret, bearer

# The clocks of a network and of this house may differ by so much.
CLOCK_SKEW = timedelta(minutes=2)
# So far back is read for a lost post; whoever has more posts since then is asked.
PAGES = 5


class Repeat(Enum):
    """What makes a second attempt safe after the answer to the first was lost."""

    KEY = "the network takes an idempotency key"
    READ_BACK = "the account's posts can be read back"
    NEITHER = "nothing: a person has to say"


@dataclass(frozen=True)
class TextRule:
    """One limit on length, counted the network's way."""

    limit: int
    unit: str
    count: text.Counter


@dataclass(frozen=True)
class MediaRule:
    types: tuple[str, ...] = ("image/jpeg", "image/png", "image/webp")
    max_bytes: int = 5_000_000
    max_side: int = 4096
    max_alt: int = 1000
    required: bool = False


@dataclass(frozen=True)
class Rate:
    """At most `count` publications in `seconds`, as the network's documentation states it."""

    count: int
    seconds: int


@dataclass(frozen=True)
class Receipt:
    """Proof that a post exists on a network."""

    remote_id: str
    url: str = ""
    published_at: datetime | None = None
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Credentials:
    """What a network handed out on connecting or refreshing; an empty refresh token means: keep the old one."""

    access_token: str
    refresh_token: str = ""
    expires_in: int | None = None
    scopes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return "Credentials(••••)"


@dataclass(frozen=True)
class Identity:
    """Who an account is on its network."""

    platform_user_id: str
    handle: str
    limits: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Figures:
    """Public counters of one post."""

    likes: int = 0
    comments: int = 0
    shares: int = 0
    views: int = 0


# Text and receipt of each post, and what to go on after.
type Page = tuple[list[tuple[str, Receipt]], Any]


class Network(ABC):
    """One outside network. Instances hold no state; none of the methods may touch the database."""

    name: str
    label: str
    repeat: Repeat
    rate: Rate
    concurrency: int = 8
    media = MediaRule()
    # After a lost answer, wait so long before absence counts as proof: the post may still be on its way in.
    settle_seconds: float = 5
    # How long an idempotency key is remembered; None: for good.
    key_seconds: float | None = None
    # Whether it takes a text only once, however long ago that was.
    refuses_repetition = False

    @abstractmethod
    def text_rules(self, account: SocialAccount) -> tuple[TextRule, ...]:
        """Return the limits on the length of a text."""

    def repeat_for(self, account: SocialAccount) -> Repeat:
        """Return what makes a second attempt safe with this account's permissions."""
        return self.repeat

    def remembers_key(self, publication: Publication) -> bool:
        """Whether a repetition with the same key is still recognised."""
        if self.key_seconds is None or publication.first_sent_at is None:
            return True
        return timezone.now() < publication.first_sent_at + timedelta(seconds=self.key_seconds)

    def prepare(self, publication: Publication) -> dict[str, Any]:
        """Do what must come before publishing an image and shows to nobody, such as uploading it; repeatable."""
        return {}

    @abstractmethod
    def send(self, publication: Publication, prepared: dict[str, Any]) -> Receipt:
        """Publish, in exactly one request with `publishes=True`."""

    def page(self, publication: Publication, after: Any) -> Page:
        """Return a page of the account's posts, the newest first, and what to go on after; None on the last page.

        Raises `CannotReadBack` when the account gives no way to do so.
        """
        raise CannotReadBack(f"{self.label} does not let this account's posts be read.")

    def recent(self, publication: Publication) -> Iterable[tuple[str, Receipt]]:
        """Yield text and receipt of the account's posts, the newest first.

        Raises `CannotReadBack` when too many posts came since.
        """
        after = None
        for _ in range(PAGES):
            found, after = self.page(publication, after)
            yield from found
            if after is None:
                return
        raise CannotReadBack("Too many posts since.")

    def find(self, publication: Publication, *, taken: frozenset[str]) -> Receipt | None:
        """Look for a publication on the network; None is proof that it is not there.

        `taken` are the remote ids that belong to other publications of the account.
        """
        earliest = earliest_moment(publication)
        for body, receipt in self.recent(publication):
            if receipt.published_at and receipt.published_at < earliest:
                return None
            if receipt.remote_id not in taken and self.fingerprint(body) == bytes(publication.fingerprint):
                return receipt
        return None

    def canonical(self, body: str) -> str:
        """Reduce a text to what this network gives back of it."""
        return body

    def fingerprint(self, body: str) -> bytes:
        return text.fingerprint(self.canonical(body))

    def refresh(self, account: SocialAccount) -> Credentials:
        """Exchange the refresh token for a new access token."""
        raise NotImplementedError

    def metrics(self, publication: Publication) -> Figures:
        """Fetch the public counters of a published post."""
        raise NotImplementedError

    def base_url(self, account: SocialAccount) -> str:
        return account.base_url.rstrip("/") or str(settings.NETWORK_URLS[self.name])

    def call(
        self, account: SocialAccount, method: str, path: str, *, publishes: bool = False, **options: Any
    ) -> httpx2.Response:
        """Send one request with the account's credentials."""
        headers = account.access_token.bearer() | options.pop("headers", {})
        return http.call(method, self.base_url(account) + path, publishes=publishes, headers=headers, **options)

    def ask(self, credentials: Credentials, base_url: str, path: str, **options: Any) -> httpx2.Response:
        """Read something with credentials that belong to no account yet."""
        headers = bearer(credentials.access_token) | options.pop("headers", {})
        return http.call("GET", (base_url or settings.NETWORK_URLS[self.name]) + path, headers=headers, **options)

    def app_credentials(self) -> tuple[str, str]:
        """Return client id and secret of the application registered with the network."""
        app = settings.NETWORK_APPS.get(self.name, {})
        return app.get("client_id", ""), Secret(app.get("client_secret", ""))


def earliest_moment(publication: Publication) -> datetime:
    """Return the moment before which a post cannot have come from this publication, by any clock."""
    return (publication.first_sent_at or publication.created_at) - CLOCK_SKEW


def read_moment(value: str) -> datetime | None:
    parsed = parse_datetime(value)
    return parsed.replace(tzinfo=UTC) if parsed and parsed.tzinfo is None else parsed


def read_json(answer: httpx2.Response, *path: str) -> Any:
    """Read a value out of an answer that should be there.

    Raises `OutcomeUnknown` when it is not: the network said yes, in words that cannot be understood.
    """
    try:
        value = answer.json()
        for step in path:
            value = value[step]
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise OutcomeUnknown("The network's answer cannot be understood.") from error
    return value
