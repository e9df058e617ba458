"""Facebook pages. Source: https://developers.facebook.com/docs/pages-api/posts."""

from typing import Any

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
    earliest_moment,
    read_json,
    read_moment,
)
from posts.publishing.networks.meta import GraphNetwork, next_page


class Facebook(GraphNetwork):
    name = "facebook"
    label = "Facebook"
    repeat = Repeat.READ_BACK
    refuses_repetition = True
    rate = Rate(200, 3600)
    concurrency = 8
    scopes = ("pages_show_list", "pages_read_engagement", "pages_manage_posts")
    page_fields = "id,name,access_token"
    media = MediaRule(types=("image/jpeg", "image/png"), max_bytes=4_000_000)

    def identity_of(self, page: dict[str, Any]) -> Identity | None:
        return Identity(page["id"], page["name"])

    def text_rules(self, account: SocialAccount) -> tuple[TextRule, ...]:
        return (TextRule(63_206, "characters", text.utf16_units),)

    def prepare(self, publication: Publication) -> dict[str, Any]:
        account = publication.account
        with publication.image.open() as image:
            answer = self.graph(
                account,
                "POST",
                f"/{account.platform_user_id}/photos",
                files={"source": ("image.jpg", image.read(), "image/jpeg")},
                data={"published": "false", "temporary": "true", "alt_text_custom": publication.image_alt},
            )
        return {"attached_media": [{"media_fbid": read_json(answer, "id")}]}

    def send(self, publication: Publication, prepared: dict[str, Any]) -> Receipt:
        account = publication.account
        body = {"message": publication.text} | prepared
        answer = self.graph(account, "POST", f"/{account.platform_user_id}/feed", publishes=True, json=body)
        return _receipt({"id": read_json(answer, "id")})

    def page(self, publication: Publication, after: Any) -> Page:
        query = {
            "fields": "id,message,created_time,permalink_url",
            "limit": 100,
            "since": int(earliest_moment(publication).timestamp()),
        } | ({"after": after} if after else {})
        page = read_json(
            self.graph(publication.account, "GET", f"/{publication.account.platform_user_id}/posts", params=query)
        )
        return [(post.get("message", ""), _receipt(post)) for post in page["data"]], next_page(page)

    def metrics(self, publication: Publication) -> Figures:
        fields = "likes.summary(true).limit(0),comments.summary(true).limit(0),shares"
        answer = self.graph(publication.account, "GET", f"/{publication.remote_id}", params={"fields": fields})
        post = read_json(answer)
        return Figures(
            likes=post["likes"]["summary"]["total_count"],
            comments=post["comments"]["summary"]["total_count"],
            shares=post.get("shares", {}).get("count", 0),
        )


def _receipt(post: dict[str, Any]) -> Receipt:
    return Receipt(
        remote_id=post["id"],
        url=post.get("permalink_url") or f"https://www.facebook.com/{post['id']}",
        published_at=read_moment(post["created_time"]) if "created_time" in post else None,
    )
