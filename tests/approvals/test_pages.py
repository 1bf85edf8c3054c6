"""The inbox, the simulator, the analytics, the policies and who stands in, as people meet them."""

import datetime as dt
import html
import json
import re

import pytest
from django.urls import reverse

from apps.accounts.enums import Role
from apps.approvals.domain.decisions import approve, approve_with_conditions
from apps.approvals.domain.definition import Definition, Named, Row
from apps.approvals.domain.policies import draft_version, install_version, problems, submit_version
from apps.approvals.enums import Part, PolicyState, Via
from apps.approvals.models import (
    ApprovalCondition,
    ApprovalPolicy,
    ApprovalRequest,
    Delegation,
    Opening,
    PolicyRule,
    PolicyStage,
    PolicyVersion,
    StageApprover,
)
from apps.core import clock
from apps.core.errors import InvalidInput, WrongState
from tests.admin_pages import assert_same_queries, button_of, list_of, page_of
from tests.factories.accounts import person_with
from tests.factories.approvals import ALWAYS, policy_with, stage
from tests.factories.campaigns import sent
from tests.factories.processes import ProcessFactory, effective, in_review

pytestmark = pytest.mark.django_db
KIND = "campaigns.campaign"


@pytest.fixture
def approver(client):
    person = person_with(Role.APPROVER)
    client.force_login(person)
    return person


@pytest.fixture
def administrator(client):
    person = person_with(Role.ADMINISTRATOR)
    client.force_login(person)
    return person


def form_of(client, thing):
    """What the page of a thing would send as it stands."""
    context = client.get(page_of(thing)).context
    sets = [each.formset for each in context["inline_admin_formsets"]]
    forms = [context["adminform"].form, *(form for each in sets for form in (each.management_form, *each.forms))]
    sent = {}
    for field in (field for form in forms for field in form):
        value = field.value()
        value = ", ".join(map(str, value)) if isinstance(value, list) else value
        sent[field.html_name] = json.dumps(value) if isinstance(value, dict) else value
    return {name: "on" if value is True else value for name, value in sent.items() if value not in (None, False)}


def inbox():
    return reverse("admin:approvals_inbox")


def test_the_inbox_shows_what_changes(client, approver):
    sop = ProcessFactory(title="Launch")
    effective(sop, body="Check links.")
    in_review(sop, body="Check links.\nAsk legal.", change_log="Legal comes in.")
    page = client.get(inbox()).content.decode()
    for shown in ("Launch · version 2", "What changes against the last approved version", "Ask legal."):
        assert shown in page


def test_many_are_decided_each_on_its_own(client, approver):
    _, first = sent(approver=True)
    _, second = sent(approver=True)
    _, own = sent(author=person_with(Role.OPS), approver=True)
    approve(second, by=person_with(Role.APPROVER))
    chosen = {"chosen": [first.pk, second.pk, own.pk, "nonsense"], "verdict": "approve", "reason": "Good."}
    page = client.post(inbox(), chosen).content.decode()
    assert f"{first} is approved." in page
    assert f"{second} is approved; nothing is left to decide." in page
    assert ApprovalRequest.objects.filter(state="approved").count() == 3


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"verdict": "approve"}, "Tick at least one request first."),
        ({"chosen": ["1"], "verdict": "maybe"}, "Choose what you decide."),
        ({"chosen": ["1"], "verdict": "reject"}, "Say why, so that the author knows what to change."),
    ],
)
def test_the_inbox_refuses_in_words(client, approver, given, sentence):
    in_review()
    assert sentence in client.post(inbox(), given, follow=True).content.decode()


def test_an_empty_inbox_says_so(client, approver):
    assert "Nothing waits for your decision." in client.get(inbox()).content.decode()


def test_who_has_nothing_to_do_with_policies_has_an_inbox_alone(client):
    client.force_login(person_with(Role.SALES))
    page = client.get(inbox()).content.decode()
    assert "Nothing waits for your decision." in page
    for name in ("simulator", "analytics"):
        address = reverse(f"admin:approvals_{name}")
        assert client.get(address).status_code == 403
        assert address not in page
    client.force_login(person_with())
    assert client.get(inbox()).status_code == 403


def test_opening_a_request_is_noted_once_for_who_may_decide(client, approver):
    request = in_review()
    client.get(page_of(request)), client.get(page_of(request))
    assert Opening.objects.get().person == approver
    client.force_login(person_with(Role.AUDITOR))
    client.get(page_of(request))
    assert Opening.objects.count() == 1


def test_the_simulator_tells_where_and_why(client, administrator):
    person_with(Role.APPROVER)
    executive = person_with(Role.EXECUTIVE)
    rows = (
        Row("Large", {"all": [{"field": "budget", "op": "gte", "value": "20000"}]}, (1, 2), "budget >= 20000"),
        Row("Others", ALWAYS, (1,)),
    )
    policy_with(stage(1, Role.APPROVER), stage(2, Role.EXECUTIVE, name="Money"), kind=KIND, rows=rows)
    address = reverse("admin:approvals_simulator")
    page = client.get(address, {"kind": KIND, "facts": "budget = 25000"}).content.decode()
    for shown in ("Large", "Money", str(executive), "Budget is at least 20,000 (it is 25,000)"):
        assert shown in page
    assert "Money" not in client.get(address, {"kind": KIND, "facts": "budget = 100"}).content.decode()
    sent(approver=True, name="Autumn")
    assert "If you sent Autumn" in client.get(address, {"kind": KIND, "record": "autu"}).content.decode()
    assert "Nothing of that name" in client.get(address, {"kind": KIND, "record": "zzz"}).content.decode()


def test_the_simulator_tells_when_nobody_could_decide(client, administrator):
    page = client.get(reverse("admin:approvals_simulator"), {"kind": KIND}).content.decode()
    assert "It could not be sent." in page


def test_analytics_show_queue_and_touch_time(client, approver):
    request = in_review(at=clock.now() - dt.timedelta(days=3))
    Opening.objects.create(
        request=request, stage=request.stages.get(), person=approver, at=clock.now() - dt.timedelta(days=1)
    )
    approve(request, by=approver)
    in_review(ProcessFactory(title="Blocker"))
    page = client.get(reverse("admin:approvals_analytics")).content.decode()
    for shown in ("SOP versions: Approval", "approvals-touch", "Blocker · version 1", "Rework rate"):
        assert shown in page
    behind = [html.unescape(each) for each in re.findall(r'href="(/admin/approvals/approvalrequest/\?[^"]+)"', page)]
    listed = [client.get(each).context["cl"].result_count for each in behind]
    assert listed == [1, 0, 0, 1, 1]  # settled, sent back, in a later round, the stage, the person


def test_a_condition_is_closed_on_its_page(client, approver):
    _, request = sent(approver=True)
    approve_with_conditions(request, by=approver, conditions="Legal")
    condition = ApprovalCondition.objects.get()
    assert "takes effect when 1 condition is closed" in client.get(page_of(request)).content.decode()
    page = client.post(button_of(condition, "close"), {"note": "Read."}, follow=True).content.decode()
    assert "is in effect" in page


# --- policies


def asks(field, value, op="eq"):
    return {"all": [{"field": field, "op": op, "value": value}]}


def row(version, position, name, when):
    PolicyRule.objects.create(version=version, position=position, name=name, when=when, stage_numbers=[1])


def policy():
    return ApprovalPolicy.objects.get(subject_kind=KIND)


def test_a_policy_changes_by_an_approved_version(client, administrator):
    approver = person_with(Role.APPROVER)
    client.post(button_of(policy(), "new-version"))
    version = PolicyVersion.objects.get(policy=policy(), state=PolicyState.DRAFT)
    assert version.number == 2
    assert "Say what is new in this version" in client.get(page_of(version)).content.decode()
    version.change_log = "Two of them."
    version.save()
    version.stages.update(mode="some", needed=2)
    said = client.post(button_of(version, "submit"), {"note": ""}, follow=True).content.decode()
    assert "is in review; 1 approval must come in." in said
    request = ApprovalRequest.objects.get(content_type__model="policyversion")
    assert policy().active_version.number == 1
    approve(request, by=approver)
    assert (policy().active_version.number, policy().active_version.definition["stages"][0]["needed"]) == (2, 2)
    assert PolicyVersion.objects.get(policy=policy(), number=1).state == PolicyState.RETIRED


def test_who_edited_a_stage_does_not_approve_the_policy(administrator):
    from apps.core.actors import acting_as

    other = person_with(Role.ADMINISTRATOR)
    person_with(Role.APPROVER)
    version = draft_version(policy(), by=administrator)
    with acting_as(other):
        row = version.stages.get()
        row.name = "Plan"
        row.save()
    version.change_log = "x"
    version.save()
    submit_version(version, by=administrator)
    request = ApprovalRequest.objects.get(content_type__model="policyversion")
    assert other.pk in request.editors


def test_a_version_in_review_is_fixed(administrator):
    from django.db import DatabaseError, transaction

    from apps.core.admin_kit.refusals import sentence_of

    person_with(Role.APPROVER)
    version = draft_version(policy(), by=administrator)
    version.change_log = "x"
    version.save()
    submit_version(version, by=administrator)
    for change in (lambda: version.stages.update(needed=1), lambda: version.rules.all().delete()):
        with pytest.raises(DatabaseError) as caught, transaction.atomic():
            change()
        assert "fixed from the moment it is sent" in sentence_of(caught.value)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda v: v.rules.all().delete(), "The decision table is empty"),
        (lambda v: v.stages.all().delete(), "It has no stage: nobody would decide"),
        (lambda v: v.approvers.all().delete(), "names nobody whose approval counts"),
        (lambda v: v.approvers.update(part=Part.OPTIONAL), "names nobody whose approval counts"),
        (lambda v: v.rules.update(stage_numbers=[1, 1]), "names a stage twice"),
        (lambda v: v.rules.update(stage_numbers=[3]), "sends to stage 3, which this version does not have"),
        (lambda v: v.rules.update(stage_numbers=[]), "names no stage"),
        (
            lambda v: v.rules.update(when=asks("round", 2)),
            "The last row of the decision table has a condition",
        ),
        (
            lambda v: v.rules.update(when={"gibberish": 1}),
            "Row “Everything”: A condition is a group (all, any, not), a field or a count of rows.",
        ),
        (lambda v: v.stages.update(checks="no_such"), "wants “no_such” first, which is no check of this kind"),
        (lambda v: v.approvers.update(role="emperor"), "names the role “emperor”, which does not exist"),
        (lambda v: v.approvers.update(role="executive"), "has no eligible approver: nobody active is behind"),
        (lambda v: v.approvers.update(stage_number=9), "An approver is named for stage 9"),
        (
            lambda v: StageApprover.objects.create(version=v, stage_number=1, via=Via.OWNER, field="nobody"),
            "asks who is in “nobody”, which no such record has",
        ),
        (
            lambda v: (
                PolicyStage.objects.create(version=v, number=2, name="B"),
                StageApprover.objects.create(version=v, stage_number=2, via=Via.ROLE, role=Role.APPROVER),
                v.rules.update(stage_numbers=[2, 1]),
            ),
            "goes back to an earlier stage",
        ),
        (
            lambda v: PolicyRule.objects.create(version=v, position=9, name="Late", stage_numbers=[1]),
            "Rule 2, Late, never gets its turn: whatever fits it also fits rule 1, Everything",
        ),
        (
            lambda v: PolicyRule.objects.create(
                version=v, position=0, name="Odd", when=asks("weather", "fine"), stage_numbers=[1]
            ),
            "Row “Odd”: There is no field “weather” here",
        ),
        (
            lambda v: PolicyRule.objects.create(
                version=v, position=0, name="Odd", when=asks("main_channel", "pigeon"), stage_numbers=[1]
            ),
            "Row “Odd”: Main channel: “pigeon” is no choice here",
        ),
        (
            lambda v: (
                PolicyRule.objects.create(
                    version=v, position=0, name="A", when=asks("round", 2, "gte"), stage_numbers=[1]
                ),
                v.rules.filter(position=1).update(position=3),
                row(v, 2, "B", asks("round", 5)),
            ),
            "Rule 2, B, never gets its turn: whatever fits it also fits rule 1, A",
        ),
    ],
)
def test_a_version_that_cannot_work_is_refused_in_words(administrator, change, sentence):
    person_with(Role.APPROVER)
    version = draft_version(policy(), by=administrator)
    version.change_log = "x"
    version.save()
    change(version)
    assert any(sentence in each for each in problems(version)), problems(version)
    with pytest.raises(InvalidInput):
        submit_version(version, by=administrator)


def test_who_left_is_found_in_a_policy(administrator):
    gone = person_with(Role.OPS, is_active=False)
    definition = Definition((stage(1, Named(Via.PERSON, str(gone.pk))),), (Row("x", ALWAYS, (1,)),))
    fresh = ApprovalPolicy.objects.create(name="Fresh", subject_kind="nothing.here")
    version = install_version(fresh, definition, at=clock.now())
    assert any("who has no active account" in each for each in problems(version))
    with pytest.raises(WrongState, match="has an active version; a new one is drafted and approved"):
        install_version(fresh, definition, at=clock.now())


def test_policies_and_versions_cost_the_same_at_one_and_three_rows(client, administrator):
    def more():
        for number in range(2):
            row = ApprovalPolicy.objects.create(name=f"P{number}", subject_kind=f"kind.n{number}")
            draft_version(row, by=administrator)

    ApprovalPolicy.objects.exclude(subject_kind=KIND).update(archived_at=clock.now())
    assert_same_queries(client, list_of(ApprovalPolicy), more)
    for model in (PolicyVersion, Delegation, ApprovalCondition):
        assert client.get(list_of(model)).status_code == 200


# --- who stands in


def test_a_stand_in_is_named_on_a_form_and_told(client, approver):
    from apps.core.jobs.testing import run_queued_jobs
    from apps.core.notifications.models import Notification

    other, now = person_with(Role.OPS), clock.now()
    form = {
        "from_person": approver.pk,
        "to_person": other.pk,
        "subject_kind": KIND,
        "starts_at_0": f"{now:%Y-%m-%d}",
        "starts_at_1": "00:00",
        "ends_at_0": f"{now + dt.timedelta(days=5):%Y-%m-%d}",
        "ends_at_1": "00:00",
        "reason": "Leave",
    }
    add = reverse("admin:approvals_delegation_add")
    assert client.post(add, form).status_code == 302
    given = Delegation.objects.get()
    assert str(given) == f"{other} for {approver}"
    run_queued_jobs()
    assert Notification.objects.filter(kind="approval.stand_in").count() == 2
    again = client.post(add, form).content.decode()
    assert "stands in for" in again
    assert "in that time already" in again
    page = client.post(button_of(given, "end"), follow=True).content.decode()
    assert "no longer stands in for" in page


def test_nobody_names_a_stand_in_for_somebody_else(client, approver):
    form = {"from_person": person_with(Role.APPROVER).pk, "to_person": approver.pk, "starts_at_0": "2026-01-01"}
    form |= {"starts_at_1": "00:00", "ends_at_0": "2026-01-02", "ends_at_1": "00:00"}
    page = client.post(reverse("admin:approvals_delegation_add"), form).content.decode()
    assert "You can name who stands in for you; for somebody else an administrator does it." in page


def test_what_nobody_could_decide_is_refused_and_administrators_are_told(client):
    from apps.core.alerts.models import Alert
    from tests.factories.campaigns import planned

    author = person_with(Role.OPS)
    campaign = planned(author=author)
    client.force_login(author)
    page = client.post(button_of(campaign, "submit"), {"note": ""}, follow=True).content.decode()
    assert "1 must approve, but nobody could" in page
    assert (
        Alert.objects.get().title
        == f"Nobody could decide about {campaign}, which somebody wanted to send for approval."
    )
    campaign.refresh_from_db()
    assert campaign.state == "planning"


def test_a_condition_is_built_on_the_page_and_tried(client, administrator):
    person_with(Role.APPROVER)
    sent(approver=True, budget=12000)
    version = draft_version(policy(), by=administrator)
    page = client.get(page_of(version)).content.decode()
    for shown in ("data-rules-editor", "rules/builder.js", "Main channel", "Length in days"):
        assert shown in page
    address = reverse("admin:approvals_policyversion_count", args=(version.pk,))
    body = {"predicate": asks("budget", 10000, "gte")}
    said = client.post(address, {"body": json.dumps(body)}).json()
    assert said["words"] == "Budget is at least 10,000"
    assert said["live"] == "Fits 1 of the last 1 requests of this kind that you see."
    assert "There is no field" in client.post(address, {"body": '{"predicate": {"field": "x"}}'}).json()["live"]
    assert client.post(address, {"body": "{"}).json()["live"] == "The condition is no valid JSON."
    client.force_login(person_with(Role.AUDITOR))
    assert client.post(address, {"body": json.dumps(body)}).status_code == 403


def test_a_condition_is_saved_as_a_predicate_and_refused_at_its_place(client, administrator):
    person_with(Role.APPROVER)
    version = draft_version(policy(), by=administrator)
    form = form_of(client, version)
    form |= {"rules-0-when": json.dumps({"predicate": asks("budget", "much", "gte")})}
    page = client.post(page_of(version), form).content.decode()
    assert "Budget: Give a number such as 1250 or 99.5. (at predicate/all/0/value)" in page
    form |= {"rules-0-when": json.dumps({"predicate": asks("budget", 10000, "gte")})}
    client.post(page_of(version), form)
    assert version.rules.get().when == asks("budget", 10000, "gte")
    assert "Budget is at least 10,000" in client.get(page_of(version)).content.decode()


def test_the_home_box_is_for_who_decides_or_has_sent(client):
    def sees_box(person):
        client.force_login(person)
        return 'aria-label="My approvals"' in client.get(reverse("admin:index")).content.decode()

    approver = person_with(Role.APPROVER)
    assert not sees_box(person_with(Role.AUDITOR))
    assert not sees_box(approver)
    request = in_review()
    assert sees_box(request.requester)
    assert sees_box(approver)
    approve(request, by=approver)
    assert sees_box(approver)
    assert not sees_box(person_with(Role.AUDITOR))
