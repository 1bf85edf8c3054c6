"""The rules of separation that mops starts with; an auditor's other roles are refused in code and need no rule."""

from django.db import migrations

SHIPPED = (
    (
        "Grants roles and decides on requests", "role:administrator", "role:approver", "high", "block",
        "Who grants roles could make an approver of anybody, and decide alone what needs a second person.",
    ),
    (
        "Removes months of the ledger and writes what it records", "right:audit.purge_ledgermonth", "role:ops_staff",
        "high", "report",
        "Who writes records could take away the evidence of what they wrote.",
    ),
    (
        "Sets what needs a reason and works under it", "right:audit.change_reasonrule", "role:ops_staff",
        "medium", "report",
        "Who works under a mandatory reason could switch it off for an hour.",
    ),
    (
        "Writes the approval policy and decides by it", "right:approvals.change_approvalpolicy", "role:approver",
        "high", "report",
        "Who decides could lower the number of decisions that a request needs.",
    ),
    (
        "Erases people and works their leads", "right:audit.erase_subject", "right:leads.change_lead",
        "medium", "report",
        "Who works a lead could remove the traces of how it was worked.",
    ),
    (
        "Prepares work and decides on work", "role:ops_staff", "role:approver", "low", "report",
        "Nobody decides on their own request, but two colleagues with both duties could wave each other's work through.",
    ),
)


def ship(apps, schema_editor):
    SodRule = apps.get_model("rights", "SodRule")
    for name, first, second, risk, effect, why in SHIPPED:
        if not SodRule.objects.filter(name=name).exists():
            SodRule.objects.create(name=name, first=first, second=second, risk=risk, effect=effect, why=why)


class Migration(migrations.Migration):
    dependencies = [("rights", "0004_separation_of_duties"), ("audit", "0001_initial")]
    operations = [migrations.RunPython(ship, migrations.RunPython.noop, elidable=False)]
