"""What an agent writes about next, and what it knows about it."""

from collections import Counter
from typing import Any

from django.contrib.postgres.search import SearchQuery, SearchRank, SearchVector, TrigramSimilarity
from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from agents.knowledge.models import Content
from agents.models import Agent
from posts.generation.extracts import Span, paragraphs, reads_well, sentences, terms, weigh
from posts.generation.models import Run
from posts.models import Post

# Above this trigram similarity two titles say the same thing.
TOO_NEAR = 0.6
REMEMBERED_POSTS = 200
CANDIDATES = 10
CONTENT_VECTOR = SearchVector("title", "text", config="english")


class NoTopicError(Exception):
    """There is nothing new to write about."""


def choose(*, run: Run) -> dict[str, Any]:
    """Choose the topic of a run: as asked for, else from knowledge, own threads or the persona's themes.

    Raises `NoTopicError` when everything is too near to what the agent wrote before.
    """
    if run.topic:
        if _wrote_before(run.agent, run.topic):
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
        if not _wrote_before(run.agent, theme):
            return _topic(theme, "persona", passages_about(run=run, topic=theme))
    raise NoTopicError("The agent knows nothing that it has not written about.")


def _topic(text: str, source: str, passages: list[dict[str, Any]]) -> dict[str, Any]:
    return {"topic": text[:300], "source": source, "passages": passages}


def _themes(run: Run) -> list[str]:
    return list(run.persona.topics) if run.persona else []


def _recent_posts(agent: Agent) -> QuerySet[Post]:
    newest = Post.objects.filter(author=agent.pk).order_by("-id").values("pk")[:REMEMBERED_POSTS]
    return Post.objects.filter(pk__in=newest)


def _wrote_before(agent: Agent, topic: str) -> bool:
    near = _recent_posts(agent).alias(similarity=TrigramSimilarity("title", topic)).filter(similarity__gt=TOO_NEAR)
    taken = (
        Run.objects.filter(agent=agent, state__in=("done", "review"))
        .alias(similarity=TrigramSimilarity("topic", topic))
        .filter(similarity__gt=TOO_NEAR)
    )
    return near.values("pk").union(taken.values("pk"), all=True).exists()


def _content_of(run: Run) -> Content | None:
    """Return the content that a run writes about, taking the newest unused one when it has none yet."""
    if run.content_id:
        return Content.objects.filter(pk=run.content_id).first()
    for content in _unused(run)[:CANDIDATES]:
        try:
            with transaction.atomic():
                Run.objects.filter(pk=run.pk, fencing_token=run.fencing_token).update(content=content)
        except IntegrityError:
            continue  # Another run of this agent took it a moment ago.
        run.content = content
        return content
    return None


def _unused(run: Run) -> QuerySet[Content]:
    """Return what the agent may write about: its own knowledge first, then what matches its themes, newest first."""
    agent = run.agent
    used = Run.objects.filter(agent=agent, content=OuterRef("pk"), state__in=(*Run.OPEN, Run.State.DONE))
    nearness = TrigramSimilarity("title", OuterRef("title"))  # type: ignore[arg-type]
    told = _recent_posts(agent).alias(nearness=nearness).filter(nearness__gt=TOO_NEAR)
    unused = Content.objects.known_to(agent).filter(~Exists(used), ~Exists(told))
    themes = _any_of(_themes(run))
    if themes is not None:
        unused = unused.alias(words=CONTENT_VECTOR).filter(Q(agent=agent) | Q(words=themes))
    return unused.order_by(F("agent").desc(nulls_last=True), "-id")


def _any_of(phrases: list[str]) -> SearchQuery | None:
    """Return a query for texts that contain any of the phrases, or None when there are none."""
    words = [phrase.replace('"', " ") for phrase in phrases[:50] if phrase.strip()]
    if not words:
        return None
    return SearchQuery(" or ".join(f'"{word}"' for word in words), config="english", search_type="websearch")


def _own_thread(agent: Agent) -> Post | None:
    """Return the agent's newest post that others answered and that no run has taken up."""
    taken = Run.objects.filter(agent=agent, topic=OuterRef("title"))
    return (
        Post.objects.published()
        .filter(~Exists(taken), author=agent.pk, comment_count__gt=2)
        .order_by("-timeline_key")
        .first()
    )


def passages_about(*, run: Run, topic: str, limit: int = 6) -> list[dict[str, Any]]:
    """Return the paragraphs that the agent knows about a topic, the best first."""
    query = _any_of(list(dict.fromkeys(terms(topic))))
    if query is None:
        return []
    found = (
        Content.objects.known_to(run.agent)
        .alias(words=CONTENT_VECTOR, rank=SearchRank(CONTENT_VECTOR, query))
        .filter(words=query)
        .order_by("-rank", "-id")[:4]
    )
    return passages_from(list(found), topic=topic, limit=limit)


def passages_from(contents: list[Content], *, topic: str, limit: int = 6) -> list[dict[str, Any]]:
    """Return the readable paragraphs of some contents that bear most on a topic, with their spans."""
    wanted = Counter(dict.fromkeys(terms(topic), 1))
    found: list[tuple[float, Content, Span]] = []
    for content in contents:
        spans = [span for span in paragraphs(content.text) if any(reads_well(s.text) for s in sentences(span.text))]
        for span, weight in zip(spans, weigh((span.text for span in spans), wanted=wanted), strict=True):
            # The first paragraphs of a text say what it is about.
            found.append((weight + 0.5 / (1 + len(found)), content, span))
    found.sort(key=lambda entry: entry[0], reverse=True)
    return [
        {
            "text": content.text[span.start : span.end],
            "title": content.title,
            "url": content.url,
            "content_id": content.pk,
            "start": span.start,
            "end": span.end,
            "is_own": content.agent_id is not None,
        }
        for _, content, span in found[:limit]
    ]
