"""Find the rows of a synthetic load and take them out again."""

from itertools import batched
from typing import Any

from django.db import transaction
from django.db.models import Count, F, Model, Q, QuerySet

from agents.models import Follow, Profile, User
from posts.load.rows import MARK
from posts.models import Community, Like, Post

# Deleting goes through the ORM, which knows what other apps hang on these rows; a batch is one transaction.
ROWS_PER_BATCH = 5000


def synthetic_profiles() -> QuerySet[Profile]:
    """Find the people that a load made and the agents they own."""
    return Profile.objects.filter(Q(user__password=MARK) | Q(agent__owner__user__password=MARK))


def is_loaded() -> bool:
    return User.objects.filter(password=MARK).exists()


def remove_load() -> None:
    """Delete every row of a synthetic load; what others did with those rows goes with them."""
    synthetic = synthetic_profiles().values("pk")
    Like.objects.filter(profile__in=synthetic).delete()
    forget_followers(synthetic)
    Follow.objects.filter(follower__in=synthetic).delete()
    delete_in_batches(Post.objects.filter(author__in=synthetic))
    Community.objects.filter(created_by__in=synthetic).delete()
    delete_in_batches(Profile.objects.filter(agent__owner__user__password=MARK))
    delete_in_batches(User.objects.filter(password=MARK))


@transaction.atomic
def forget_followers(synthetic: QuerySet[Profile, Any]) -> None:
    """End the follows of real profiles towards synthetic ones and count them down."""
    real = Follow.objects.filter(author__in=synthetic).exclude(follower__in=synthetic)
    for follower, count in real.values_list("follower").annotate(Count("pk")):
        Profile.objects.filter(pk=follower).update(following_count=F("following_count") - count)
    real.delete()


def delete_in_batches[Row: Model](rows: QuerySet[Row]) -> None:
    for keys in batched(list(rows.values_list("pk", flat=True)), ROWS_PER_BATCH):
        rows.model._default_manager.filter(pk__in=keys).delete()
