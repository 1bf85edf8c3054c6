"""The shipped criteria, gates for what is implemented today, and IT as the second stage of plain request policies."""

import hashlib
import json

from django.db import migrations
from django.utils import timezone

from apps.core.transitions import transition

CRITERIA = (
    ("Business value", "How well does it meet the need, for how many people, and how soon?", 30),
    ("Integration capability", "How well does it exchange data with what we have, by documented interfaces?", 25),
    ("Scalability", "Does it carry three times our volume without another contract or another tool?", 20),
    ("Support and maintenance", "How good are support, updates and documentation, and how much work stays ours?", 25),
)
GATES = """
    INSERT INTO technology_implementationgate
        (uuid, created_at, updated_at, row_version, tool_id, kind, position, evidence)
    SELECT gen_random_uuid(), now(), now(), 1, t.id, gate.kind, gate.position, ''
    FROM technology_tool t, (VALUES ('phased', 1), ('tested', 2), ('trained', 3), ('monitored', 4)) gate(kind, position)
    WHERE t.lifecycle = 'implementing' ON CONFLICT DO NOTHING
"""


def ship(apps, schema_editor):
    CriteriaSet, Criterion = apps.get_model("technology", "CriteriaSet"), apps.get_model("technology", "Criterion")
    if not CriteriaSet.objects.exists():
        made = CriteriaSet.objects.create(name="Technology criteria", note="Shipped with mops.")
        for place, (name, question, weight) in enumerate(CRITERIA, start=1):
            Criterion.objects.create(criteria=made, name=name, question=question, weight=weight, position=place)
        made.state = "active"
        with transition(CriteriaSet):
            made.save(update_fields=["state"])
    schema_editor.execute(GATES)


def _stage(number, name, role):
    return {
        "number": number,
        "name": name,
        "approvers": [{"via": "role", "key": role, "part": "counts", "origin": ""}],
        "mode": "any",
        "needed": 1,
        "veto": True,
        "allow_delegates": True,
        "checks": [],
        "due_hours": None,
        "escalate": [],
    }


def _is_plain(document):
    stages = document.get("stages", [])
    named = [(each["via"], each["key"]) for stage in stages for each in stage["approvers"]]
    return len(stages) == 1 and named == [("role", "approver")] and stages[0]["needed"] == 1


def add_it_stage(apps, schema_editor):
    """Give the policy of requests its IT stage where nobody has changed it since it was shipped."""
    Policy, Version = apps.get_model("approvals", "ApprovalPolicy"), apps.get_model("approvals", "PolicyVersion")
    policy = Policy.objects.filter(subject_kind="technology.toolrequest", archived_at=None).first()
    if policy is None or policy.active_version is None or policy.versions.count() != 1:
        return
    before = policy.active_version
    if not _is_plain(before.definition):
        return
    document = {
        "stages": [_stage(1, "Business", "approver"), _stage(2, "IT", "administrator")],
        "rows": [{"name": "Everything", "when": {"all": []}, "stages": [1, 2], "condition": ""}],
        "distinct_stages": True,
        "expires_after_days": None,
    }
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    now = timezone.now()
    with transition(Policy, Version):
        before.state, before.retired_at = "retired", now
        before.save(update_fields=["state", "retired_at"])
        version = Version.objects.create(
            policy=policy,
            number=before.number + 1,
            change_log="Shipped with mops: IT decides after the business.",
            definition=document,
            digest=hashlib.sha256(text.encode()).hexdigest(),
            state="draft",
        )
        version.state, version.activated_at = "active", now
        version.save(update_fields=["state", "activated_at"])
        policy.active_version = version
        policy.save(update_fields=["active_version"])


class Migration(migrations.Migration):
    dependencies = [
        ("technology", "0006_evaluations"),
        ("approvals", "0006_what_every_request_has"),
        ("audit", "0001_initial"),
    ]
    operations = [
        migrations.RunPython(ship, migrations.RunPython.noop, elidable=False),
        migrations.RunPython(add_it_stage, migrations.RunPython.noop, elidable=False),
    ]
