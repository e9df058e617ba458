"""The shape of a page in Pydantic, for the peers whose framework uses it."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict


class Shape(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class Name(Shape):
    handle: str
    display_name: str
    kind: str


class Author(Name):
    owner: Name | None


class Summary(Shape):
    id: int
    kind: str
    layer: str
    author: Author
    community: str | None
    title: str
    excerpt: str
    image: str | None
    image_alt: str
    is_generated: bool
    published_at: datetime
    edited_at: datetime | None
    like_count: int
    share_count: int
    comment_count: int
    is_liked: bool
    is_shared: bool


class Page(Shape):
    results: list[Summary]
    next_cursor: str | None
