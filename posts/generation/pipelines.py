"""Every kind of run, declared as data. A new kind of run is a new declaration, not a new engine."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from posts.generation.models import Cadence
from posts.generation.steps import answers, articles, posts


class Kind(StrEnum):
    """What a step does, and with it how the engine runs it."""

    READ = "read"  # reads the database; a replay takes its recorded output
    TEXT = "text"  # asks the text provider
    IMAGE = "image"  # asks the image provider
    REVIEW = "review"  # waits for a person
    POST = "post"  # composes the post, which is created in the same transaction
    MESSAGE = "message"  # composes the message, which is sent in the same transaction


@dataclass(frozen=True, kw_only=True)
class Step:
    """A function and the names of the steps whose outputs it takes as keyword arguments.

    TEXT and IMAGE functions are generators: they yield one prompt, are sent its result, and return the output.
    """

    name: str
    function: Callable[..., Any]
    kind: Kind
    needs: tuple[str, ...] = ()
    weight: int = 1
    # Its `body` is what will be said: looked at at once for what the agent said before. A last step always is.
    is_draft: bool = False

    @property
    def asks_provider(self) -> bool:
        return self.kind in (Kind.TEXT, Kind.IMAGE)


@dataclass(frozen=True)
class Pipeline:
    """The steps of one kind of run. Steps that do not need each other run at the same time."""

    name: str
    steps: tuple[Step, ...]
    # Where a run begins again whose topic was refused.
    begins_again_at: str = "fetch_topic"

    def __getitem__(self, name: str) -> Step:
        return next(step for step in self.steps if step.name == name)

    def after(self, name: str) -> set[str]:
        """Return the names of a step and of all that directly or indirectly need it."""
        found = {name}
        for step in self.steps:
            if found & set(step.needs):
                found.add(step.name)
        return found

    def percentage(self, done: set[str]) -> int:
        """Return how far a run is, from 0 to 100, by the weight of its finished steps."""
        total = sum(step.weight for step in self.steps)
        return round(100 * sum(step.weight for step in self.steps if step.name in done) / total)


# The weights are the seconds that the steps of a real run took.
POST = Pipeline(
    "post",
    (
        Step(name="fetch_topic", function=posts.fetch_topic, kind=Kind.READ, weight=4),
        Step(name="load_context", function=posts.load_context, kind=Kind.READ, weight=1),
        Step(
            name="image_prompt",
            function=posts.image_prompt,
            kind=Kind.TEXT,
            needs=("fetch_topic", "load_context"),
            weight=2,
        ),
        Step(name="title", function=posts.title, kind=Kind.TEXT, needs=("fetch_topic", "load_context"), weight=3),
        Step(
            name="description",
            function=posts.description,
            kind=Kind.TEXT,
            needs=("fetch_topic", "load_context"),
            weight=5,
        ),
        Step(
            name="generate_image",
            function=posts.generate_image,
            kind=Kind.IMAGE,
            needs=("fetch_topic", "load_context", "image_prompt"),
            weight=27,
        ),
        Step(
            name="create_post",
            function=posts.compose_post,
            kind=Kind.POST,
            needs=("title", "description", "generate_image"),
            weight=1,
        ),
    ),
)

ARTICLE = Pipeline(
    "article",
    (
        Step(name="fetch_topic", function=posts.fetch_topic, kind=Kind.READ, weight=4),
        Step(name="research", function=articles.research, kind=Kind.READ, needs=("fetch_topic",), weight=2),
        Step(name="outline", function=articles.outline, kind=Kind.TEXT, needs=("fetch_topic", "research"), weight=5),
        Step(
            name="draft",
            function=articles.draft,
            kind=Kind.TEXT,
            needs=("fetch_topic", "research", "outline"),
            weight=20,
            is_draft=True,
        ),
        Step(
            name="edit", function=articles.edit, kind=Kind.TEXT, needs=("fetch_topic", "research", "draft"), weight=10
        ),
        Step(name="seo", function=articles.seo, kind=Kind.TEXT, needs=("fetch_topic", "research", "edit"), weight=3),
        Step(
            name="image",
            function=articles.image,
            kind=Kind.IMAGE,
            needs=("fetch_topic", "research", "outline"),
            weight=27,
        ),
        Step(
            name="review",
            function=articles.review,
            kind=Kind.REVIEW,
            needs=("outline", "edit", "seo", "image"),
            weight=1,
        ),
        Step(
            name="publish",
            function=articles.compose_article,
            kind=Kind.POST,
            needs=("outline", "edit", "seo", "image", "review"),
            weight=1,
        ),
    ),
)

# Started by what others write to an agent, and by nothing else.
ANSWER = Pipeline(
    "answer",
    (
        Step(name="read_messages", function=answers.read_messages, kind=Kind.READ),
        Step(name="load_context", function=posts.load_context, kind=Kind.READ),
        Step(name="research", function=answers.research, kind=Kind.READ, needs=("read_messages",)),
        Step(
            name="answer",
            function=answers.answer,
            kind=Kind.TEXT,
            needs=("read_messages", "load_context", "research"),
            weight=5,
        ),
        Step(name="send_message", function=answers.compose_message, kind=Kind.MESSAGE, needs=("answer",)),
    ),
    begins_again_at="read_messages",
)

PIPELINES = {pipeline.name: pipeline for pipeline in (POST, ARTICLE, ANSWER)}
# What can be asked for.
WRITTEN = sorted(Cadence.Pipeline.values)
