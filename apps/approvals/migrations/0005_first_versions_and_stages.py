"""What is there goes on: each policy gets its first version, each request its revision and its stage."""

import contextlib
import hashlib
import json

from django.db import migrations
from django.utils import timezone

from apps.core.transitions import transition
from mops.db.roles import give_to_serving, take_from_serving

OPEN_STATE = {"in_review": "active", "approved": "approved", "withdrawn": "closed"}


@contextlib.contextmanager
def _without(schema_editor, table, *triggers):
    """Let rows that are otherwise written once take their new columns; the ledger records it all the same."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND tgname LIKE ANY(%s)",
            [table, [f"pgtrigger_{name}_%" for name in triggers]],
        )
        names = [name for (name,) in cursor.fetchall()]
    for name in names:
        schema_editor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {schema_editor.quote_name(name)}")
    yield
    schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # a table with open checks cannot be altered
    schema_editor.execute("SET CONSTRAINTS ALL DEFERRED")
    for name in names:
        schema_editor.execute(f"ALTER TABLE {table} ENABLE TRIGGER {schema_editor.quote_name(name)}")


def _stage(role, team_id, people, required):
    named = [("role", role)] if role else []
    named += [("team", str(team_id))] if team_id else []
    named += [("person", str(person)) for person in people]
    return {
        "number": 1,
        "name": "Approval",
        "approvers": [{"via": via, "key": key, "part": "counts", "origin": ""} for via, key in named],
        "mode": "some" if required > 1 else "any",
        "needed": required,
        "veto": True,
        "allow_delegates": True,
        "checks": [],
        "due_hours": None,
        "escalate": [],
    }


def _definition(stage):
    row = {"name": "Everything", "when": {"all": []}, "stages": [1], "condition": ""}
    return {"stages": [stage], "rows": [row], "distinct_stages": True, "expires_after_days": None}


def _digest(document):
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def first_versions(apps, schema_editor):
    Policy, Version = apps.get_model("approvals", "ApprovalPolicy"), apps.get_model("approvals", "PolicyVersion")
    Named = apps.get_model("approvals", "PolicyApprover")
    if not Policy.objects.filter(subject_kind="approvals.policyversion").exists():
        Policy.objects.create(subject_kind="approvals.policyversion", name="Approval policies", approver_role="approver")
    for policy in Policy.objects.order_by("pk"):
        people = Named.objects.filter(policy=policy, archived_at=None).order_by("pk").values_list("person_id", flat=True)
        stage = _stage(policy.approver_role, policy.approver_team_id, list(people), policy.required)
        if policy.subject_kind == "approvals.policyversion":
            stage["approvers"].append({"via": "role", "key": "administrator", "part": "counts", "origin": ""})
        document = _definition(stage)
        with transition(Version, Policy):
            version = Version.objects.create(
                policy=policy,
                number=1,
                change_log="As the policy was before it had versions.",
                definition=document,
                digest=_digest(document),
                state="draft",
            )
            version.state, version.activated_at = "active", timezone.now()
            version.save(update_fields=["state", "activated_at"])
            policy.active_version = version
            policy.save(update_fields=["active_version"])


def revisions_and_stages(apps, schema_editor):
    Request, Revision = apps.get_model("approvals", "ApprovalRequest"), apps.get_model("approvals", "SubjectRevision")
    last = {}
    with _without(schema_editor, "approvals_approvalrequest", "written_once", "guarded"):
        for request in Request.objects.order_by("pk").select_related("policy"):
            of = (request.content_type_id, request.object_id)
            before = last.get(of)
            if before is None or before.digest != request.digest:
                last[of] = Revision.objects.create(
                    content_type_id=of[0],
                    object_id=of[1],
                    number=before.number + 1 if before else 1,
                    payload=request.payload,
                    digest=request.digest,
                    author_id=request.requester_id,
                    author_label=request.requester_label,
                    at=request.submitted_at,
                )
            applied = request.decided_at if request.state == "approved" else None
            Request.objects.filter(pk=request.pk).update(
                revision=last[of],
                policy_version=request.policy.active_version_id,
                applied_at=applied,
                rule="Everything",
            )
            _stage_of(apps, request)


def _stage_of(apps, request):
    Stage = apps.get_model("approvals", "StageInstance")
    spec = _stage(request.approver_role, request.approver_team_id, request.approver_people, request.required)
    with transition(Stage):
        Stage.objects.create(
            approval=request,
            position=1,
            name="Approval",
            spec=spec,
            state=OPEN_STATE.get(request.state, "refused"),
            least=request.required,
            named=[f"{each['via']}:{each['key']}" for each in spec["approvers"]],
            activated_at=request.submitted_at,
            decided_at=request.decided_at,
        )


def decisions(apps, schema_editor):
    Decision, Stage = apps.get_model("approvals", "Decision"), apps.get_model("approvals", "StageInstance")
    with _without(schema_editor, "approvals_decision", "append_only"):
        for decision in Decision.objects.order_by("pk"):
            stage = Stage.objects.get(approval=decision.request_id)
            Decision.objects.filter(pk=decision.pk).update(stage=stage, principal=decision.approver_id)


def take_away(apps, schema_editor):
    take_from_serving(schema_editor, "UPDATE, DELETE, TRUNCATE", "approvals_subjectrevision")


def give_back(apps, schema_editor):
    give_to_serving(schema_editor, "UPDATE, DELETE", "approvals_subjectrevision")


class Migration(migrations.Migration):
    dependencies = [
        ("approvals", "0004_stages_and_policy_versions"),
        ("audit", "0001_initial"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [
        migrations.RunPython(first_versions, migrations.RunPython.noop, elidable=False),
        migrations.RunPython(revisions_and_stages, migrations.RunPython.noop, elidable=False),
        migrations.RunPython(decisions, migrations.RunPython.noop, elidable=False),
        migrations.RunPython(take_away, give_back, elidable=False),
    ]
