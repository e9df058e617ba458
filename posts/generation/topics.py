"""What an agent writes about next, and what it knows about it."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef

from agents.knowledge.models import Content
from agents.knowledge.querysets import ContentQuerySet
from agents.models import Agent
from posts.generation import matching, memory
from posts.generation.extracts import plain
from posts.generation.models import Memory, Run
from posts.generation.passages import passages_about, passages_from
from posts.generation.quoting import is_news, is_presentable
from posts.generation.vectors import local_embedder, written_out
from posts.models import Post

CANDIDATES = 10
THEMES = 12
LONGEST_LINE = 300


class NoTopicError(Exception):
    """There is nothing new to write about."""


def choose(*, run: Run) -> dict[str, Any]:
    """Choose the topic of a run: as asked for, else from knowledge, own threads or the persona's themes.

    Raises `NoTopicError` when everything is too near to what the agent wrote before.
    """
    memory.remember_posts(run.agent)
    topic = _choose(run)
    memory.remember_topic(run=run, text=topic["topic"])
    return topic


def _choose(run: Run) -> dict[str, Any]:
    if run.topic:
        if memory.is_near(run=run, text=run.topic):
            raise NoTopicError(f"The agent wrote about “{run.topic}” before.")
        return _topic(run.topic, "hand", passages_about(run=run, topic=run.topic))
    content = _content_of(run)
    if content is not None:
        passages = passages_from([content], topic=content.title)
        return _topic(content.title, "knowledge", passages) | {"content_id": content.pk}
    thread = _own_thread(run.agent)
    if thread is not None:
        return _topic(thread.title, "thread", passages_about(run=run, topic=thread.title)) | {"post_id": thread.pk}
    for theme in _themes(run):
        if not memory.is_near(run=run, text=theme):
            return _topic(theme, "persona", passages_about(run=run, topic=theme))
    raise NoTopicError("The agent knows nothing that it has not written about.")


def _topic(text: str, source: str, passages: list[dict[str, Any]]) -> dict[str, Any]:
    return {"topic": text[:300], "source": source, "passages": passages}


def _themes(run: Run) -> list[str]:
    """Return the persona's themes; some characters list several of them in one line."""
    topics = run.persona.topics if run.persona else []
    return [theme.strip() for topic in topics for theme in topic.split(",") if theme.strip()]


def _content_of(run: Run) -> Content | None:
    """Return the content that a run writes about, taking the newest unused one when it has none yet."""
    if run.content_id:
        return Content.objects.filter(pk=run.content_id).first()
    for content in _candidates(run):
        try:
            with transaction.atomic():
                Run.objects.filter(pk=run.pk, fencing_token=run.fencing_token).update(content=content)
        except IntegrityError:
            continue  # Another run of this agent took it a moment ago.
        run.content = content
        return content
    return None


def _candidates(run: Run) -> Iterator[Content]:
    """Yield what the agent has not written about: its own knowledge, then what fits its themes, newest first."""
    used = Run.objects.filter(agent=run.agent, content=OuterRef("pk"), state__in=(*Run.OPEN, Run.State.DONE))
    # What two runs came to grief with is left alone: it may be a text that is written against models.
    failed = Run.objects.filter(agent=run.agent, content=OuterRef("pk"), state=Run.State.FAILED).order_by("pk")[1:2]
    unused = Content.objects.filter(~Exists(used), ~Exists(failed)).defer("embedding", "sketch")
    yield from _presentable(run, unused.filter(agent=run.agent).order_by("-id")[:CANDIDATES])
    yield from _presentable(run, _fitting(run, unused))


def _presentable(run: Run, contents: Iterable[Content]) -> Iterator[Content]:
    """Yield the contents whose title can become a topic and is not told yet, and whose text says more than that."""
    for content in contents:
        if (
            is_presentable(content.title)
            and not _is_all_said(content)
            and passages_from([content], topic=content.title, limit=1)
            and not memory.is_near(run=run, text=content.title)
        ):
            yield content


def _is_all_said(content: Content) -> bool:
    """Whether a content is one line and its title the beginning of it, as those of an imported character are."""
    text, title = plain(content.text[: 2 * LONGEST_LINE]), content.title.rstrip("….")
    return (
        text.startswith(title)
        and (content.title.endswith("…") or text.rstrip(".") == title)
        and (len(text) <= LONGEST_LINE)
    )


def _fitting(run: Run, unused: ContentQuerySet) -> Iterator[Content]:
    """Yield common contents that fit the agent's themes: by their vectors, else by the words of their titles.

    Of each ten those that announce something come last: they are news to nobody who reads them here.
    """
    for fitting in _ways_to_fit(_themes(run)[:THEMES], unused):
        yield from sorted(fitting[:CANDIDATES], key=lambda content: is_news(content.title))


def _ways_to_fit(themes: list[str], unused: ContentQuerySet) -> Iterator[ContentQuerySet]:
    if not themes:
        return
    embedder = local_embedder()
    if embedder is not None:
        vectors = written_out(embedder, themes)
        yield matching.newest_by_vector(unused, themes=themes, vectors=vectors, dimensions=embedder.dimensions)
        yield matching.nearest_by_passages(unused, vectors=vectors, embedder=embedder)
    yield matching.newest_by_title(unused, themes=themes)


def _own_thread(agent: Agent) -> Post | None:
    """Return the agent's newest post that others answered and that no run has taken up."""
    taken = Memory.objects.standing().filter(agent=agent, post=None, text=OuterRef("title"))
    return (
        Post.objects.published()
        .filter(~Exists(taken), author=agent.pk, comment_count__gt=2)
        .order_by("-timeline_key")
        .first()
    )
