from django.db import migrations

ROLES = ("viewer", "operator", "admin")


def make_groups(apps, schema_editor):
    groups = apps.get_model("auth", "Group").objects.using(schema_editor.connection.alias)
    for name in ROLES:
        groups.get_or_create(name=name)


class Migration(migrations.Migration):

    dependencies = [
        ("access", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    # People may hold the roles by then, so going back leaves the groups.
    operations = [migrations.RunPython(make_groups, migrations.RunPython.noop)]
