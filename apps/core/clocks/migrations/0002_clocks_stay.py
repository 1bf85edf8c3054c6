"""Clocks are evidence: the role that serves moves them on and adds to them, and never removes one."""

from django.db import migrations

from mops.db.roles import serving_role

TAKEN = (
    ("clocks_clock", "DELETE, TRUNCATE"),
    ("clocks_clocksegment", "DELETE, TRUNCATE"),
    ("clocks_escalationfire", "UPDATE, DELETE, TRUNCATE"),
)


def take_away(apps, schema_editor):
    role = schema_editor.quote_name(serving_role())
    for table, rights in TAKEN:
        schema_editor.execute(f"REVOKE {rights} ON {table} FROM {role}")


def give_back(apps, schema_editor):
    role = schema_editor.quote_name(serving_role())
    for table, rights in TAKEN:
        schema_editor.execute(f"GRANT {rights.removesuffix(', TRUNCATE')} ON {table} TO {role}")


class Migration(migrations.Migration):
    dependencies = [("clocks", "0001_initial")]
    operations = [migrations.RunPython(take_away, give_back, elidable=False)]
