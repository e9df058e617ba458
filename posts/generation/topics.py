"""What an agent writes about next, and what it knows about it."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib.postgres.search import SearchQuery, SearchRank, TrigramSimilarity
from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from agents.knowledge.models import Content, Passage
from agents.models import Agent
from posts.generation.extracts import is_presentable, is_quotable, paragraphs, terms, weigh
from posts.generation.models import Run, RunStep
from posts.models import Post

# Above this trigram similarity two titles say the same thing.
TOO_NEAR = 0.6
REMEMBERED_POSTS = 200
CANDIDATES = 10
BEST_PASSAGES = 60


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
    used = _topics_before(run.agent)
    for theme in _themes(run):
        if theme not in used and not _wrote_before(run.agent, theme):
            return _topic(theme, "persona", passages_about(run=run, topic=theme))
    raise NoTopicError("The agent knows nothing that it has not written about.")


def _topic(text: str, source: str, passages: list[dict[str, Any]]) -> dict[str, Any]:
    return {"topic": text[:300], "source": source, "passages": passages}


def _themes(run: Run) -> list[str]:
    """Return the persona's themes; some characters list several of them in one line."""
    topics = run.persona.topics if run.persona else []
    return [theme.strip() for topic in topics for theme in topic.split(",") if theme.strip()]


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


def _topics_before(agent: Agent) -> set[str]:
    """Return the topics of the agent's last runs, whatever the titles of their posts."""
    steps = RunStep.objects.filter(
        run__agent=agent, run__state__in=(*Run.OPEN, Run.State.DONE), name="fetch_topic", state=RunStep.State.DONE
    )
    return set(steps.order_by("-run_id").values_list("output__topic", flat=True)[:REMEMBERED_POSTS])


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
    agent = run.agent
    used = Run.objects.filter(agent=agent, state__in=(*Run.OPEN, Run.State.DONE))
    nearness = TrigramSimilarity("title", OuterRef("title"))  # type: ignore[arg-type]
    told = _recent_posts(agent).alias(nearness=nearness).filter(nearness__gt=TOO_NEAR)
    unused = Content.objects.filter(~Exists(used.filter(content=OuterRef("pk"))), ~Exists(told)).order_by(
        F("published_at").desc(nulls_last=True), "-id"
    )
    yield from _presentable(unused.filter(agent=agent)[:CANDIDATES])
    themes = _any_of(_themes(run))
    if themes is not None:
        yield from _presentable(unused.filter(_fits(themes, used), agent=None)[:CANDIDATES])


def _presentable(contents: Iterable[Content]) -> Iterator[Content]:
    """Yield the contents whose title can become a topic and whose text has something to quote."""
    for content in contents:
        if is_presentable(content.title) and passages_from([content], topic=content.title, limit=1):
            yield content


def _fits(themes: SearchQuery, used: QuerySet[Run]) -> Q:
    """Return the condition that a content fits: by its passages, or by its title until it is split into them.

    Of all passages only the best count: nearly every text mentions some theme of an agent somewhere.
    """
    passages = Passage.objects.filter(
        ~Exists(used.filter(content=OuterRef("content"))), agent=None, search_vector=themes
    ).order_by(SearchRank("search_vector", themes).desc())
    return Q(pk__in=passages.values("content")[:BEST_PASSAGES]) | Q(analyzed_at=None, title__search=themes)


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
    """Return the passages that the agent knows about a topic, the best first, with their spans."""
    query = _any_of(list(dict.fromkeys(terms(topic))))
    if query is None:
        return []
    known = Q(agent=run.agent) | Q(agent=None)
    found = (
        Passage.objects.filter(known, search_vector=query)
        .alias(rank=SearchRank("search_vector", query))
        .select_related("content")
        .defer("embedding", "content__embedding", "content__text")
        .order_by("-rank", "-id")[: 2 * limit]
    )
    passages = [_entry(passage.content, passage.start, passage.end, passage.text) for passage in found]
    # What is not split yet: the agent's own knowledge in the first minutes of its life.
    fresh = Content.objects.filter(agent=run.agent, analyzed_at=None).order_by("-id")[:CANDIDATES]
    return (passages_from(list(fresh), topic=topic) + passages)[:limit]


def passages_from(contents: list[Content], *, topic: str, limit: int = 6) -> list[dict[str, Any]]:
    """Return the readable paragraphs of some contents that bear most on a topic, with their spans."""
    wanted = Counter(dict.fromkeys(terms(topic), 1))
    found: list[tuple[float, dict[str, Any]]] = []
    for content in contents:
        is_own = content.agent_id is not None
        spans = [span for span in paragraphs(content.text) if is_quotable(span.text, is_own=is_own)]
        weights = weigh((f"{content.title} {span.text}" for span in spans), wanted=wanted)
        for number, (span, weight) in enumerate(zip(spans, weights, strict=True)):
            # The first paragraphs of a text say what it is about.
            entry = _entry(content, span.start, span.end, content.text[span.start : span.end])
            found.append((weight + 0.5 / (1 + number) if weight else 0.0, entry))
    found.sort(key=lambda pair: pair[0], reverse=True)
    return [entry for weight, entry in found[:limit] if weight]


def _entry(content: Content, start: int, end: int, text: str) -> dict[str, Any]:
    return {
        "text": text,
        "title": content.title,
        "url": content.url,
        "content_id": content.pk,
        "start": start,
        "end": end,
        "is_own": content.agent_id is not None,
    }
