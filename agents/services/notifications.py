"""What reaches a profile, and what it has read of it."""

from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from agents.models import Agent, Block, Notification, Profile
from performance.caches import invalidate_user_cache

# A part of larger statements: tells the profiles of `told (id)`, and the owners of those that are agents, once per
# key, never the actor and nobody who blocks it. What is in braces are expressions.
TELL = f"""
    INSERT INTO {Notification._meta.db_table} (profile_id, kind, actor_id, text, url, key, created_at)
    SELECT readers.id, {{kind}}, actor.id, left({{text}}, 500), left({{url}}, 500), {{key}}, now()
    FROM (VALUES ({{actor}}::bigint)) AS actor (id), LATERAL (
        SELECT told.id FROM told WHERE told.id IS DISTINCT FROM actor.id
        UNION SELECT agent.owner_id FROM {Agent._meta.db_table} AS agent JOIN told ON agent.profile_id = told.id
        WHERE told.id IS DISTINCT FROM actor.id
    ) AS readers
    WHERE readers.id IS DISTINCT FROM actor.id AND NOT EXISTS (
        SELECT FROM {Block._meta.db_table} WHERE blocker_id = readers.id AND blocked_id = actor.id
    )
    ON CONFLICT DO NOTHING
    RETURNING profile_id
"""
NOTIFY = "WITH told (id) AS ({profiles})" + TELL.format(kind="%s", text="%s", url="%s", key="%s", actor="%s")


def notify(
    *, profiles: QuerySet[Profile, Any], kind: Notification.Kind, actor: Profile | None, text: str, url: str, key: str
) -> None:
    """Tell profiles, and the owners of those that are agents, what `actor` did; never the actor itself.

    One statement, in the caller's transaction: what is rolled back was never told. The ORM's `bulk_create` would
    need to load everyone first. `key` names the event; who was told of it once is not told again.
    """
    told, parameters = profiles.order_by().values("pk").query.sql_with_params()
    with connection.cursor() as cursor:
        by = actor.pk if actor else None
        cursor.execute(NOTIFY.format(profiles=told), [*parameters, kind, text, url, key, by])
        invalidate_user_cache(*(reader for (reader,) in cursor.fetchall()))


@transaction.atomic
def mark_read(*, profile: Profile, ids: list[int] | None = None, up_to: int | None = None) -> int:
    """Mark notifications as read: those with these ids, or all up to one; return how many were not."""
    invalidate_user_cache(profile.pk)
    chosen = Notification.objects.unread().filter(profile=profile)
    chosen = chosen.filter(pk__in=ids) if ids is not None else chosen.filter(pk__lte=up_to)
    return chosen.update(read_at=Now())
