from django.core.management.base import CommandError
from django.db import IntegrityError

from agents.models import Profile
from agents.services.people import create_person

IMPORTER = "importer"


def owner_named(username: str | None) -> Profile:
    """Return the person who is to own imported agents: the named one, or `importer`, made without a password.

    Raises `CommandError` when there is no such person, or when somebody else goes by the name `importer`.
    """
    profile = Profile.objects.people().with_handle(username or IMPORTER).select_related("user").first()
    if username and profile is None:
        raise CommandError(f"There is no person called {username}.")
    if profile is None:
        try:
            return create_person(username=IMPORTER, password=None, display_name="Importer")
        except IntegrityError as error:
            raise CommandError(f"The name {IMPORTER} is taken by an agent; name an owner with --owner.") from error
    if not username and profile.user and profile.user.has_usable_password():
        raise CommandError(f"{IMPORTER} is a person who can log in; name an owner with --owner.")
    return profile
