from django.db import migrations, models

from performance.indexes.operations import AddIndexSafely


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("generation", "0003_takes_and_replies"),
    ]

    operations = [
        AddIndexSafely(
            model_name="run",
            index=models.Index(
                models.F("conversation"),
                condition=models.Q(("conversation__isnull", False)),
                name="run_conversation",
            ),
        ),
    ]
