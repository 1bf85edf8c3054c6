"""The policies mops starts with: one approver decides about SOP versions, one about campaigns."""

from django.db import migrations

SHIPPED = {"processes.sopversion": "SOP versions", "campaigns.campaign": "Campaigns"}


def ship(apps, schema_editor):
    ApprovalPolicy = apps.get_model("approvals", "ApprovalPolicy")
    for kind, name in SHIPPED.items():
        if not ApprovalPolicy.objects.filter(subject_kind=kind).exists():
            ApprovalPolicy.objects.create(subject_kind=kind, name=name, approver_role="approver")


class Migration(migrations.Migration):
    dependencies = [("approvals", "0002_decisions_stay"), ("audit", "0001_initial")]
    operations = [migrations.RunPython(ship, migrations.RunPython.noop, elidable=False)]
