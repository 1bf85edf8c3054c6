"""Samples, alerts and reviews are evidence; renewal decisions have a policy."""

from django.db import migrations

from mops.db.roles import serving_role

TABLES = ("utilisationsample", "renewalalert", "reviewpack", "reviewitem")


def take_away(apps, schema_editor):
    role = schema_editor.quote_name(serving_role())
    for table in TABLES:
        schema_editor.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON technology_{table} FROM {role}")


def give_back(apps, schema_editor):
    role = schema_editor.quote_name(serving_role())
    for table in TABLES:
        schema_editor.execute(f"GRANT UPDATE, DELETE ON technology_{table} TO {role}")


def ship_policy(apps, schema_editor):
    ApprovalPolicy = apps.get_model("approvals", "ApprovalPolicy")
    fields = {field.name for field in ApprovalPolicy._meta.get_fields()}
    kind = "technology.renewaldecision"
    if {"subject_kind", "name", "approver_role"} <= fields:
        if not ApprovalPolicy.objects.filter(subject_kind=kind).exists():
            ApprovalPolicy.objects.create(subject_kind=kind, name="Renewal decisions", approver_role="approver")


class Migration(migrations.Migration):
    dependencies = [
        ("technology", "0004_seats_renewals_and_reviews"),
        ("approvals", "0003_default_policies"),
        ("audit", "0001_initial"),
    ]
    operations = [
        migrations.RunPython(take_away, give_back, elidable=False),
        migrations.RunPython(ship_policy, migrations.RunPython.noop, elidable=False),
    ]
