from typing import Any

from django.core.management.base import BaseCommand
from django.db import models

from posts.publishing.models import ConnectAttempt, NetworkApp, SocialAccount, WebhookEndpoint
from posts.publishing.tokens import TokenField


class Command(BaseCommand):
    help = "Seal every stored credential with the first key in TOKEN_KEYS; then the older keys can be removed."

    def handle(self, *args: Any, **options: Any) -> None:
        for model in (SocialAccount, NetworkApp, ConnectAttempt, WebhookEndpoint):
            count = sum(rotate(row) for row in model._default_manager.order_by("pk").iterator(chunk_size=500))
            self.stdout.write(f"{model._meta.verbose_name}: {count} rows sealed anew")


def rotate(row: models.Model) -> int:
    """Seal a row's credentials with the newest key, unless they were replaced since they were read."""
    fields = [field.name for field in row._meta.fields if isinstance(field, TokenField) and getattr(row, field.name)]
    rotated = {name: getattr(row, name).rotated() for name in fields}
    seen = {name: getattr(row, name) for name in fields}
    return type(row)._default_manager.filter(pk=row.pk, **seen).update(**rotated) if rotated else 0
