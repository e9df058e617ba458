"""Mastodon, any instance. Source: https://docs.joinmastodon.org/methods/statuses/ and /media/."""

import time
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from posts.publishing import text
from posts.publishing.models import Publication, SocialAccount
from posts.publishing.networks import http
from posts.publishing.networks.base import (
    Credentials,
    Figures,
    Identity,
    MediaRule,
    Page,
    Rate,
    Receipt,
    Repeat,
    TextRule,
    read_json,
    read_moment,
)
from posts.publishing.networks.errors import NotSent
from posts.publishing.networks.oauth import OAuthNetwork

DEFAULT_MAX_CHARACTERS = 500
POLLS = 10
POLL_SECONDS = 0.5


class Mastodon(OAuthNetwork):
    name = "mastodon"
    label = "Mastodon"
    # Instances remember an idempotency key for an hour; posts are read back first all the same.
    repeat = Repeat.KEY
    key_seconds = 3300
    rate = Rate(300, 300)
    concurrency = 64
    scopes = ("read:accounts", "read:statuses", "write:statuses", "write:media")
    media = MediaRule(max_bytes=16_000_000, max_alt=1500)

    def authorize_url(self, base_url: str) -> str:
        return f"{base_url}/oauth/authorize"

    def token_url(self, base_url: str) -> str:
        return f"{base_url}/oauth/token"

    def register(self, base_url: str, redirect_uri: str) -> tuple[str, str]:
        """Register this house with an instance; return client id and secret. Needs no account there."""
        form = {"client_name": "Aviary", "redirect_uris": redirect_uri, "scopes": " ".join(self.scopes)}
        app = read_json(http.call("POST", f"{base_url}/api/v1/apps", data=form | {"website": settings.PUBLIC_URL}))
        return str(app["client_id"]), str(app["client_secret"])

    def identities(self, credentials: Credentials, base_url: str) -> Iterable[tuple[Identity, Credentials]]:
        account = read_json(self.ask(credentials, base_url, "/api/v1/accounts/verify_credentials"))
        instance = read_json(self.ask(credentials, base_url, "/api/v2/instance"))
        limits = {"max_characters": instance["configuration"]["statuses"]["max_characters"]}
        host = urlsplit(base_url).netloc
        yield Identity(f"{account['id']}@{host}", f"@{account['username']}@{host}", limits), credentials

    def text_rules(self, account: SocialAccount) -> tuple[TextRule, ...]:
        limit = int(account.limits.get("max_characters", DEFAULT_MAX_CHARACTERS))
        return (TextRule(limit, "characters", text.mastodon_characters),)

    def canonical(self, body: str) -> str:
        # An instance gives a mention back without its domain.
        return str(text.MENTION.sub(r"@\1", body))

    def prepare(self, publication: Publication) -> dict[str, Any]:
        with publication.image.open() as image:
            answer = self.call(
                publication.account,
                "POST",
                "/api/v2/media",
                files={"file": ("image", image.read())},
                data={"description": publication.image_alt},
            )
        media_id = read_json(answer, "id")
        for _ in range(POLLS):
            if answer.status_code == 200:
                return {"media_ids": [media_id]}
            time.sleep(POLL_SECONDS)
            # 206 while the instance is still working on it.
            answer = self.call(publication.account, "GET", f"/api/v1/media/{media_id}")
        raise NotSent("The instance is still working on the image.")

    def send(self, publication: Publication, prepared: dict[str, Any]) -> Receipt:
        body = {"status": publication.text, "visibility": "public"} | prepared
        if publication.previous:
            body["in_reply_to_id"] = publication.previous.remote_id
        answer = self.call(
            publication.account,
            "POST",
            "/api/v1/statuses",
            publishes=True,
            json=body,
            headers={"Idempotency-Key": str(publication.idempotency_key)},
        )
        return _receipt(read_json(answer))

    def page(self, publication: Publication, after: Any) -> Page:
        account = publication.account
        query = {"limit": 40, "exclude_reblogs": "true"} | ({"max_id": after} if after else {})
        path = f"/api/v1/accounts/{account.platform_user_id.split('@')[0]}/statuses"
        statuses = read_json(self.call(account, "GET", path, params=query))
        found = [(text.from_html(status["content"]), _receipt(status)) for status in statuses]
        return found, statuses[-1]["id"] if statuses else None

    def metrics(self, publication: Publication) -> Figures:
        status = read_json(self.call(publication.account, "GET", f"/api/v1/statuses/{publication.remote_id}"))
        return Figures(
            likes=status["favourites_count"], comments=status["replies_count"], shares=status["reblogs_count"]
        )


def _receipt(status: dict[str, Any]) -> Receipt:
    return Receipt(
        remote_id=str(status["id"]),
        url=status.get("url") or status.get("uri") or "",
        published_at=read_moment(status["created_at"]),
    )
