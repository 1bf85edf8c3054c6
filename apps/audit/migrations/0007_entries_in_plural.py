"""Lists count ledger entries, not "ledger"."""

from django.db import migrations


class Migration(migrations.Migration):
    """State alone: nothing changes in the database."""

    dependencies = [("audit", "0006_evidence")]

    operations = [
        migrations.AlterModelOptions(
            name="auditevent",
            options={
                "verbose_name": "ledger entry",
                "verbose_name_plural": "ledger entries",
                "ordering": ("-id",),
                "permissions": [("export_auditevent", "Can take evidence out of the ledger")],
            },
        ),
    ]
