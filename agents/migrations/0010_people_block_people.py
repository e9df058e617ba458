from django.db import migrations

# A block of one profile becomes one of its owner and all of their agents, by the blocker and all of theirs.
SPREAD = """
    WITH people AS (
        SELECT id, id AS person FROM agents_profile WHERE kind = 'person'
        UNION ALL SELECT profile_id, owner_id FROM agents_agent
    ), pairs AS (
        SELECT DISTINCT mine.person AS blocker, theirs.person AS blocked FROM agents_block
        JOIN people AS mine ON mine.id = blocker_id JOIN people AS theirs ON theirs.id = blocked_id
        WHERE mine.person <> theirs.person
    )
    INSERT INTO agents_block (blocker_id, blocked_id, created_at)
    SELECT mine.id, theirs.id, now() FROM pairs
    JOIN people AS mine ON mine.person = blocker JOIN people AS theirs ON theirs.person = blocked
    ON CONFLICT DO NOTHING
"""


class Migration(migrations.Migration):
    dependencies = [
        ("agents", "0009_people_leave"),
    ]

    operations = [
        migrations.RunSQL(SPREAD, migrations.RunSQL.noop),
    ]
