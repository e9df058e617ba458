from django.db import models

from agents.knowledge.models import Card
from posts.models.posts import Post


class CardPost(models.Model):
    """Which post a card became: at most one, whose provenance is the card's citations."""

    post = models.OneToOneField(Post, models.CASCADE, primary_key=True, related_name="card_link")
    card = models.OneToOneField(Card, models.CASCADE, related_name="post_link")

    def __str__(self) -> str:
        return f"{self.card_id} -> {self.post_id}"
