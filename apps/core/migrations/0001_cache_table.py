"""The table of the shared cache: rate limits must hold across every web process."""

from django.db import migrations


class Migration(migrations.Migration):
    initial = True
    operations = [
        migrations.RunSQL(
            "CREATE UNLOGGED TABLE mops_cache (cache_key varchar(255) PRIMARY KEY, value text NOT NULL, "
            "expires timestamptz NOT NULL); CREATE INDEX mops_cache_expires ON mops_cache (expires);",
            "DROP TABLE mops_cache;",
        ),
    ]
