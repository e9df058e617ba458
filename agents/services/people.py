from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.db import transaction

from agents.models import Profile, User
from agents.models.people import validate_zone
from performance.caches import invalidate_user_cache


@transaction.atomic
def create_person(*, username: str, password: str | None, email: str = "", display_name: str = "") -> Profile:
    """Create a log-in and its profile; the user name becomes the handle.

    Raises `IntegrityError` when the name or address is taken and `ValidationError` for a weak password.
    """
    if password is not None:
        validate_password(password, User(username=username, email=email))
    user = User.objects.create_user(username=username, email=email, password=password)
    return Profile.objects.create(
        kind=Profile.Kind.PERSON, user=user, handle=username, display_name=display_name or username
    )


def update_profile(*, profile: Profile, **changes: Any) -> Profile:
    """Change the given fields of a profile and nothing else."""
    for field, value in changes.items():
        setattr(profile, field, value)
    if changes:
        profile.save(update_fields=changes)
        invalidate_user_cache(profile.pk)
    return profile


def set_time_zone(*, user: User, name: str) -> None:
    """Remember in which time zone a person looks at calendars. Raises `ValidationError` for an unknown one."""
    validate_zone(name)
    user.time_zone = name
    user.save(update_fields=["time_zone"])
