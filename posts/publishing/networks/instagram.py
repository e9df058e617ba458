"""Instagram professional accounts.

Source: https://developers.facebook.com/docs/instagram-platform/content-publishing
"""

import time
from typing import Any
from urllib.parse import urljoin

from django.conf import settings

from posts.publishing import text
from posts.publishing.models import Publication, SocialAccount
from posts.publishing.networks.base import (
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
from posts.publishing.networks.errors import NotSent, Refused
from posts.publishing.networks.meta import GraphNetwork, next_page

POLLS = 20
POLL_SECONDS = 1


class Instagram(GraphNetwork):
    name = "instagram"
    label = "Instagram"
    repeat = Repeat.READ_BACK
    rate = Rate(50, 86_400)
    concurrency = 4
    scopes = ("pages_show_list", "pages_read_engagement", "instagram_basic", "instagram_content_publish")
    page_fields = "access_token,instagram_business_account{id,username}"
    media = MediaRule(types=("image/jpeg",), max_bytes=8_000_000, max_side=1440, required=True)

    def identity_of(self, page: dict[str, Any]) -> Identity | None:
        account = page.get("instagram_business_account")
        return Identity(account["id"], account["username"]) if account else None

    def text_rules(self, account: SocialAccount) -> tuple[TextRule, ...]:
        return (TextRule(2200, "characters", text.utf16_units),)

    def prepare(self, publication: Publication) -> dict[str, Any]:
        """Let Instagram fetch the image into a container and wait until it is ready."""
        account = publication.account
        body = {
            "image_url": urljoin(settings.PUBLIC_URL, publication.image.url),
            "caption": publication.text,
            "alt_text": publication.image_alt,
        }
        answer = self.graph(account, "POST", f"/{account.platform_user_id}/media", json=body)
        container = read_json(answer, "id")
        for _ in range(POLLS):
            answer = self.graph(account, "GET", f"/{container}", params={"fields": "status_code,status"})
            match read_json(answer, "status_code"):
                case "FINISHED":
                    return {"creation_id": container}
                case "ERROR" | "EXPIRED":
                    raise Refused(f"Instagram could not use the image: {answer.json().get('status', '')}")
            time.sleep(POLL_SECONDS)
        raise NotSent("Instagram is still working on the image.")

    def send(self, publication: Publication, prepared: dict[str, Any]) -> Receipt:
        account = publication.account
        path = f"/{account.platform_user_id}/media_publish"
        return _receipt({"id": read_json(self.graph(account, "POST", path, publishes=True, json=prepared), "id")})

    def page(self, publication: Publication, after: Any) -> Page:
        query = {"fields": "id,caption,timestamp,permalink", "limit": 50} | ({"after": after} if after else {})
        page = read_json(
            self.graph(publication.account, "GET", f"/{publication.account.platform_user_id}/media", params=query)
        )
        return [(post.get("caption", ""), _receipt(post)) for post in page["data"]], next_page(page)

    def metrics(self, publication: Publication) -> Figures:
        query = {"fields": "like_count,comments_count"}
        post = read_json(self.graph(publication.account, "GET", f"/{publication.remote_id}", params=query))
        return Figures(likes=post.get("like_count", 0), comments=post.get("comments_count", 0))


def _receipt(post: dict[str, Any]) -> Receipt:
    return Receipt(
        remote_id=post["id"],
        url=post.get("permalink", ""),
        published_at=read_moment(post["timestamp"]) if "timestamp" in post else None,
    )
