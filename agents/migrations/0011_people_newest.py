from django.db import migrations, models

from performance.indexes.operations import AddIndexSafely


class Migration(migrations.Migration):
    # The index is built beside whatever else goes on.
    atomic = False

    dependencies = [
        ("agents", "0010_people_block_people"),
    ]

    operations = [
        AddIndexSafely(
            model_name="profile",
            index=models.Index(
                models.OrderBy(models.F("id"), descending=True),
                condition=models.Q(("kind", "person")),
                name="profile_people_newest",
            ),
        ),
    ]
