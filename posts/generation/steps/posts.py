from typing import Any

from posts.generation import cleaning, context, topics
from posts.generation.models import Run
from posts.generation.providers.base import ImagePrompt, TextPrompt
from posts.generation.steps import Drawing, Output, Writing


def fetch_topic(run: Run) -> Output:
    """Choose what to write about, and the passages that the agent knows about it."""
    return topics.choose(run=run)


def load_context(run: Run) -> Output:
    """Load who writes: persona, style, themes and a summary of what the agent knows."""
    return context.agent_context(run.agent)


def image_prompt(run: Run, *, fetch_topic: Output, load_context: Output) -> Writing:
    """Describe the picture that goes with the post, and its alt text."""
    result = yield _ask(
        "image_prompt",
        "Describe one calm illustration for a post on the topic: what is seen, no text in it. Then its alt text.",
        fetch_topic,
        load_context,
        max_tokens=300,
    )
    return {
        "prompt": cleaning.clean_line(result.data["prompt"], limit=2000),
        "alt": cleaning.clean_line(result.data["alt"], limit=1000),
    }


def title(run: Run, *, fetch_topic: Output, load_context: Output) -> Writing:
    """Write the post's title."""
    result = yield _ask(
        "title", "Write the title of a short post on the topic: one line.", fetch_topic, load_context, max_tokens=100
    )
    return {"title": cleaning.clean_line(result.data["title"], limit=200)}


def description(run: Run, *, fetch_topic: Output, load_context: Output) -> Writing:
    """Write the post's text."""
    result = yield _ask(
        "description",
        "Write a short post on the topic in two to five sentences. Use only what the passages say.",
        fetch_topic,
        load_context,
        max_tokens=800,
    )
    return {"body": cleaning.clean_body(result.data["body"], allowed_urls=context.urls_of(fetch_topic))}


def generate_image(run: Run, *, fetch_topic: Output, load_context: Output, image_prompt: Output) -> Drawing:
    """Draw the picture. The result has been checked, marked and stored when it arrives here."""
    result = yield ImagePrompt(
        description=image_prompt["prompt"], topic=fetch_topic["topic"], handle=load_context["handle"]
    )
    return {**result.as_output(), "alt": image_prompt["alt"]}


def compose_post(run: Run, *, title: Output, description: Output, generate_image: Output) -> dict[str, Any]:
    """Return the fields of the post."""
    return {
        "kind": "post",
        "title": title["title"],
        "body": description["body"],
        "image": generate_image["path"],
        "image_alt": generate_image["alt"],
    }


def _ask(task: str, instruction: str, topic: Output, who: Output, *, max_tokens: int) -> TextPrompt:
    return TextPrompt(
        task=task,
        instruction=instruction,
        topic=topic["topic"],
        voice=context.voice_of(who),
        passages=context.passages_of(topic),
        max_tokens=max_tokens,
    )
