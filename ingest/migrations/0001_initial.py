
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import django.utils.timezone
import ingest.models
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Source',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(help_text='The name clients send in “source”.', max_length=64, unique=True, validators=[django.core.validators.RegexValidator('^[\\w.:-]+$', 'Letters, digits and _ . : - only.')])),
                ('title', models.CharField(blank=True, help_text='Shown to people; the name if empty.', max_length=120)),
                ('time_zone', models.CharField(default=ingest.models._default_zone, help_text='Zone of timestamps that carry none, and of the daily pattern.', max_length=64, validators=[ingest.models._known_zone])),
                ('enabled', models.BooleanField(default=True, help_text='Off: still counted, no longer watched.')),
                ('created', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('parent', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='children', to='ingest.source')),
            ],
            options={
                'ordering': ('name',),
            },
        ),
        migrations.CreateModel(
            name='ApiKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80)),
                ('scope', models.CharField(choices=[('report', 'Report transactions'), ('admin', 'Report, and administer')], default='report', max_length=8)),
                ('prefix', models.CharField(editable=False, max_length=12, unique=True)),
                ('secret_hash', models.CharField(editable=False, max_length=64)),
                ('rate_limit', models.CharField(blank=True, help_text='For example 6000/m; empty: unlimited.', max_length=16)),
                ('created', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('expires', models.DateTimeField(blank=True, null=True)),
                ('revoked', models.DateTimeField(blank=True, null=True)),
                ('last_used', models.DateTimeField(blank=True, editable=False, null=True)),
                ('source', models.ForeignKey(blank=True, help_text='Empty: may report for any source.', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='api_keys', to='ingest.source')),
            ],
            options={
                'ordering': ('-created',),
            },
        ),
        migrations.CreateModel(
            name='Report',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('timestamp', models.DateTimeField(db_index=True)),
                ('status', models.CharField(choices=[('approved', 'Approved'), ('denied', 'Denied'), ('failed', 'Failed'), ('reversed', 'Reversed'), ('backend_reversed', 'Backend Reversed'), ('refunded', 'Refunded')], max_length=16)),
                ('auth_code', models.CharField(blank=True, default='00', max_length=16)),
                ('count', models.BigIntegerField()),
                ('previous_count', models.BigIntegerField(editable=False, null=True)),
                ('timed', models.BooleanField(default=True, help_text='Off: the sender gave no time. Such reports add up if they arrive together.')),
                ('received', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('source', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='reports', to='ingest.source')),
            ],
            options={
                'ordering': ('-timestamp', '-id'),
                'constraints': [models.UniqueConstraint(fields=('source', 'timestamp', 'status', 'auth_code'), name='ingest_report_key'), models.CheckConstraint(condition=models.Q(('count__gte', 0)), name='ingest_report_count')],
            },
        ),
        migrations.CreateModel(
            name='MinuteCount',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('minute', models.DateTimeField(db_index=True)),
                ('status', models.CharField(choices=[('approved', 'Approved'), ('denied', 'Denied'), ('failed', 'Failed'), ('reversed', 'Reversed'), ('backend_reversed', 'Backend Reversed'), ('refunded', 'Refunded')], max_length=16)),
                ('auth_code', models.CharField(max_length=16)),
                ('count', models.BigIntegerField()),
                ('source', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='ingest.source')),
            ],
            options={
                'ordering': ('-minute',),
                'constraints': [models.UniqueConstraint(fields=('source', 'minute', 'status', 'auth_code'), name='ingest_minutecount_key')],
            },
        ),
        migrations.CreateModel(
            name='LateHour',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('hour', models.DateTimeField()),
                ('seen', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('source', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='ingest.source')),
            ],
            options={
                'ordering': ('hour',),
                'constraints': [models.UniqueConstraint(fields=('source', 'hour'), name='ingest_latehour_key')],
            },
        ),
        migrations.CreateModel(
            name='FileImport',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.CharField(help_text='SHA-256 of the file.', max_length=64)),
                ('file_name', models.CharField(max_length=255)),
                ('lines', models.BigIntegerField(default=0, help_text='Lines of the file that are in.')),
                ('started', models.DateTimeField(default=django.utils.timezone.now)),
                ('finished', models.DateTimeField(blank=True, null=True)),
                ('source', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='ingest.source')),
            ],
            options={
                'ordering': ('-started',),
                'constraints': [models.UniqueConstraint(fields=('source', 'digest'), name='ingest_fileimport_key')],
            },
        ),
        migrations.CreateModel(
            name='Transaction',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('external_id', models.CharField(max_length=128, verbose_name='id')),
                ('timestamp', models.DateTimeField(db_index=True)),
                ('status', models.CharField(choices=[('approved', 'Approved'), ('denied', 'Denied'), ('failed', 'Failed'), ('reversed', 'Reversed'), ('backend_reversed', 'Backend Reversed'), ('refunded', 'Refunded')], max_length=16)),
                ('auth_code', models.CharField(blank=True, default='00', max_length=16)),
                ('count', models.BigIntegerField(default=1)),
                ('timed', models.BooleanField(default=True, help_text='Off: the sender gave no time.')),
                ('previous_timestamp', models.DateTimeField(editable=False, null=True)),
                ('previous_status', models.CharField(default='', editable=False, max_length=16)),
                ('previous_auth_code', models.CharField(default='', editable=False, max_length=16)),
                ('previous_count', models.BigIntegerField(default=0, editable=False)),
                ('received', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('source', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='ingest.source')),
            ],
            options={
                'ordering': ('-timestamp', '-id'),
                'constraints': [models.UniqueConstraint(fields=('source', 'external_id'), name='ingest_transaction_key'), models.CheckConstraint(condition=models.Q(('count__gte', 0)), name='ingest_transaction_count')],
            },
        ),
    ]
