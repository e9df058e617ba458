from django.db import migrations, models

from performance.indexes.operations import AddIndexSafely


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("agents", "0008_answers_messages"),
        ("inbox", "0002_unread_conversations"),
    ]

    operations = [
        migrations.AddField("member", "answer_due_at", models.DateTimeField(blank=True, editable=False, null=True)),
        migrations.AddField("message", "is_generated", models.BooleanField(default=False)),
        AddIndexSafely(
            model_name="member",
            index=models.Index(
                models.F("answer_due_at"),
                condition=models.Q(("answer_due_at__isnull", False)),
                name="member_answer_due",
            ),
        ),
    ]
