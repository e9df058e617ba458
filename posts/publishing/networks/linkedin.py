"""LinkedIn's Posts API.

Source: https://learn.microsoft.com/linkedin/marketing/community-management/shares/posts-api
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import httpx2
import regex
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
    earliest_moment,
    read_json,
)
from posts.publishing.networks.errors import CannotReadBack, DuplicateRefused, OutcomeUnknown, Refused
from posts.publishing.networks.oauth import OAuthNetwork

# The "little text" format of a commentary gives these a meaning unless they are escaped; unescaped ones
# silently cut a post short.
RESERVED = regex.compile(r"([\\|{}@\[\]()<>#*_~])")
ESCAPED = regex.compile(r"\\([\\|{}@\[\]()<>#*_~])")
READ_SCOPES = {"r_organization_social", "r_member_social"}
PAGE_SIZE = 50


class LinkedIn(OAuthNetwork):
    name = "linkedin"
    label = "LinkedIn"
    repeat = Repeat.READ_BACK
    refuses_repetition = True
    # What other publishing tools document; LinkedIn itself shows limits only in its developer portal.
    rate = Rate(150, 86_400)
    concurrency = 8
    media = MediaRule(types=("image/jpeg", "image/png", "image/gif"), max_bytes=8_000_000, max_alt=4086)
    settle_seconds = 10

    def asked_scopes(self) -> tuple[str, ...]:
        # LinkedIn refuses the whole consent when one of them is not granted to the application.
        return tuple(settings.LINKEDIN_SCOPES)

    def identities(self, credentials: Credentials, base_url: str) -> Iterable[tuple[Identity, Credentials]]:
        person = read_json(self.ask(credentials, base_url, "/v2/userinfo"))
        yield Identity(f"urn:li:person:{person['sub']}", person.get("name", "")), credentials
        if "r_organization_social" not in credentials.scopes:
            return
        query = "/rest/organizationAcls?q=roleAssignee&role=ADMINISTRATOR&state=APPROVED"
        headers = {"LinkedIn-Version": settings.LINKEDIN_VERSION, "X-Restli-Protocol-Version": "2.0.0"}
        for role in read_json(self.ask(credentials, base_url, query, headers=headers), "elements"):
            yield Identity(role["organization"], role["organization"]), credentials

    def text_rules(self, account: SocialAccount) -> tuple[TextRule, ...]:
        return (TextRule(3000, "characters", text.utf16_units),)

    def repeat_for(self, account: SocialAccount) -> Repeat:
        # Reading a member's own posts is a permission that LinkedIn gives to few.
        return Repeat.READ_BACK if READ_SCOPES & set(account.scopes) else Repeat.NEITHER

    def prepare(self, publication: Publication) -> dict[str, Any]:
        account = publication.account
        answer = self._rest(
            account,
            "POST",
            "/rest/images?action=initializeUpload",
            json={"initializeUploadRequest": {"owner": account.platform_user_id}},
        )
        upload = read_json(answer, "value")
        headers = account.access_token.bearer()
        with publication.image.open() as image:
            http.call("PUT", upload["uploadUrl"], content=image.read(), headers=headers)
        return {"content": {"media": {"id": upload["image"], "altText": publication.image_alt}}}

    def send(self, publication: Publication, prepared: dict[str, Any]) -> Receipt:
        body = {
            "author": publication.account.platform_user_id,
            "commentary": RESERVED.sub(r"\\\1", publication.text),
            "visibility": "PUBLIC",
            "distribution": {
                "feedDistribution": "MAIN_FEED",
                "targetEntities": [],
                "thirdPartyDistributionChannels": [],
            },
            "lifecycleState": "PUBLISHED",
            "isReshareDisabledByAuthor": False,
        } | prepared
        try:
            answer = self._rest(publication.account, "POST", "/rest/posts", publishes=True, json=body)
        except Refused as refusal:
            if refusal.code == "DUPLICATE_POST" or "duplicate" in str(refusal).lower():
                raise DuplicateRefused(str(refusal)) from refusal
            raise
        urn = answer.headers.get("x-restli-id")
        if not urn:
            raise OutcomeUnknown("LinkedIn answered without an id.")
        return _receipt(urn)

    def page(self, publication: Publication, after: Any) -> Page:
        account = publication.account
        if self.repeat_for(account) is Repeat.NEITHER:
            raise CannotReadBack("LinkedIn does not let this account's posts be read.")
        earliest, start = earliest_moment(publication), after or 0
        query = {
            "q": "author",
            "author": account.platform_user_id,
            "count": PAGE_SIZE,
            "start": start,
            "sortBy": "CREATED",
        }
        elements = read_json(self._rest(account, "GET", "/rest/posts", params=query), "elements")
        moments = [
            datetime.fromtimestamp((post.get("publishedAt") or post["createdAt"]) / 1000, UTC) for post in elements
        ]
        # Sorted by creation, while the moment is that of publication: an older one does not end the search.
        found = [
            (ESCAPED.sub(r"\1", post.get("commentary", "")), _receipt(post["id"], moment))
            for post, moment in zip(elements, moments, strict=True)
            if moment >= earliest
        ]
        return found, start + PAGE_SIZE if len(elements) == PAGE_SIZE else None

    def metrics(self, publication: Publication) -> Figures:
        path = f"/rest/socialActions/{_quoted(publication.remote_id or '')}"
        figures = read_json(self._rest(publication.account, "GET", path))
        return Figures(
            likes=figures["likesSummary"]["totalLikes"], comments=figures["commentsSummary"]["aggregatedTotalComments"]
        )

    def _rest(self, account: SocialAccount, method: str, path: str, **options: Any) -> httpx2.Response:
        headers = {"LinkedIn-Version": settings.LINKEDIN_VERSION, "X-Restli-Protocol-Version": "2.0.0"}
        return self.call(account, method, path, headers=headers, **options)


def _quoted(urn: str) -> str:
    return urn.replace(":", "%3A")


def _receipt(urn: str, published_at: datetime | None = None) -> Receipt:
    return Receipt(remote_id=urn, url=f"https://www.linkedin.com/feed/update/{urn}/", published_at=published_at)
