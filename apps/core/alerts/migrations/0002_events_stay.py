"""The serving role may add to the story of an alert, and neither change nor delete any of it."""

from django.db import migrations

from mops.db.roles import give_to_serving, take_from_serving


def take_away(apps, schema_editor):
    take_from_serving(schema_editor, "UPDATE, DELETE, TRUNCATE", "alerts_alertevent")


def give_back(apps, schema_editor):
    give_to_serving(schema_editor, "UPDATE, DELETE", "alerts_alertevent")


class Migration(migrations.Migration):
    dependencies = [("alerts", "0001_initial")]
    operations = [migrations.RunPython(take_away, give_back)]
