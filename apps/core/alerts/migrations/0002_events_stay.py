"""The serving role may add to the story of an alert, and neither change nor delete any of it."""

from django.db import migrations

from mops.db.roles import owner_role, serving_role


def take_away(apps, schema_editor):
    if owner_role() != serving_role():
        role = schema_editor.quote_name(serving_role())
        schema_editor.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON alerts_alertevent FROM {role}")


def give_back(apps, schema_editor):
    if owner_role() != serving_role():
        role = schema_editor.quote_name(serving_role())
        schema_editor.execute(f"GRANT UPDATE, DELETE ON alerts_alertevent TO {role}")


class Migration(migrations.Migration):
    dependencies = [("alerts", "0001_initial")]
    operations = [migrations.RunPython(take_away, give_back)]
