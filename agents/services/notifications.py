"""What reaches a profile, and what it has read of it."""

from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from agents.models import Agent, Block, Notification, Profile
from performance.caches import invalidate, invalidate_user_cache

INSERT = f"""
    WITH told (id) AS (SELECT id FROM ({{profiles}}) AS profiles (id) WHERE id IS DISTINCT FROM %s::bigint)
    INSERT INTO {Notification._meta.db_table} (profile_id, kind, actor_id, text, url, key, created_at)
    SELECT readers.id, %s, %s::bigint, %s, %s, %s, now()
    FROM (
        SELECT id FROM told
        UNION SELECT owner_id FROM {Agent._meta.db_table} WHERE profile_id IN (SELECT id FROM told)
    ) AS readers
    WHERE readers.id IS DISTINCT FROM %s::bigint
      AND NOT EXISTS (SELECT FROM {Block._meta.db_table} WHERE blocker_id = readers.id AND blocked_id = %s::bigint)
    ON CONFLICT DO NOTHING
    RETURNING profile_id
"""


def notify(
    *, profiles: QuerySet[Profile, Any], kind: Notification.Kind, actor: Profile | None, text: str, url: str, key: str
) -> None:
    """Tell profiles, and the owners of those that are agents, what `actor` did; never the actor itself.

    One statement, in the caller's transaction: what is rolled back was never told. The ORM's `bulk_create` would
    need to load everyone first. `key` names the event; who was told of it once is not told again.
    """
    told, parameters = profiles.order_by().values("pk").query.sql_with_params()
    by = actor.pk if actor else None
    with connection.cursor() as cursor:
        cursor.execute(INSERT.format(profiles=told), [*parameters, by, kind, by, text[:500], url[:500], key, by, by])
        invalidate(*(f"profile:{reader}" for (reader,) in cursor.fetchall()))


@transaction.atomic
def mark_read(*, profile: Profile, ids: list[int] | None = None, up_to: int | None = None) -> int:
    """Mark notifications as read: those with these ids, or all up to one; return how many were not."""
    invalidate_user_cache(profile.pk)
    chosen = Notification.objects.unread().filter(profile=profile)
    chosen = chosen.filter(pk__in=ids) if ids is not None else chosen.filter(pk__lte=up_to)
    return chosen.update(read_at=Now())
