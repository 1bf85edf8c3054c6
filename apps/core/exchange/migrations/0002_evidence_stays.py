"""What became of rows, syncs and exports is evidence: the role that serves may add it and complete it, no more."""

from django.db import migrations

from mops.db.roles import serving_role

ADDED_ONLY = ("exchange_rowoutcome",)
COMPLETED_ONCE = ("exchange_syncrun", "exchange_exportrun")


def take_away(apps, schema_editor):
    role = schema_editor.quote_name(serving_role())
    for table in ADDED_ONLY:
        schema_editor.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM {role}")
    for table in COMPLETED_ONCE:
        schema_editor.execute(f"REVOKE DELETE, TRUNCATE ON {table} FROM {role}")


def give_back(apps, schema_editor):
    role = schema_editor.quote_name(serving_role())
    for table in (*ADDED_ONLY, *COMPLETED_ONCE):
        schema_editor.execute(f"GRANT UPDATE, DELETE ON {table} TO {role}")


class Migration(migrations.Migration):
    dependencies = [("exchange", "0001_initial")]
    operations = [migrations.RunPython(take_away, give_back, elidable=False)]
