"""Rows for tests, made by the services that make them in production."""

from itertools import count
from typing import Any

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
