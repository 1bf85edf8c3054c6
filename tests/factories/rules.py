"""Rule documents for tests: a segment with a version in any state, brought there by the operations."""

from apps.accounts.enums import Role
from apps.approvals.domain.decisions import approve
from apps.approvals.models import ApprovalRequest
from apps.core.rules.domain.versions import activate, send_for_approval, simulate, start_draft, write_rules
from apps.core.rules.models import RuleDocument, RuleVersion
from tests.factories.accounts import person_with
from tests.factories.approvals import policy_for

SPAIN = {"predicate": {"field": "country", "op": "eq", "value": "Spain"}}


def segment(*, owner, key="spain", title="Leads in Spain"):
    """A document without a version."""
    return RuleDocument.objects.create(key=key, kind="leads.segment", title=title, owner=owner)


def draft(document, *, by, body=SPAIN):
    """A draft with rules, saved and simulated."""
    version = write_rules(start_draft(document, by=by), body, by=by)
    RuleVersion.objects.filter(pk=version.pk).update(change_note="Because of the test")
    return simulate(RuleVersion.objects.get(pk=version.pk), by=by)


def in_review(document, *, by, body=SPAIN):
    """A version waiting for its approval."""
    policy_for("rules.ruleversion")
    person_with(Role.APPROVER)  # somebody must be able to decide
    version = draft(document, by=by, body=body)
    send_for_approval(version, by=by)
    return RuleVersion.objects.get(pk=version.pk)


def approved(document, *, by, body=SPAIN):
    """A version that a second person approved."""
    version = in_review(document, by=by, body=body)
    request = ApprovalRequest.objects.open().get(object_id=version.pk, content_type__model="ruleversion")
    approve(request, by=person_with(Role.APPROVER))
    return RuleVersion.objects.get(pk=version.pk)


def active(document, *, by, body=SPAIN):
    """The version that decides."""
    version = approved(document, by=by, body=body)
    activate(version, by=by, reason="The test")
    return RuleVersion.objects.get(pk=version.pk)
