"""Duties done and measurements of availability are evidence."""

from django.db import migrations

from mops.db.roles import give_to_serving, take_from_serving

TABLES = ("technology_dutydone", "technology_availabilitysample")


def take_away(apps, schema_editor):
    for table in TABLES:
        take_from_serving(schema_editor, "UPDATE, DELETE, TRUNCATE", table)


def give_back(apps, schema_editor):
    for table in TABLES:
        give_to_serving(schema_editor, "UPDATE, DELETE", table)


class Migration(migrations.Migration):
    dependencies = [("technology", "0010_duties_naming_and_availability")]
    operations = [migrations.RunPython(take_away, give_back, elidable=False)]
