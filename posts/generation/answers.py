"""The shape of every answer that a text provider may give; anything else is repaired or refused."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]
Paragraphs = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000)]


class Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Title(Answer):
    title: Line


class Body(Answer):
    body: Paragraphs


class Picture(Answer):
    prompt: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
    alt: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]


class Reply(Answer):
    body: Paragraphs
    needs_human: bool = False


class Outline(Answer):
    title: Line
    sections: Annotated[list[Line], "two to six headings"]


class Seo(Answer):
    summary: Line
    keywords: list[Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]]


ANSWERS: dict[str, type[Answer]] = {
    "image_prompt": Picture,
    "title": Title,
    "description": Body,
    "outline": Outline,
    "answer": Reply,
    "draft": Body,
    "edit": Body,
    "seo": Seo,
}
