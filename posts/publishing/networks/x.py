"""X, API v2. Source: https://docs.x.com/x-api/posts/create-post and /fundamentals/rate-limits."""

import html
from collections.abc import Iterable
from typing import Any

from posts.publishing import text
from posts.publishing.models import Publication, SocialAccount
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
    earliest_moment,
    read_json,
    read_moment,
)
from posts.publishing.networks.errors import DuplicateRefused, Refused
from posts.publishing.networks.oauth import OAuthNetwork


class X(OAuthNetwork):
    name = "x"
    label = "X"
    repeat = Repeat.READ_BACK
    refuses_repetition = True
    rate = Rate(100, 900)
    secret_in_header = True
    scopes = ("tweet.read", "tweet.write", "users.read", "media.write", "offline.access")
    concurrency = 8
    media = MediaRule(types=("image/jpeg", "image/png", "image/webp"), max_bytes=5_000_000, max_alt=1000)
    # The timeline of an account lags behind a post by some seconds.
    settle_seconds = 10

    def identities(self, credentials: Credentials, base_url: str) -> Iterable[tuple[Identity, Credentials]]:
        user = read_json(self.ask(credentials, base_url, "/2/users/me"), "data")
        yield Identity(user["id"], user["username"]), credentials

    def text_rules(self, account: SocialAccount) -> tuple[TextRule, ...]:
        return (TextRule(280, "weighted characters", text.weighted_characters),)

    def prepare(self, publication: Publication) -> dict[str, Any]:
        account = publication.account
        with publication.image.open() as image:
            answer = self.call(
                account,
                "POST",
                "/2/media/upload",
                files={"media": ("image", image.read())},
                data={"media_category": "tweet_image"},
            )
        media_id = read_json(answer, "data", "id")
        if publication.image_alt:
            alt = {"id": media_id, "metadata": {"alt_text": {"text": publication.image_alt}}}
            self.call(account, "POST", "/2/media/metadata", json=alt)
        return {"media": {"media_ids": [media_id]}}

    def send(self, publication: Publication, prepared: dict[str, Any]) -> Receipt:
        body: dict[str, Any] = {"text": publication.text} | prepared
        if publication.previous:
            body["reply"] = {"in_reply_to_tweet_id": publication.previous.remote_id}
        try:
            answer = self.call(publication.account, "POST", "/2/tweets", publishes=True, json=body)
        except Refused as refusal:
            if "duplicate content" in str(refusal):
                raise DuplicateRefused(str(refusal)) from refusal
            raise
        return _receipt(publication.account, read_json(answer, "data"))

    def page(self, publication: Publication, after: Any) -> Page:
        account = publication.account
        query: dict[str, Any] = {
            "max_results": 100,
            "tweet.fields": "created_at,entities",
            "exclude": "retweets",
            "start_time": earliest_moment(publication).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        query |= {"pagination_token": after} if after else {}
        page = read_json(self.call(account, "GET", f"/2/users/{account.platform_user_id}/tweets", params=query))
        found = [(_original_text(tweet), _receipt(account, tweet)) for tweet in page.get("data", [])]
        return found, page.get("meta", {}).get("next_token")

    def metrics(self, publication: Publication) -> Figures:
        query = {"tweet.fields": "public_metrics"}
        answer = self.call(publication.account, "GET", f"/2/tweets/{publication.remote_id}", params=query)
        figures = read_json(answer, "data", "public_metrics")
        return Figures(
            likes=figures["like_count"],
            comments=figures["reply_count"],
            shares=figures["retweet_count"] + figures.get("quote_count", 0),
            views=figures.get("impression_count", 0),
        )


def _original_text(tweet: dict[str, Any]) -> str:
    """Undo what X does to a text: t.co links, and the link it appends for an image."""
    body = html.unescape(tweet["text"])
    for link in tweet.get("entities", {}).get("urls", []):
        body = body.replace(link["url"], "" if "media_key" in link else link["expanded_url"])
    return body


def _receipt(account: SocialAccount, tweet: dict[str, Any]) -> Receipt:
    return Receipt(
        remote_id=tweet["id"],
        url=f"https://x.com/{account.handle or 'i'}/status/{tweet['id']}",
        published_at=read_moment(tweet["created_at"]) if "created_at" in tweet else None,
    )
