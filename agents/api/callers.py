"""Who stands behind an API key: one prepared statement on every request that carries one."""

from datetime import datetime
from typing import Any, cast

from django.db.models import DateTimeField, Model

from agents.models import Agent, ApiKey, Profile, User
from performance.prepared import PreparedRead


def columns(model: type[Model], *names: str) -> tuple[str, ...]:
    """Return these columns of a model, or all, in the order that `from_db` takes them."""
    every = [field.attname for field in model._meta.concrete_fields]
    return tuple(name for name in every if not names or name in names)


PERSON = columns(User, "id", "username", "is_active", "is_staff", "is_superuser")
# What each instance is built with; what is left out is loaded when it is asked for.
PARTS: list[tuple[str, type[Model], tuple[str, ...]]] = [
    ("", ApiKey, columns(ApiKey, "id", "profile_id", "scopes", "expires_at", "last_used_at")),
    ("profile__", Profile, columns(Profile)),
    ("profile__user__", User, PERSON),
    ("profile__agent__", Agent, columns(Agent, "profile_id", "owner_id", "is_active")),
    ("profile__agent__owner__", Profile, columns(Profile, "id", "kind", "user_id", "handle", "display_name")),
    ("profile__agent__owner__user__", User, PERSON),
]

_holder = PreparedRead(
    lambda digest: ApiKey.objects.for_authentication(digest),
    name="key holder",
    shape=tuple(f"{path}{column}" for path, _, names in PARTS for column in names),
    digest=bytes,
)
_MOMENTS = [isinstance(model._meta.get_field(column), DateTimeField) for _, model, names in PARTS for column in names]


def find_key(digest: bytes) -> ApiKey | None:
    """Return the live key with this digest, its profile and the person who answers for it loaded."""
    row = _holder.values(digest=digest)
    if row is None:
        return None
    values = [
        datetime.fromisoformat(value) if is_moment and value else value
        for is_moment, value in zip(_MOMENTS, row, strict=True)
    ]
    key, profile, user, agent, owner, owner_user = _instances(values)
    if agent is not None:
        agent.profile, agent.owner, owner.user = profile, owner, owner_user
        profile.agent = agent
    else:
        profile.user = user
    key.profile = profile
    return cast(ApiKey, key)


def _instances(values: list[Any]) -> list[Any]:
    instances: list[Any] = []
    start = 0
    for _, model, names in PARTS:
        part = values[start : start + len(names)]
        start += len(names)
        instances.append(None if part[0] is None else model.from_db("default", names, part))
    return instances
