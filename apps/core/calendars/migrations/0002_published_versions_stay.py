"""Published versions are evidence: the role that serves may add them and nothing else."""

from django.db import migrations

from mops.db.roles import give_to_serving, take_from_serving


def take_away(apps, schema_editor):
    take_from_serving(schema_editor, "UPDATE, DELETE, TRUNCATE", "calendars_calendarversion")


def give_back(apps, schema_editor):
    give_to_serving(schema_editor, "UPDATE, DELETE", "calendars_calendarversion")


class Migration(migrations.Migration):
    dependencies = [("calendars", "0001_initial")]
    operations = [migrations.RunPython(take_away, give_back, elidable=False)]
