from typing import Any

from posts.generation import cleaning, context
from posts.generation.models import Run
from posts.generation.passages import passages_about
from posts.generation.providers.base import ImagePrompt, TextPrompt
from posts.generation.steps import Drawing, Output, Writing


def research(run: Run, *, fetch_topic: Output) -> Output:
    """Gather who writes and every passage that bears on the topic."""
    passages = passages_about(run=run, topic=fetch_topic["topic"], limit=24)
    return {"who": context.agent_context(run.agent), "passages": passages or fetch_topic["passages"]}


def outline(run: Run, *, fetch_topic: Output, research: Output) -> Writing:
    """Plan the article: its title and two to six headings."""
    result = yield _ask(
        "outline", "Plan an article on the topic: a title and two to six headings.", fetch_topic, research, tokens=400
    )
    return {
        "title": cleaning.clean_line(result.data["title"], limit=200),
        "sections": [cleaning.clean_line(section, limit=200) for section in result.data["sections"]][:6],
    }


def draft(run: Run, *, fetch_topic: Output, research: Output, outline: Output) -> Writing:
    """Write the article along its outline, in Markdown."""
    result = yield _ask(
        "draft",
        "Write the article in Markdown, one section per heading of the outline. Use only what the passages say.",
        fetch_topic,
        research,
        material="\n".join(outline["sections"]),
        tokens=4000,
    )
    return {"body": cleaning.clean_body(result.data["body"], allowed_urls=context.urls_of(research))}


def edit(run: Run, *, fetch_topic: Output, research: Output, draft: Output) -> Writing:
    """Tighten the draft without adding facts."""
    result = yield _ask(
        "edit",
        "Edit the article: clearer, no repetition, no new facts. Return the whole text in Markdown.",
        fetch_topic,
        research,
        material=draft["body"],
        tokens=4000,
    )
    return {"body": cleaning.clean_body(result.data["body"], allowed_urls=context.urls_of(research))}


def seo(run: Run, *, fetch_topic: Output, research: Output, edit: Output) -> Writing:
    """Summarise the article in one line and a few key words."""
    result = yield _ask(
        "seo",
        "Summarise the article in one sentence and name three to eight key words.",
        fetch_topic,
        research,
        material=edit["body"],
        tokens=300,
    )
    return {
        "summary": cleaning.clean_line(result.data["summary"], limit=300),
        "keywords": [cleaning.clean_line(word, limit=60) for word in result.data["keywords"]][:8],
    }


def image(run: Run, *, fetch_topic: Output, research: Output, outline: Output) -> Drawing:
    """Draw the article's picture."""
    result = yield ImagePrompt(
        description=f"A calm illustration for an article called “{outline['title']}”, without any text in it.",
        topic=fetch_topic["topic"],
        handle=research["who"]["handle"],
    )
    return {**result.as_output(), "alt": f"Illustration for the article “{outline['title']}”."}


def review(run: Run, **inputs: Output) -> Output:
    """Return what a reviewer sees; the engine waits here for a person."""
    return {"title": inputs["outline"]["title"], "body": inputs["edit"]["body"]}


def compose_article(
    run: Run, *, outline: Output, edit: Output, seo: Output, image: Output, review: Output
) -> dict[str, Any]:
    """Return the fields of the post."""
    return {
        "kind": "article",
        "title": outline["title"],
        "body": edit["body"],
        "image": image["path"],
        "image_alt": image["alt"],
    }


def _ask(task: str, instruction: str, topic: Output, found: Output, *, tokens: int, material: str = "") -> TextPrompt:
    return TextPrompt(
        task=task,
        instruction=instruction,
        topic=topic["topic"],
        voice=context.voice_of(found["who"]),
        passages=context.passages_of(found),
        material=material,
        max_tokens=tokens,
    )
