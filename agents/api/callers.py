"""Who stands behind an API key or a session: one prepared statement on every request that carries one."""

from typing import Any, cast

from agents.models import Agent, ApiKey, Profile, User
from performance.prepared.instances import PreparedInstances, columns_of, relate

PERSON = columns_of(User, "id", "username", "is_active", "is_staff", "is_superuser")

_holder = PreparedInstances(
    lambda digest: ApiKey.objects.for_authentication(digest),
    name="key holder",
    parts=[
        ("", ApiKey, columns_of(ApiKey, "id", "profile_id", "scopes", "expires_at", "last_used_at")),
        ("profile__", Profile, columns_of(Profile)),
        ("profile__user__", User, PERSON),
        ("profile__agent__", Agent, columns_of(Agent, "profile_id", "owner_id", "is_active")),
        ("profile__agent__owner__", Profile, columns_of(Profile, "id", "kind", "user_id", "handle", "display_name")),
        ("profile__agent__owner__user__", User, PERSON),
    ],
    digest=bytes,
)
_account = PreparedInstances(
    lambda user_id: User.objects.filter(pk=user_id).select_related("profile"),
    name="session holder",
    parts=[("", User, columns_of(User)), ("profile__", Profile, columns_of(Profile))],
    user_id=int,
)


def find_key(digest: bytes) -> ApiKey | None:
    """Return the live key with this digest, its profile and the person who answers for it loaded."""
    row = find_key_row(digest)
    return None if row is None else key_of(row)


def find_key_row(digest: bytes) -> list[Any] | None:
    """Return what `key_of` makes the live key with this digest of."""
    return _holder.row(digest=digest)


def key_of(row: list[Any]) -> ApiKey:
    """Make a key and who stands behind it, new instances each time."""
    key, profile, user, agent, owner, owner_user = _holder.instances(row)
    if agent is not None:
        relate(agent, "profile", profile)
        relate(agent, "owner", owner)
        relate(owner, "user", owner_user)
    else:
        relate(profile, "user", user)
        relate(profile, "agent", None)
    relate(key, "profile", profile)
    return cast(ApiKey, key)


def find_user(user_id: int) -> User | None:
    """Return the log-in with this key, its profile loaded: staff may have none."""
    found = _account.first(user_id=user_id)
    if found is None:
        return None
    user, profile = found
    if profile is not None:
        relate(profile, "user", user)
        relate(profile, "agent", None)
    else:
        User._meta.get_field("profile").set_cached_value(user, None)
    return cast(User, user)
