from django.db import migrations

TABLE = "auditlog_logentry"

POSTGRESQL = [
    """
    CREATE FUNCTION guardian_audit_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'the audit log only grows' USING ERRCODE = 'insufficient_privilege';
    END $$
    """,
    f"""
    CREATE TRIGGER guardian_audit_only_grows BEFORE UPDATE OR DELETE ON {TABLE}
    FOR EACH ROW EXECUTE FUNCTION guardian_audit_only_grows()
    """,
]
# Deleting is guarded in Django alone: who holds the SQLite file can do with it what they like,
# and the test runner empties tables by DELETE.
SQLITE = [
    f"""
    CREATE TRIGGER guardian_audit_only_grows BEFORE UPDATE ON {TABLE}
    BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END
    """,
]
UNDO = {
    "postgresql": [
        f"DROP TRIGGER IF EXISTS guardian_audit_only_grows ON {TABLE}",
        "DROP FUNCTION IF EXISTS guardian_audit_only_grows()",
    ],
    "sqlite": ["DROP TRIGGER IF EXISTS guardian_audit_only_grows"],
}


def guard(apps, schema_editor):
    vendor = schema_editor.connection.vendor
    for statement in {"postgresql": POSTGRESQL, "sqlite": SQLITE}.get(vendor, []):
        schema_editor.execute(statement)


def unguard(apps, schema_editor):
    for statement in UNDO.get(schema_editor.connection.vendor, []):
        schema_editor.execute(statement)


class Migration(migrations.Migration):

    dependencies = [
        ("access", "0002_make_the_groups_of_the_roles"),
        ("auditlog", "0017_add_actor_email"),
    ]

    operations = [migrations.RunPython(guard, unguard)]
