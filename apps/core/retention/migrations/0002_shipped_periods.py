"""The periods mops starts with, as rows that staff tune."""

from django.db import migrations

SHIPPED = {
    "exchange.files": 7,
    "exchange.previews": 30,
    "jobs.bad": 365,
    "jobs.good": 90,
    "jobs.routine": 7,
    "notifications.log": 365,
    "notifications.mail": 90,
    "notifications.read": 180,
    "notifications.unread": 730,
}


def ship(apps, schema_editor):
    RetentionPeriod = apps.get_model("retention", "RetentionPeriod")
    there = set(RetentionPeriod.objects.values_list("key", flat=True))
    for key, days in SHIPPED.items():
        if key not in there:
            RetentionPeriod.objects.create(key=key, days=days)


class Migration(migrations.Migration):
    dependencies = [("retention", "0001_initial"), ("audit", "0001_initial")]
    operations = [migrations.RunPython(ship, migrations.RunPython.noop, elidable=False)]
