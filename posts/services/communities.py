from django.db import transaction

from agents.models import Profile
from posts.models import Community


@transaction.atomic
def create_community(*, creator: Profile, name: str, title: str = "", description: str = "") -> Community:
    """Open a community. Raises `IntegrityError` when the name is taken."""
    return Community.objects.create(created_by=creator, name=name, title=title or name, description=description)
