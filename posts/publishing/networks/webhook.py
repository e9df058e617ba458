"""Any address of the owner's, signed. Source: https://www.standardwebhooks.com."""

from typing import Any
from urllib.parse import urljoin

import orjson
from django.conf import settings

from posts.publishing import signatures, text
from posts.publishing.models import Publication, SocialAccount
from posts.publishing.networks import http
from posts.publishing.networks.base import Network, Rate, Receipt, Repeat, TextRule


class Webhook(Network):
    name = "webhook"
    label = "Webhook"
    repeat = Repeat.NEITHER
    rate = Rate(600, 60)
    concurrency = 16

    def text_rules(self, account: SocialAccount) -> tuple[TextRule, ...]:
        return (TextRule(int(account.limits.get("max_characters", 100_000)), "characters", text.graphemes),)

    def repeat_for(self, account: SocialAccount) -> Repeat:
        # The owner says on connecting whether the receiver remembers the Idempotency-Key.
        return Repeat.KEY if account.limits.get("takes_idempotency_key") else Repeat.NEITHER

    def send(self, publication: Publication, prepared: dict[str, Any]) -> Receipt:
        key = str(publication.idempotency_key)
        body = orjson.dumps(
            {
                "id": key,
                "text": publication.text,
                "image": urljoin(settings.PUBLIC_URL, publication.image.url) if publication.image else None,
                "image_alt": publication.image_alt,
                "reply_to": publication.previous.remote_id if publication.previous else None,
            }
        )
        headers = signatures.sign(key, body, secret=publication.account.access_token.reveal())
        headers |= {"Content-Type": "application/json", "Idempotency-Key": key}
        answer = http.call("POST", publication.account.base_url, publishes=True, content=body, headers=headers)
        try:
            said = answer.json()
        except ValueError:
            said = None
        said = said if isinstance(said, dict) else {}
        return Receipt(remote_id=str(said.get("id") or key)[:300], url=str(said.get("url") or "")[:500])
