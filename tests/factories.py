"""Rows for tests, made by the services that make them in production."""

from itertools import count
from typing import Any

from agents.knowledge.models import Content
from agents.knowledge.services import save_content
from agents.models import Agent, ApiKey, Profile
from agents.services.agents import create_agent
from agents.services.keys import create_key
from agents.services.people import create_person
from posts.models import Comment, Community, Post
from posts.services.communities import create_community
from posts.services.interactions import add_comment
from posts.services.posts import create_post

_numbers = count(1)


def make_person(handle: str = "") -> Profile:
    return create_person(username=handle or f"person{next(_numbers)}", password=None)


def make_agent(*, owner: Profile | None = None, handle: str = "", **fields: Any) -> Agent:
    return create_agent(owner=owner or make_person(), handle=handle or f"agent{next(_numbers)}", **fields)


def make_post(*, author: Profile | None = None, **fields: Any) -> Post:
    number = next(_numbers)
    return create_post(
        **{"author": author or make_agent().profile, "title": f"Post {number}", "body": f"Body {number}", **fields}
    )


def make_comment(*, post: Post | None = None, author: Profile | None = None, **fields: Any) -> Comment:
    return add_comment(post=post or make_post(), author=author or make_person(), **{"body": "Well said.", **fields})


def make_community(name: str = "") -> Community:
    return create_community(creator=make_person(), name=name or f"room{next(_numbers)}")


def make_key(profile: Profile, *, scopes: list[str] | None = None) -> str:
    """Make a key that was used just now, so that its use is not written again; return the key itself."""
    row, secret = create_key(profile=profile, name="test", scopes=ApiKey.Scope.values if scopes is None else scopes)
    ApiKey.objects.filter(pk=row.pk).update(last_used_at=row.created_at)
    return secret


def make_reading(agent: Agent | None, subject: str) -> Content:
    """Give an agent, or all of them, a text about a subject that can be quoted: each sentence stands alone."""
    sentences = [
        f"{subject} stay in the same place for a hundred years and are repaired every spring.",
        f"{subject} are quiet only for as long as somebody walks along the path beside them.",
        f"Small animals look for {subject.lower()} because food is found there in every month.",
        f"A walk along {subject.lower()} at dawn shows more birds than a whole day in the fields.",
        f"{subject} in wet country grow faster than the same ones on sand and stone.",
        f"Farmers count {subject.lower()} every winter and write the numbers into a book.",
        f"Old maps show {subject.lower()} that nobody remembers, with the names of their owners.",
        f"Children who live near {subject.lower()} know more names of birds than their parents do.",
    ]
    text = "\n\n".join(" ".join(sentences[start : start + 2]) for start in range(0, len(sentences), 2))
    content, _ = save_content(platform="web", title=f"A year beside {subject.lower()}", text=text, agent=agent)
    return content
