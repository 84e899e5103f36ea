import django.core.validators
from django.db import migrations, models


def one_at_least(apps, schema_editor):
    """A channel that may send nothing kept what it should tell for ever."""
    channels = apps.get_model("alerts", "Channel").objects.using(schema_editor.connection.alias)
    channels.filter(per_minute=0).update(per_minute=1)


class Migration(migrations.Migration):

    dependencies = [
        ('alerts', '0010_past_incidents_as_grave_as_they_were'),
    ]

    operations = [
        migrations.RunPython(one_at_least, migrations.RunPython.noop),
        migrations.AlterField(
            model_name='channel',
            name='per_minute',
            field=models.PositiveSmallIntegerField(default=30, help_text='At most so many a minute.', validators=[django.core.validators.MinValueValidator(1)]),
        ),
    ]
