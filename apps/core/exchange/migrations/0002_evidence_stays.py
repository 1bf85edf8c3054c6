"""What became of rows, syncs and exports is evidence: the role that serves may add it and complete it, no more."""

from django.db import migrations

from mops.db.roles import give_to_serving, take_from_serving

ADDED_ONLY = ("exchange_rowoutcome",)
COMPLETED_ONCE = ("exchange_syncrun", "exchange_exportrun")


def take_away(apps, schema_editor):
    take_from_serving(schema_editor, "UPDATE, DELETE, TRUNCATE", *ADDED_ONLY)
    take_from_serving(schema_editor, "DELETE, TRUNCATE", *COMPLETED_ONCE)


def give_back(apps, schema_editor):
    give_to_serving(schema_editor, "UPDATE, DELETE", *ADDED_ONLY, *COMPLETED_ONCE)


class Migration(migrations.Migration):
    dependencies = [("exchange", "0001_initial")]
    operations = [migrations.RunPython(take_away, give_back, elidable=False)]
