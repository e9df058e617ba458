"""A card becomes a post: its note, and what it quotes with the way to each quotation."""

from django.db import transaction

from agents.knowledge.models import Attribution, Card
from agents.knowledge.services.cards import check_public
from posts.models import CardPost, Post
from posts.services.posts import create_post


@transaction.atomic
def post_card(*, card: Card, layer: Post.Layer = Post.Layer.PUBLIC) -> tuple[Post, bool]:
    """Publish a card as a post of its maker; return it and whether it is new: a card becomes one post at a time.

    Raises `UnusableQuote` where others would read what only one agent knows.
    """
    card = Card.objects.select_for_update(of=("self",)).select_related("profile").get(pk=card.pk)
    link = CardPost.objects.filter(card=card, post__removed_at=None).select_related("post").first()
    if link is not None:
        return link.post, False
    if layer != Post.Layer.PRIVATE:
        check_public(card)
    quotes = "\n\n".join(_quoted(citation) for citation in card.citations.order_by("id"))
    body = "\n\n".join(part for part in (card.note, quotes) if part)
    post = create_post(author=card.profile, title=card.title, body=body, layer=layer)
    # One that was removed is no post of this card any more.
    CardPost.objects.filter(card=card).delete()
    CardPost.objects.create(card=card, post=post)
    return post, True


def _quoted(citation: Attribution) -> str:
    lines = "\n".join(f"> {line}".rstrip() for line in citation.quote.splitlines())
    title = citation.title.replace("[", "(").replace("]", ")").replace("\\", "")
    return f"{lines}\n>\n> — [{title}]({citation.link})" if citation.link else f"{lines}\n>\n> — {title}"
