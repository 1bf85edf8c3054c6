"""A version's life: every way, every refusal, and what the database refuses to everybody."""

import datetime as dt

import pytest
from django.db import connection, transaction
from django.db.utils import IntegrityError, InternalError, ProgrammingError

from apps.accounts.enums import Role
from apps.approvals.domain.decisions import approve, request_changes
from apps.approvals.models import ApprovalRequest
from apps.audit.models import AuditEvent
from apps.core import clock
from apps.core.alerts.models import Alert
from apps.core.errors import DomainError, InvalidInput, NotAllowed, WrongState
from apps.core.notifications.models import Notification
from apps.core.overdue import overdue_of
from apps.core.rules.domain.comparing import compare_versions
from apps.core.rules.domain.queries import active_version, active_versions
from apps.core.rules.domain.reviews import note_review, watch_dates
from apps.core.rules.domain.versions import (
    activate,
    refuse_sending,
    retire,
    send_for_approval,
    simulate,
    start_draft,
    write_rules,
)
from apps.core.rules.models import RuleVersion
from apps.core.transitions import transition
from tests.factories.accounts import person_with
from tests.factories.approvals import policy_for
from tests.factories.leads import LeadFactory
from tests.factories.rules import SPAIN, active, approved, draft, in_review, segment

ITALY = {"predicate": {"field": "country", "op": "eq", "value": "Italy"}}


@pytest.fixture
def author(db):
    return person_with(Role.OPS)


@pytest.fixture
def document(author):
    return segment(owner=author)


def refreshed(version):
    return RuleVersion.objects.select_related("document").get(pk=version.pk)


def refused(error, sentence, operation, *args, **kwargs):
    with pytest.raises(error) as refusal:
        operation(*args, **kwargs)
    assert refusal.value.message == sentence


def test_a_segment_goes_all_the_way_by_two_people(author, document):
    lead = LeadFactory(country="spain")
    LeadFactory(country="Italy")
    version = active(document, by=author)
    assert version.state == "active"
    assert version.simulation["facts"][:2] == [["Leads in the segment", 1], ["Leads in all", 2]]
    assert version.simulation["facts"][2] == ["Cost of finding them", "1.0 × reading all leads once"]
    assert version.simulation["sample"] == [lead.pk]
    assert active_version("spain") == version
    assert active_versions("leads.segment") == [version]
    reasons = AuditEvent.objects.filter(table_name="rules_ruleversion").values_list("reason", flat=True)
    assert "The test" in reasons


def test_the_next_version_retires_the_one_before_and_the_past_is_known(author, document):
    first = active(document, by=author)
    between = clock.now()
    LeadFactory(country="Italy")
    second = active(document, by=author, body=ITALY)
    assert refreshed(first).state == "retired"
    assert active_version("spain") == second
    assert active_version("spain", at=between) == first
    assert active_version("spain", at=first.activated_at - dt.timedelta(seconds=1)) is None
    assert second.simulation["facts"][3:] == [
        ["Come in, compared with version 1", 1],
        ["Drop out, compared with version 1", 0],
    ]
    (change,) = compare_versions(first, second)
    assert (change.what, change.before, change.after) == ("changed", "Country is “Spain”", "Country is “Italy”")


def test_an_author_never_approves(author, document):
    version = in_review(document, by=author)
    request = ApprovalRequest.objects.open().get(object_id=version.pk)
    with pytest.raises(NotAllowed):
        approve(request, by=author)
    assert refreshed(version).state == "in_review"


def test_what_is_sent_back_is_a_draft_again(author, document):
    version = in_review(document, by=author)
    request = ApprovalRequest.objects.open().get(object_id=version.pk)
    request_changes(request, by=person_with(Role.APPROVER), reason="Too wide")
    assert refreshed(version).state == "draft"


def test_an_approved_version_with_a_day_is_activated_on_it(author, document):
    policy_version = draft(document, by=author)
    tomorrow = clock.today() + dt.timedelta(days=1)
    RuleVersion.objects.filter(pk=policy_version.pk).update(effective_from=tomorrow)
    policy_for("rules.ruleversion")
    approver = person_with(Role.APPROVER)
    send_for_approval(refreshed(policy_version), by=author)
    approve(ApprovalRequest.objects.open().get(object_id=policy_version.pk), by=approver)
    assert watch_dates(clock.today())["activated"] == 0
    assert watch_dates(tomorrow)["activated"] == 1
    assert watch_dates(tomorrow)["activated"] == 0
    assert refreshed(policy_version).state == "active"


def test_refusals_of_operations(author, document):
    looker = person_with(Role.APPROVER)
    refused(NotAllowed, "You may not change Leads in Spain.", start_draft, document, by=looker)
    version = start_draft(document, by=author)
    refused(
        WrongState,
        "Version 1 of Leads in Spain is a draft already; finish that one.",
        *(start_draft, document),
        by=author,
    )
    unfit = (
        "The rules cannot be used as they are. Every record fits this rule, so it selects nothing: "
        "add a condition that some fail."
    )
    refused(WrongState, unfit, simulate, version, by=author)
    refused(WrongState, unfit, send_for_approval, version, by=author)
    refused(NotAllowed, "You may not change Leads in Spain, version 1.", write_rules, version, SPAIN, by=looker)
    refused(
        InvalidInput,
        "There is no field “gone” here (any more); choose another.",
        *(write_rules, version, {"predicate": {"field": "gone", "op": "eq", "value": 1}}),
        by=author,
    )
    write_rules(version, SPAIN, by=author)
    refused(
        WrongState,
        "Simulate these rules first: approvers decide on what would come of them.",
        *(send_for_approval, version),
        by=author,
    )
    simulate(refreshed(version), by=author)
    assert refuse_sending(author, refreshed(version)) is None
    write_rules(version, ITALY, by=author)
    assert refuse_sending(author, refreshed(version)).startswith("Simulate these rules first")
    refused(
        WrongState,
        "Leads in Spain, version 1 is draft; only approved versions are activated.",
        *(activate, version),
        by=author,
        reason="",
    )
    retire(version, by=author, reason="No need")
    refused(
        WrongState,
        "Leads in Spain, version 1 is retired; only drafts are edited.",
        *(write_rules, version, SPAIN),
        by=author,
    )
    refused(WrongState, "Leads in Spain, version 1 is retired.", retire, version, by=author, reason="")


def test_a_later_version_says_what_is_new(author, document):
    active(document, by=author)
    version = simulate(write_rules(start_draft(document, by=author), ITALY, by=author), by=author)
    assert refuse_sending(author, version) == "Say what is new in this version and why, so that approvers see it."


def test_sending_needs_a_policy(author, document):
    from apps.approvals.models import ApprovalPolicy

    ApprovalPolicy.objects.filter(subject_kind="rules.ruleversion").update(archived_at=clock.now())
    version = draft(document, by=author)
    with pytest.raises(DomainError):
        send_for_approval(version, by=author)
    assert refreshed(version).state == "draft"


def raw(statement, *values):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)


def test_the_database_refuses_every_other_way(author, document):
    version = approved(document, by=author)
    anyway = (IntegrityError, InternalError, ProgrammingError)
    for statement, sentence in (
        ("UPDATE rules_ruleversion SET state = 'active' WHERE id = %s", "by the buttons on their page"),
        ("UPDATE rules_ruleversion SET simulated_digest = '' WHERE id = %s", "by the buttons on their page"),
        ("UPDATE rules_ruleversion SET body = '{}' WHERE id = %s", "Rules are frozen from review on"),
        ("UPDATE rules_ruleversion SET digest = 'x' WHERE id = %s", "Rules are frozen from review on"),
    ):
        with pytest.raises(anyway, match=sentence):
            raw(statement, version.pk)
    version.state = "draft"
    with pytest.raises(anyway, match="no such way"), transition(RuleVersion), transaction.atomic():
        version.save(update_fields=["state"])
    with pytest.raises(anyway, match="never change"):
        raw("UPDATE rules_ruledocument SET key = 'other' WHERE id = %s", document.pk)
    with pytest.raises(anyway, match="by the buttons"):
        RuleVersion.objects.create(document=document, number=9, state="approved", author=author)


def test_a_second_active_version_is_impossible(author, document):
    active(document, by=author)
    second = approved(document, by=author, body=ITALY)
    second.state, second.activated_at, second.activated_by = "active", clock.now(), author
    with pytest.raises(IntegrityError, match="rule_version_active_once"), transition(RuleVersion), transaction.atomic():
        second.save(update_fields=["state", "activated_at", "activated_by"])


def test_an_active_version_needs_the_simulation_of_its_own_digest(author, document):
    version = approved(document, by=author)
    version.state, version.activated_at, version.activated_by = "active", clock.now(), author
    version.simulated_digest = "0" * 64
    names = ["state", "activated_at", "activated_by", "simulated_digest"]
    with pytest.raises(IntegrityError, match="rule_version_simulated"), transition(RuleVersion), transaction.atomic():
        version.save(update_fields=names)


def test_owners_are_reminded_once_and_late_reviews_become_an_alert_until_done(author, document):
    version = active(document, by=author)
    today = clock.today()
    RuleVersion.objects.filter(pk=version.pk).update(review_on=today + dt.timedelta(days=10))
    assert watch_dates(today)["reminded"] == 1
    assert watch_dates(today)["reminded"] == 0
    assert Notification.objects.filter(kind="rules.review", recipient=author).count() == 1
    late = today + dt.timedelta(days=11)
    assert watch_dates(late)["overdue"] == 1
    alert = Alert.objects.get(fingerprint=f"rules.review:{document.pk}")
    assert alert.state == "open"
    assert [each.to_do for each in overdue_of(author, late) if each.thing == version] == ["Review the rules"]
    refused(
        InvalidInput,
        "The next review is a day to come.",
        note_review,
        version,
        by=author,
        reason="ok",
        next_review=today,
    )
    note_review(version, by=author, reason="Still right", next_review=late + dt.timedelta(days=90))
    alert.refresh_from_db()
    assert alert.state == "resolved"
