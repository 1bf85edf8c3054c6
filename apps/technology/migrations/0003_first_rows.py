"""The stack policy, vendors out of their names, waivers for what is in use already, policies for new approvals."""

from django.db import migrations

from mops.db.roles import serving_role

POLICIES = {"technology.toolrequest": "Tool requests", "technology.waiver": "Waivers"}
WAIVE = """
    INSERT INTO technology_waiver
        (uuid, created_at, updated_at, row_version, tool_id, kind, reason, expires_on, state)
    SELECT gen_random_uuid(), now(), now(), 1, t.id, 'inventory',
           'In use before mops; it came in with the inventory.', current_date + 180, 'approved'
    FROM technology_tool t
    WHERE t.lifecycle IN ('approved', 'implementing', 'active', 'sunsetting')
      AND NOT EXISTS (SELECT 1 FROM technology_waiver w WHERE w.tool_id = t.id)
"""
TABLES = ("technology_attestation",)


def start(apps, schema_editor):
    StackPolicy = apps.get_model("technology", "StackPolicy")
    Vendor = apps.get_model("technology", "Vendor")
    Tool = apps.get_model("technology", "Tool")
    if not StackPolicy.objects.exists():
        StackPolicy.objects.create()
    for name in Tool.objects.exclude(vendor_name="").values_list("vendor_name", flat=True).distinct():
        vendor = Vendor.objects.filter(name__iexact=name).first() or Vendor.objects.create(name=name)
        Tool.objects.filter(vendor_name=name, vendor__isnull=True).update(vendor=vendor)
    schema_editor.execute("SET LOCAL mops.transition = 'technology_waiver'; " + WAIVE)


def ship_policies(apps, schema_editor):
    ApprovalPolicy = apps.get_model("approvals", "ApprovalPolicy")
    if {"subject_kind", "name", "approver_role"} <= {field.name for field in ApprovalPolicy._meta.get_fields()}:
        for kind, name in POLICIES.items():
            if not ApprovalPolicy.objects.filter(subject_kind=kind).exists():
                ApprovalPolicy.objects.create(subject_kind=kind, name=name, approver_role="approver")


def take_away(apps, schema_editor):
    role = schema_editor.quote_name(serving_role())
    for table in TABLES:
        schema_editor.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM {role}")


def give_back(apps, schema_editor):
    role = schema_editor.quote_name(serving_role())
    for table in TABLES:
        schema_editor.execute(f"GRANT UPDATE, DELETE ON {table} TO {role}")


class Migration(migrations.Migration):
    dependencies = [
        ("technology", "0002_contracts_costs_and_cases"),
        ("approvals", "0003_default_policies"),
        ("audit", "0001_initial"),
    ]
    operations = [
        migrations.RunPython(start, migrations.RunPython.noop, elidable=False),
        migrations.RunPython(ship_policies, migrations.RunPython.noop, elidable=False),
        migrations.RunPython(take_away, give_back, elidable=False),
    ]
