"""Transfers are evidence."""

from django.db import migrations

from mops.db.roles import give_to_serving, take_from_serving

TABLE = "technology_transfer"


def take_away(apps, schema_editor):
    take_from_serving(schema_editor, "UPDATE, DELETE, TRUNCATE", TABLE)


def give_back(apps, schema_editor):
    give_to_serving(schema_editor, "UPDATE, DELETE", TABLE)


class Migration(migrations.Migration):
    dependencies = [("technology", "0008_data_flows")]
    operations = [migrations.RunPython(take_away, give_back, elidable=False)]
