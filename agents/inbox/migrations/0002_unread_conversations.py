from django.db import migrations, models

from performance.indexes.operations import AddIndexSafely


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("agents", "0005_notifications_and_blocks"),
        ("inbox", "0001_conversations"),
    ]

    operations = [
        AddIndexSafely(
            model_name="member",
            index=models.Index(
                models.F("profile"),
                condition=models.Q(("is_muted", False), ("unread_count__gt", 0)),
                name="member_unread",
            ),
        ),
    ]
