"""Content for tests."""

import datetime as dt

from apps.accounts.enums import Role
from apps.approvals.domain.decisions import approve
from apps.approvals.models import ApprovalRequest
from apps.content.domain.checking import sign_off
from apps.content.domain.packs import PACK
from apps.content.domain.writing import ask_for_content, submit_to_checks, write_version
from apps.core import clock
from apps.core.actors import acting_as
from apps.core.rules.enums import VersionState
from apps.core.rules.models import RuleDocument, RuleVersion
from apps.core.transitions import transition
from tests.factories.accounts import person_with
from tests.factories.approvals import policy_for

GOOD = (
    '<!DOCTYPE html>\n<html lang="en"><body>\n<h1>Meet Acme Cloud</h1>\n<p>Read more.</p>\n'
    '<p><a href="{{ unsubscribe_link }}">Unsubscribe</a></p>\n</body></html>\n'
)


def author(**given):
    """Somebody who writes content."""
    return person_with(Role.OPS, **given)


def asset(*, by=None, **given):
    """A brief."""
    values = {
        "title": "Autumn mail",
        "kind": "email",
        "main_channel": "email",
        "brief": "Tell them.",
        **given,
    }
    return ask_for_content(by=by or author(), **values)


def version(*, by=None, of=None, **given):
    """A draft that may be submitted."""
    by = by or author()
    values = {
        "subject": "Hello",
        "body": GOOD,
        "expires_on": clock.today() + dt.timedelta(days=60),
        "change_note": "First",
        **given,
    }
    return write_version(of or asset(by=by), by=by, **values)


def rule(name, check, *, terms="", limit=None, severity="block", level="technical", advice="", when=None):
    """One rule of a pack."""
    outcome = {"check": check, "severity": severity, "level": level}
    outcome |= {"terms": terms} if terms else {}
    outcome |= {"limit": limit} if limit is not None else {}
    outcome |= {"advice": advice} if advice else {}
    return {"key": name.lower().replace(" ", "-"), "name": name, "predicate": when or {"all": []}, "outcome": outcome}


def pack(*rules, by=None, key="house-rules"):
    """A pack in force, as if it had gone its whole way."""
    by = by or author()
    with acting_as(by), transition(RuleVersion):
        document = RuleDocument.objects.create(key=key, kind=PACK, title="House rules", owner=by)
        row = RuleVersion(document=document, number=1, body={"rules": list(rules)}, author=by)
        row.save()
        for state in (VersionState.IN_REVIEW, VersionState.APPROVED):
            row.state = state
            row.save(update_fields=["state"])
        row.state, row.simulated_digest = VersionState.ACTIVE, row.digest
        row.activated_at, row.activated_by = clock.now(), by
        row.save(update_fields=["state", "simulated_digest", "activated_at", "activated_by"])
    return row


def approved_version(*, by, of=None, **given):
    """A version that was checked by somebody else and approved by a third."""
    policy_for("content.contentversion")
    checker, approver = author(), person_with(Role.APPROVER)
    made = version(by=by, of=of, **given)
    submit_to_checks(made, by=by)
    for _ in range(3):
        sign_off(made, by=checker)
    approve(ApprovalRequest.objects.open().get(object_id=made.pk, content_type__model="contentversion"), by=approver)
    made.refresh_from_db()
    return made
