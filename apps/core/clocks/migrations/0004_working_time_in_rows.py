"""Working time in rows, and the two functions by which PostgreSQL counts in it."""

import django.db.models.deletion
from django.db import migrations, models

FUNCTIONS = """
CREATE FUNCTION clocks_worked(in_version bigint, moment timestamptz) RETURNS interval LANGUAGE sql STABLE AS $$
    SELECT s.before + (LEAST(moment, s.closes) - s.opens) FROM clocks_openstretch s
    WHERE s.version_id = in_version AND s.opens <= moment ORDER BY s.opens DESC LIMIT 1
$$;
CREATE FUNCTION clocks_due(in_version bigint, begun timestamptz, amount interval) RETURNS timestamptz
LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN amount <= interval '0' THEN begun
        ELSE (
            SELECT s.opens + (wanted.worked - s.before) FROM clocks_openstretch s
            WHERE s.version_id = in_version AND s.before < wanted.worked
            ORDER BY s.before DESC LIMIT 1
        )
    END
    FROM (SELECT clocks_worked(in_version, begun) + amount AS worked) wanted
    WHERE amount <= interval '0' OR wanted.worked <= (
        SELECT l.before + (l.closes - l.opens) FROM clocks_openstretch l
        WHERE l.version_id = in_version ORDER BY l.before DESC LIMIT 1
    )
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("calendars", "0003_default_calendar"), ("clocks", "0003_pause_limits_of_one_clock")]
    operations = [
        migrations.CreateModel(
            name="OpenStretch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("opens", models.DateTimeField(editable=False)),
                ("closes", models.DateTimeField(editable=False)),
                (
                    "before",
                    models.DurationField(
                        editable=False, help_text="Working time from the first stretch up to this one."
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="calendars.calendarversion",
                    ),
                ),
            ],
            options={
                "ordering": ("version", "opens"),
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(fields=("version", "opens"), name="stretch_opens_once"),
                    models.UniqueConstraint(fields=("version", "before"), name="stretch_before_once"),
                    models.CheckConstraint(
                        condition=models.Q(("closes__gt", models.F("opens"))), name="stretch_is_open"
                    ),
                ],
            },
        ),
        migrations.RunSQL(
            FUNCTIONS,
            "DROP FUNCTION clocks_due(bigint, timestamptz, interval); DROP FUNCTION clocks_worked(bigint, timestamptz);",
        ),
    ]
