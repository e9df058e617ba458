import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from agents.knowledge.models import Author, Content, Revision
from agents.knowledge.text import clean, shorten
from agents.models import Agent
from performance.caches import invalidate_agent_cache

MAX_URL_LENGTH = 2000
# A page that changes whenever it is read must not fill the disk.
MAX_REVISIONS = 50


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
    draft = draft_content(
        platform=platform,
        title=title,
        text=text,
        url=url,
        agent=agent,
        author=author,
        language=language,
        published_at=published_at,
    )
    fields = ("platform", "title", "text", "url", "author", "language", "published_at")
    content, is_new = Content.objects.get_or_create(
        agent=agent, fingerprint=draft.fingerprint, defaults={field: getattr(draft, field) for field in fields}
    )
    if is_new and agent is not None:
        invalidate_agent_cache(agent.pk)
    return content, is_new


def draft_content(*, platform: str, title: str, text: str, url: str = "", language: str = "", **fields: Any) -> Content:
    """Make a content that is not stored yet: cleaned, bounded, with its fingerprint. Raises `ValueError`."""
    text = clean(text)
    if not text:
        raise ValueError("The text is empty.")
    url = url if len(url) <= MAX_URL_LENGTH else ""
    return Content(
        platform=platform,
        title=shorten(title, 500) or shorten(text, 80),
        text=text,
        url=url,
        language=language[:8],
        fingerprint=fingerprint_of(platform=platform, url=url, text=text),
        **fields,
    )


def save_contents(*, drafts: Sequence[Content], agent: Agent | None, attempts: int = 3) -> int:
    """Store and index those of many drafts that are not there yet; return how many were new.

    They arrive whole, with passages and vectors; while the model does not answer, without vectors, which follow later.
    """
    # Here, because NumPy comes with it, which a web process does not need.
    from agents.knowledge import indexing

    new = _unknown(drafts, agent)
    passages = indexing.prepare_if_possible(new)
    try:
        with transaction.atomic():
            Content.objects.bulk_create(new)
            indexing.write_passages(new, passages)
    except IntegrityError:
        if attempts == 1:
            raise
        # Somebody else stored one of them at this moment.
        return save_contents(drafts=drafts, agent=agent, attempts=attempts - 1)
    if new and agent is not None:
        invalidate_agent_cache(agent.pk)
    return len(new)


def _unknown(drafts: Sequence[Content], agent: Agent | None) -> list[Content]:
    """Return those that are not stored yet, each once, as the agent's."""
    first = {bytes(draft.fingerprint): draft for draft in reversed(drafts)}
    known = Content.objects.with_fingerprints(first).filter(agent=agent).values_list("fingerprint", flat=True)
    there = {bytes(fingerprint) for fingerprint in known}
    new = [draft for fingerprint, draft in reversed(first.items()) if fingerprint not in there]
    for draft in new:
        draft.agent = agent
    return new


@transaction.atomic
def revise_content(*, content: Content, title: str, text: str) -> bool:
    """Replace a content's words by those that its source has now; return whether they differ.

    Its passages are made anew in the background. The former words are kept, so that what was quoted of them
    still leads there.
    """
    text = clean(text)
    if not text or text == content.text:
        return False
    locked = Content.objects.select_for_update(no_key=True).only("title", "text").get(pk=content.pk)
    if text == locked.text:
        return False
    Revision.objects.create(content=locked, title=locked.title, text=locked.text)
    forgotten = Revision.objects.filter(content=locked).order_by("-id").values("pk")[MAX_REVISIONS:]
    Revision.objects.filter(pk__in=list(forgotten.values_list("pk", flat=True))).delete()
    Content.objects.filter(pk=content.pk).update(
        title=shorten(title, 500) or locked.title, text=text, analyzed_at=None, near_duplicate_of=None
    )
    return True


def save_author(*, platform: str, name: str) -> Author | None:
    """Return the author that a platform names so, stored if new; None for an empty name."""
    username = shorten(name, 200)
    if not username:
        return None
    author, _ = Author.objects.get_or_create(platform=platform, username=username, defaults={"display_name": username})
    return author


def save_authors(*, platform: str, names: Iterable[str]) -> dict[str, Author]:
    """Return the authors of many names, stored if new, by name; empty names have none."""
    usernames = {name: username for name in names if (username := shorten(name, 200))}
    Author.objects.bulk_create(
        [Author(platform=platform, username=name, display_name=name) for name in sorted(set(usernames.values()))],
        ignore_conflicts=True,
    )
    rows = Author.objects.filter(platform=platform, username__in=set(usernames.values()))
    found = {author.username: author for author in rows}
    return {name: found[username] for name, username in usernames.items()}
