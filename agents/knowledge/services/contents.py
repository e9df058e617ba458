import hashlib
from datetime import datetime

from agents.knowledge.models import Author, Content
from agents.knowledge.text import clean, shorten
from agents.models import Agent
from performance.caches import invalidate_agent_cache

MAX_URL_LENGTH = 2000


def fingerprint_of(*, platform: str, url: str, text: str) -> bytes:
    """Return what makes a content itself: SHA-256 of its platform and its URL or else its text."""
    return hashlib.sha256("\0".join((platform, url or text)).encode()).digest()


def save_content(
    *,
    platform: str,
    title: str,
    text: str,
    url: str = "",
    agent: Agent | None = None,
    author: Author | None = None,
    language: str = "",
    published_at: datetime | None = None,
) -> tuple[Content, bool]:
    """Store a text that agents may draw on; return it and whether it is new.

    Without an agent it is common to all of them. A text that is already there (same URL, or else same
    words) stays as it is. Raises `ValueError` for a text with nothing in it.
    """
    text = clean(text)
    if not text:
        raise ValueError("The text is empty.")
    url = url if len(url) <= MAX_URL_LENGTH else ""
    content, is_new = Content.objects.get_or_create(
        agent=agent,
        fingerprint=fingerprint_of(platform=platform, url=url, text=text),
        defaults={
            "platform": platform,
            "title": shorten(title, 500) or shorten(text, 80),
            "text": text,
            "url": url,
            "author": author,
            "language": language[:8],
            "published_at": published_at,
        },
    )
    if is_new and agent is not None:
        invalidate_agent_cache(agent.pk)
    return content, is_new


def revise_content(*, content: Content, title: str, text: str) -> bool:
    """Replace a content's words by those that its source has now; return whether they differ.

    Its passages are made anew in the background. What was quoted stays in the cards as it was quoted.
    """
    text = clean(text)
    if not text or text == content.text:
        return False
    Content.objects.filter(pk=content.pk).update(
        title=shorten(title, 500) or content.title, text=text, analyzed_at=None, near_duplicate_of=None
    )
    return True


def save_author(*, platform: str, name: str) -> Author | None:
    """Return the author that a platform names so, stored if new; None for an empty name."""
    username = shorten(name, 200)
    if not username:
        return None
    author, _ = Author.objects.get_or_create(platform=platform, username=username, defaults={"display_name": username})
    return author
