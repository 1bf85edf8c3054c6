"""The policy under which rules, of which segments are the first kind, are approved: one approver decides."""

from django.db import migrations


def ship(apps, schema_editor):
    ApprovalPolicy = apps.get_model("approvals", "ApprovalPolicy")
    if {"subject_kind", "name", "approver_role"} <= {field.name for field in ApprovalPolicy._meta.get_fields()}:
        if not ApprovalPolicy.objects.filter(subject_kind="rules.ruleversion").exists():
            ApprovalPolicy.objects.create(subject_kind="rules.ruleversion", name="Rules", approver_role="approver")


class Migration(migrations.Migration):
    dependencies = [
        ("leads", "0002_personal_values_are_commitments"),
        ("approvals", "0003_default_policies"),
        ("audit", "0001_initial"),
    ]
    operations = [migrations.RunPython(ship, migrations.RunPython.noop, elidable=False)]
