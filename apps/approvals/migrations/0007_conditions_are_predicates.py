"""Rows of decision tables ask by predicates of the rules kit; what stood there as text is read one last time.

Documents of versions that were sent for approval are not touched: their digests were approved.
"""

import contextlib
import re

from django.db import migrations, models

import apps.approvals.models.policies

WORDS = {
    "is not empty": "filled",
    "is empty": "empty",
    "is not in": "not_in",
    "not in": "not_in",
    "is not": "ne",
    "is in": "in",
    "in": "in",
    "contains": "contains",
    "is": "eq",
    ">=": "gte",
    "≥": "gte",
    "<=": "lte",
    "≤": "lte",
    "!=": "ne",
    "≠": "ne",
    ">": "gt",
    "<": "lt",
    "=": "eq",
}
OPERATORS = "|".join(
    rf"\b{re.escape(word)}\b" if word[0].isalpha() else re.escape(word) for word in sorted(WORDS, key=len, reverse=True)
)
FIELD = r"[A-Za-z_][A-Za-z0-9_.]*"
LEAF = re.compile(rf"^\s*(?P<field>{FIELD})\s*(?P<op>{OPERATORS})\s*(?P<value>.*?)\s*$", re.IGNORECASE)
AND = re.compile(rf"\s+and\s+(?={FIELD}\s*(?:{OPERATORS}))", re.IGNORECASE)


def predicate(text):
    """What a text asks; what cannot be read becomes a field that is not there, which the page then tells."""
    return {"all": [_leaf(part) for part in AND.split(text.strip())]} if text.strip() else {"all": []}


def _leaf(text):
    found = LEAF.match(text)
    if found is None:
        return {"field": text, "op": "eq", "value": "?"}
    field, op = found["field"].lower(), WORDS[" ".join(found["op"].lower().split())]
    if op in ("empty", "filled"):
        return {"field": field, "op": op}
    if op in ("in", "not_in"):
        return {"field": field, "op": op, "value": [_plain(each) for each in found["value"].strip("()").split(",")]}
    return {"field": field, "op": op, "value": _plain(found["value"])}


def _plain(text):
    return text.strip().strip("\"'“”")


@contextlib.contextmanager
def _parts_of_fixed_versions(schema_editor):
    """Let rows of versions that are fixed take their new column; the ledger records it all the same."""
    table = "approvals_policyrule"
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND tgname LIKE 'pgtrigger_part_of_draft_%%'",
            [table],
        )
        names = [schema_editor.quote_name(name) for (name,) in cursor.fetchall()]
    for name in names:
        schema_editor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {name}")
    yield
    schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # a table with open checks cannot be altered
    schema_editor.execute("SET CONSTRAINTS ALL DEFERRED")
    for name in names:
        schema_editor.execute(f"ALTER TABLE {table} ENABLE TRIGGER {name}")


def read_texts(apps, schema_editor):
    rows = apps.get_model("approvals", "PolicyRule").objects.exclude(condition="")
    if not rows.exists():
        return
    with _parts_of_fixed_versions(schema_editor):
        for row in rows:
            row.when = predicate(row.condition)
            row.save(update_fields=["when"])


def _field():
    return models.JSONField(
        default=apps.approvals.models.policies.always,
        help_text="The first row whose condition holds is taken. Without a condition it always holds.",
    )


class Migration(migrations.Migration):
    dependencies = [("approvals", "0006_what_every_request_has")]

    operations = [
        migrations.AddField(model_name="historicalpolicyrule", name="when", field=_field()),
        migrations.AddField(model_name="policyrule", name="when", field=_field()),
        migrations.RunPython(read_texts, migrations.RunPython.noop, elidable=True),
        migrations.RemoveField(model_name="historicalpolicyrule", name="condition"),
        migrations.RemoveField(model_name="policyrule", name="condition"),
    ]
