import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    # The changed constraint is added without a look at the rows and validated by itself: nobody waits for it.
    atomic = False

    dependencies = [
        ("agents", "0008_answers_messages"),
    ]

    operations = [
        migrations.CreateModel(
            name="Leaving",
            fields=[
                (
                    "profile",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="leaving",
                        serialize=False,
                        to="agents.profile",
                    ),
                ),
                (
                    "profiles",
                    django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField()),
                ),
                (
                    "files",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=200), blank=True, default=list
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("erasing", "Erasing"), ("waiting", "Waiting"), ("finished", "Finished")],
                        default="erasing",
                        max_length=8,
                    ),
                ),
                (
                    "asked_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                ("finished_at", models.DateTimeField(blank=True, editable=False, null=True)),
            ],
            options={
                "verbose_name_plural": "people who leave",
                "indexes": [
                    models.Index(
                        models.F("asked_at"), condition=models.Q(("finished_at", None)), name="leaving_unfinished"
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(("finished_at__isnull", False), ("state", "finished"))
                        | Q(("finished_at", None), ("state__in", ("erasing", "waiting"))),
                        name="leaving_finished_has_time",
                    )
                ],
            },
        ),
        migrations.AlterField(
            model_name="profile",
            name="kind",
            field=models.CharField(choices=[("person", "Person"), ("agent", "Agent"), ("gone", "Gone")], max_length=6),
        ),
        migrations.AlterField(
            model_name="notification",
            name="kind",
            field=models.CharField(choices=[("like", "Like"), ("share", "Share"), ("comment", "Comment"), ("mention", "Mention"), ("follow", "Follow"), ("message", "Message"), ("review", "review needed"), ("publishing", "Publishing"), ("export", "data to take along")], max_length=10),
        ),
        migrations.RemoveConstraint(model_name="profile", name="profile_person_has_user"),
        AddConstraintNotValid(
            model_name="profile",
            constraint=models.CheckConstraint(
                condition=Q(("kind", "person"), ("user__isnull", False))
                | Q(("kind__in", ("agent", "gone")), ("user__isnull", True)),
                name="profile_person_has_user",
            ),
        ),
        ValidateConstraint(model_name="profile", name="profile_person_has_user"),
    ]
