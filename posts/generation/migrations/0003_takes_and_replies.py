from typing import Any

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F


def forget_refused(apps: Any, schema_editor: Any) -> None:
    """Leave one row per step and one topic per run, as it was before runs could begin again."""
    apps.get_model("generation", "RunStep").objects.exclude(take=F("run__take")).delete()
    apps.get_model("generation", "Memory").objects.filter(is_refused=True).delete()


class Migration(migrations.Migration):

    dependencies = [
        ('agents', '0008_answers_messages'),
        ('generation', '0002_memories'),
        ('inbox', '0003_answers_due'),
        ('knowledge', '0006_revisions'),
        ('posts', '0005_card_posts'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='runstep',
            options={'ordering': ['take', 'position']},
        ),
        migrations.RemoveConstraint(
            model_name='runstep',
            name='run_step_once',
        ),
        migrations.AddField(
            model_name='memory',
            name='is_refused',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='run',
            name='conversation',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='inbox.conversation'),
        ),
        migrations.AddField(
            model_name='run',
            name='reply',
            field=models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='generated_by', to='inbox.message'),
        ),
        migrations.AddField(
            model_name='run',
            name='take',
            field=models.PositiveSmallIntegerField(default=1, editable=False),
        ),
        migrations.AddField(
            model_name='runstep',
            name='take',
            field=models.PositiveSmallIntegerField(default=1),
        ),
        migrations.AlterField(
            model_name='memory',
            name='run',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='memories', to='generation.run'),
        ),
        migrations.AlterField(
            model_name='runstep',
            name='state',
            field=models.CharField(choices=[('waiting', 'Waiting'), ('running', 'Running'), ('review', 'waiting for review'), ('done', 'Done'), ('failed', 'Failed'), ('refused', 'refused: told before')], default='waiting', max_length=7),
        ),
        migrations.RunPython(migrations.RunPython.noop, forget_refused),
        migrations.AddConstraint(
            model_name='memory',
            constraint=models.UniqueConstraint(condition=models.Q(('is_refused', False)), fields=('run',), name='memory_topic_once'),
        ),
        migrations.AddConstraint(
            model_name='run',
            constraint=models.UniqueConstraint(condition=models.Q(('conversation__isnull', False), ('state__in', ('queued', 'running', 'review'))), fields=('agent', 'conversation'), name='run_conversation_once'),
        ),
        migrations.AddConstraint(
            model_name='runstep',
            constraint=models.UniqueConstraint(fields=('run', 'take', 'name'), name='run_step_once'),
        ),
    ]
