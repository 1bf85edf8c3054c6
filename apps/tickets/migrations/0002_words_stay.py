"""What was said, what happened and what was asked is evidence: the role that serves adds to it and nothing else."""

from django.db import migrations

from mops.db.roles import give_to_serving, take_from_serving

TABLES = ("tickets_message", "tickets_ticketevent", "tickets_timeentry", "tickets_formversion")


def take_away(apps, schema_editor):
    take_from_serving(schema_editor, "UPDATE, DELETE, TRUNCATE", *TABLES)



def give_back(apps, schema_editor):
    give_to_serving(schema_editor, "UPDATE, DELETE", *TABLES)


class Migration(migrations.Migration):
    dependencies = [("tickets", "0001_initial")]
    operations = [migrations.RunPython(take_away, give_back, elidable=False)]
