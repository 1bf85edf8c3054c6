"""Clocks are evidence: the role that serves moves them on and adds to them, and never removes one."""

from django.db import migrations

from mops.db.roles import give_to_serving, take_from_serving


def take_away(apps, schema_editor):
    take_from_serving(schema_editor, "DELETE, TRUNCATE", "clocks_clock", "clocks_clocksegment")
    take_from_serving(schema_editor, "UPDATE, DELETE, TRUNCATE", "clocks_escalationfire")



def give_back(apps, schema_editor):
    give_to_serving(schema_editor, "DELETE", "clocks_clock", "clocks_clocksegment")
    give_to_serving(schema_editor, "UPDATE, DELETE", "clocks_escalationfire")


class Migration(migrations.Migration):
    dependencies = [("clocks", "0001_initial")]
    operations = [migrations.RunPython(take_away, give_back, elidable=False)]
