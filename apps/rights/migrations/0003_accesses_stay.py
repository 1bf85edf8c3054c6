"""Accesses are evidence: the role that serves may add them and nothing else."""

from django.db import migrations

from mops.db.roles import serving_role


def take_away(apps, schema_editor):
    role = schema_editor.quote_name(serving_role())
    schema_editor.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON rights_accesslog FROM {role}")


def give_back(apps, schema_editor):
    role = schema_editor.quote_name(serving_role())
    schema_editor.execute(f"GRANT UPDATE, DELETE ON rights_accesslog TO {role}")


class Migration(migrations.Migration):
    dependencies = [("rights", "0002_access_log")]
    operations = [migrations.RunPython(take_away, give_back, elidable=False)]
