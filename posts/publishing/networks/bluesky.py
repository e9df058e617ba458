"""Bluesky through any PDS: plain com.atproto calls. Source: https://docs.bsky.app/docs/advanced-guides/posts."""

from typing import Any

import regex

from posts.publishing import text
from posts.publishing.models import Publication, SocialAccount
from posts.publishing.networks import http
from posts.publishing.networks.base import (
    Credentials,
    Figures,
    Identity,
    MediaRule,
    Network,
    Rate,
    Receipt,
    Repeat,
    TextRule,
    read_json,
    read_moment,
)
from posts.publishing.networks.errors import NeedsReconnect, Refused

COLLECTION = "app.bsky.feed.post"
TID_ALPHABET = "234567abcdefghijklmnopqrstuvwxyz"
TAG = regex.compile(r"(?<!\w)#(\w{1,64})")
# The PDS answers 400, not 401, when an access token has run out.
EXPIRED = ("ExpiredToken", "InvalidToken", "AuthMissing")


class Bluesky(Network):
    name = "bluesky"
    label = "Bluesky"
    # The record's key is ours and the same for every attempt: reading it back is exact.
    repeat = Repeat.READ_BACK
    # 5,000 points an hour, a new record costs 3.
    rate = Rate(1666, 3600)
    concurrency = 16
    media = MediaRule(types=("image/jpeg", "image/png", "image/webp"), max_bytes=1_000_000, max_alt=2000)

    def text_rules(self, account: SocialAccount) -> tuple[TextRule, ...]:
        return (TextRule(300, "graphemes", text.graphemes), TextRule(3000, "bytes", text.utf8_bytes))

    def prepare(self, publication: Publication) -> dict[str, Any]:
        with publication.image.open() as image:
            answer = self._xrpc(
                publication.account,
                "POST",
                "com.atproto.repo.uploadBlob",
                content=image.read(),
                headers={"Content-Type": "image/jpeg"},
            )
        picture = {"alt": publication.image_alt, "image": read_json(answer, "blob")}
        return {"embed": {"$type": "app.bsky.embed.images", "images": [picture]}}

    def send(self, publication: Publication, prepared: dict[str, Any]) -> Receipt:
        record: dict[str, Any] = {
            "$type": COLLECTION,
            "text": publication.text,
            "createdAt": publication.created_at.isoformat().replace("+00:00", "Z"),
        } | prepared
        if facets := facets_of(publication.text):
            record["facets"] = facets
        if publication.previous:
            parent = {"uri": publication.previous.remote_id, "cid": publication.previous.remote_data["cid"]}
            root = publication.previous.remote_data.get("root", parent)
            record["reply"] = {"root": root, "parent": parent}
        body = {
            "repo": publication.account.platform_user_id,
            "collection": COLLECTION,
            "rkey": record_key(publication),
            "record": record,
        }
        answer = self._xrpc(publication.account, "POST", "com.atproto.repo.createRecord", publishes=True, json=body)
        return self._receipt(publication, read_json(answer))

    def find(self, publication: Publication, *, taken: frozenset[str]) -> Receipt | None:
        query = {
            "repo": publication.account.platform_user_id,
            "collection": COLLECTION,
            "rkey": record_key(publication),
        }
        try:
            answer = self._xrpc(publication.account, "GET", "com.atproto.repo.getRecord", params=query)
        except Refused as refusal:
            # Older PDS versions say InvalidRequest, with these words.
            if refusal.code == "RecordNotFound" or "Could not locate record" in str(refusal):
                return None
            raise
        return self._receipt(publication, read_json(answer))

    def log_in(self, base_url: str, identifier: str, password: str) -> tuple[Identity, Credentials]:
        """Open a session with an app password, which is not kept."""
        url = f"{base_url.rstrip('/')}/xrpc/com.atproto.server.createSession"
        session = read_json(http.call("POST", url, json={"identifier": identifier, "password": password}))
        return Identity(session["did"], session["handle"]), _credentials(session)

    def refresh(self, account: SocialAccount) -> Credentials:
        url = f"{self.base_url(account)}/xrpc/com.atproto.server.refreshSession"
        try:
            return _credentials(read_json(http.call("POST", url, headers=account.refresh_token.bearer())))
        except Refused as refusal:
            raise NeedsReconnect(str(refusal)) from refusal

    def metrics(self, publication: Publication) -> Figures:
        query = {"uris": publication.remote_id}
        answer = self._xrpc(publication.account, "GET", "app.bsky.feed.getPosts", params=query)
        post = read_json(answer, "posts")[0]
        return Figures(
            likes=post.get("likeCount", 0), comments=post.get("replyCount", 0), shares=post.get("repostCount", 0)
        )

    def _xrpc(self, account: SocialAccount, method: str, name: str, **options: Any) -> Any:
        try:
            return self.call(account, method, f"/xrpc/{name}", **options)
        except Refused as refusal:
            if refusal.code in EXPIRED:
                raise NeedsReconnect("The session has run out.") from refusal
            raise

    def _receipt(self, publication: Publication, record: dict[str, Any]) -> Receipt:
        data = {"cid": record["cid"]}
        if publication.previous:
            previous = publication.previous
            data["root"] = previous.remote_data.get(
                "root", {"uri": previous.remote_id, "cid": previous.remote_data["cid"]}
            )
        url = f"https://bsky.app/profile/{publication.account.platform_user_id}/post/{record_key(publication)}"
        created = record.get("value", {}).get("createdAt", "")
        return Receipt(remote_id=record["uri"], url=url, published_at=read_moment(created), data=data)


def record_key(publication: Publication) -> str:
    """Return the record's TID, the same for every attempt. Source: https://atproto.com/specs/tid."""
    microseconds = int(publication.created_at.timestamp() * 1_000_000)
    number = (microseconds << 10) | (publication.pk & 1023)
    return "".join(TID_ALPHABET[(number >> shift) & 31] for shift in range(60, -1, -5))


def facets_of(body: str) -> list[dict[str, Any]]:
    """Mark links and hashtags, by byte offsets: without facets they are plain text on Bluesky."""
    found = [(match, {"$type": "app.bsky.richtext.facet#link", "uri": match[0]}) for match in text.URL.finditer(body)]
    found += [(match, {"$type": "app.bsky.richtext.facet#tag", "tag": match[1]}) for match in TAG.finditer(body)]
    return [
        {
            "index": {
                "byteStart": text.utf8_bytes(body[: match.start()]),
                "byteEnd": text.utf8_bytes(body[: match.end()]),
            },
            "features": [feature],
        }
        for match, feature in found
    ]


def _credentials(session: dict[str, Any]) -> Credentials:
    return Credentials(access_token=session["accessJwt"], refresh_token=session.get("refreshJwt", ""))
