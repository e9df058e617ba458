"""Who stands behind an API key: one prepared statement on every request that carries one."""

from datetime import datetime
from typing import Any, cast

from django.db import DEFAULT_DB_ALIAS
from django.db.models import DateTimeField, Model
from django.db.models.base import ModelState

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
_COLUMNS = [(model, column) for _, model, names in PARTS for column in names]
_MOMENTS = [
    place for place, (model, column) in enumerate(_COLUMNS) if isinstance(model._meta.get_field(column), DateTimeField)
]


def find_key(digest: bytes) -> ApiKey | None:
    """Return the live key with this digest, its profile and the person who answers for it loaded."""
    row = _holder.values(digest=digest)
    if row is None:
        return None
    for place in _MOMENTS:
        if row[place]:
            row[place] = datetime.fromisoformat(row[place])
    key, profile, user, agent, owner, owner_user = _instances(row)
    if agent is not None:
        _relate(agent, "profile", profile)
        _relate(agent, "owner", owner)
        _relate(owner, "user", owner_user)
    else:
        _relate(profile, "user", user)
    _relate(key, "profile", profile)
    return cast(ApiKey, key)


def _instances(values: list[Any]) -> list[Any]:
    instances: list[Any] = []
    start = 0
    for _, model, names in PARTS:
        part = values[start : start + len(names)]
        start += len(names)
        instances.append(None if part[0] is None else _loaded(model, names, part))
    return instances


def _relate(instance: Model, name: str, other: Model | None) -> None:
    """Say what a relation has loaded, both ways where it is one to one; assignment would check it again."""
    field: Any = instance._meta.get_field(name)
    field.set_cached_value(instance, other)
    if field.one_to_one and other is not None:
        field.remote_field.set_cached_value(other, instance)


def _loaded(model: type[Model], names: tuple[str, ...], values: list[Any]) -> Model:
    """Return a saved instance the way unpickling makes one: its columns are in place and nobody is signalled."""
    instance = model.__new__(model)
    state = ModelState()
    state.adding, state.db = False, DEFAULT_DB_ALIAS
    vars(instance).update(zip(names, values, strict=True), _state=state)
    return instance
