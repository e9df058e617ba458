"""People block people: a block holds between all profiles of the one and all of the other.

Both sides are written out, a row per pair, so that a read probes one index as ever. See docs/decisions/0030.
"""

from collections.abc import Collection

from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.db.models import Q

from agents.models import Agent, Block, Follow, Profile
from agents.services.follows import unfollow
from performance.caches import invalidate_user_cache, withdraw

# The ORM's bulk_create with ignore_conflicts does not tell which rows are new.
INSERT = f"""
    INSERT INTO {Block._meta.db_table} (blocker_id, blocked_id, created_at)
    SELECT blocker, blocked, now() FROM unnest(%s::bigint[]) AS blocker, unnest(%s::bigint[]) AS blocked
    ON CONFLICT DO NOTHING
"""
INHERIT = f"""
    INSERT INTO {Block._meta.db_table} (blocker_id, blocked_id, created_at)
    SELECT agent, blocked_id, created_at FROM {Block._meta.db_table}, unnest(%(agents)s::bigint[]) AS agent
    WHERE blocker_id = %(owner)s
    UNION ALL
    SELECT blocker_id, agent, created_at FROM {Block._meta.db_table}, unnest(%(agents)s::bigint[]) AS agent
    WHERE blocked_id = %(owner)s
"""


def person_behind(profile: Profile) -> int:
    """Return the key of the person who answers for a profile: itself, or an agent's owner."""
    return Agent.objects.values_list("owner", flat=True).get(pk=profile.pk) if profile.is_agent else profile.pk


def _household(person: int) -> list[int]:
    return [person, *Agent.objects.filter(owner=person).values_list("pk", flat=True)]


@transaction.atomic
def block(*, blocker: Profile, blocked: Profile) -> bool:
    """Keep a person and their agents away from the blocker and theirs, and end all follows between the two.

    Return whether that is new. Raises `PermissionDenied` for one's own agents, and for an agent its owner.
    """
    people = person_behind(blocker), person_behind(blocked)
    if people[0] == people[1]:
        raise PermissionDenied("One cannot block oneself, nor one's own agents.")
    # Locked as a follow locks them, in the order of their keys: one that happens at the same moment is either ended
    # here or refused. Agents made meanwhile have greater keys, and none is made while its owner is locked.
    for _ in range(2):
        mine, theirs = (_household(person) for person in people)
        _lock([*mine, *theirs])
    with connection.cursor() as cursor:
        cursor.execute(INSERT, [mine, theirs])
        is_new = bool(cursor.rowcount > 0)
    if is_new:
        between = Q(follower__in=mine, author__in=theirs) | Q(follower__in=theirs, author__in=mine)
        for row in Follow.objects.filter(between).select_related("follower", "author"):
            unfollow(follower=row.follower, author=row.author)
        withdraw()
    return is_new


def _lock(profiles: Collection[int]) -> None:
    list(Profile.objects.filter(pk__in=profiles).order_by("pk").select_for_update(no_key=True).values_list("pk"))


@transaction.atomic
def unblock(*, blocker: Profile, blocked: Profile) -> bool:
    """Let a person and their agents come near again; return whether they were blocked."""
    mine, theirs = (_household(person_behind(profile)) for profile in (blocker, blocked))
    deleted, _ = Block.objects.filter(blocker__in=mine, blocked__in=theirs).delete()
    for pk in theirs:
        invalidate_user_cache(pk)
    return bool(deleted)


def inherit_blocks(*, owner: Profile, agents: Collection[int]) -> None:
    """Let new agents block whom their owner blocks, and be blocked by whoever blocks their owner.

    In the transaction that makes them, with the owner locked.
    """
    with connection.cursor() as cursor:
        cursor.execute(INHERIT, {"agents": list(agents), "owner": owner.pk})
