"""Two duties that one person should not have: refused, alerted, waived by two, reported."""

import datetime as dt

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from apps.accounts.domain.memberships import grant_role, revoke_role
from apps.accounts.enums import Role
from apps.accounts.models import Membership, User
from apps.approvals.domain.asking import withdraw
from apps.approvals.domain.decisions import approve, reject
from apps.approvals.domain.policies import ensure_policy
from apps.approvals.models import ApprovalRequest
from apps.audit.models import AuditEvent
from apps.core import clock
from apps.core.actors import acting_as
from apps.core.alerts.models import Alert
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.jobs.api import enqueue
from apps.core.jobs.testing import run_queued_jobs
from apps.rights.domain.duties import conflicts, duty_choices, watch_duties
from apps.rights.domain.granting import grant_access
from apps.rights.domain.violations import violations
from apps.rights.domain.waivers import ask_waiver, end_waiver
from apps.rights.models import SodRule, SodWaiver
from tests.admin_pages import assert_same_queries, button_of, list_of, page_of
from tests.factories.accounts import TeamFactory, administrator, person_with, sign_in
from tests.factories.processes import in_review
from tests.factories.technology import ToolFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_shipped_rules():
    SodRule.objects.all().update(is_active=False)


@pytest.fixture
def boss():
    ensure_policy("rights.sodwaiver", "Waivers of separation of duties")
    return administrator(full_name="Bea Boss")


@pytest.fixture
def second():
    return administrator(full_name="Sam Second")


def rule(first="role:ops_staff", other="role:approver", **given):
    fields = {"name": "Writes and decides", "why": "One could wave through own work.", "effect": "block", **given}
    SodRule.objects.filter(first=first, second=other).delete()
    return SodRule.objects.create(first=first, second=other, **fields)


def request_about(waiver):
    return ApprovalRequest.objects.filter(object_id=waiver.pk, content_type__model="sodwaiver").latest("pk")


def in_days(number):
    return clock.now() + dt.timedelta(days=number)


def test_shipped_rules_name_duties_that_exist():
    known = {key for _, pairs in duty_choices() for key, _ in pairs}
    rules = SodRule.objects.all()
    assert rules.count() == 6
    assert {duty for each in rules for duty in (each.first, each.second)} <= known


def test_a_role_that_brings_two_duties_together_is_refused_with_the_way_out(boss):
    rule()
    person = person_with(Role.OPS, full_name="Olga Ops")
    with pytest.raises(WrongState) as refusal:
        grant_role(person, TeamFactory(), Role.APPROVER, by=boss)
    assert str(refusal.value) == (
        "Refused by the rule “Writes and decides”: Olga Ops would have both duties, Ops staff and Approver. One could "
        "wave through own work. Take the other duty away first, or let two administrators waive the rule for a while "
        "under Separation of duties."
    )
    assert not Membership.objects.filter(person=person, role=Role.APPROVER).exists()


def test_a_rule_that_reports_lets_it_through_and_alerts(boss):
    mine = rule(effect="report", risk="high")
    person = person_with(Role.OPS, full_name="Olga Ops")
    grant_role(person, TeamFactory(name="Board"), Role.APPROVER, by=boss)
    alert = Alert.objects.get(fingerprint=f"sod:{mine.pk}:{person.pk}")
    assert alert.severity == "critical"
    assert alert.title == "Olga Ops now has both duties of the rule “Writes and decides”."
    assert "It came with: Approver in Board." in alert.detail


def test_a_rule_that_is_off_or_archived_refuses_nothing(boss):
    rule(is_active=False)
    grant_role(person_with(Role.OPS), TeamFactory(), Role.APPROVER, by=boss)
    rule(first="role:sales", archived_at=clock.now())
    grant_role(person_with(Role.SALES), TeamFactory(), Role.APPROVER, by=boss)


def test_who_has_both_already_may_get_the_same_role_in_another_team(boss):
    person = person_with(Role.OPS, Role.APPROVER)
    rule()
    grant_role(person, TeamFactory(), Role.APPROVER, by=boss)
    assert [each.person for each in conflicts()] == [person]


def test_a_right_counts_whichever_role_gives_it(boss):
    rule(first="right:technology.add_tool")
    with pytest.raises(WrongState, match="both duties, create tools and Approver"):
        grant_role(person_with(Role.OPS), TeamFactory(), Role.APPROVER, by=boss)


@pytest.mark.parametrize("to", ["person", "team", "role"])
def test_a_shared_record_counts_for_everybody_it_reaches(boss, to):
    rule(first="right:technology.change_tool")
    person = person_with(Role.APPROVER, full_name="Ada Approver")
    owner = person_with(Role.OPS)
    whom = {"person": person, "team": person.memberships.get().team, "role": Role.APPROVER}[to]
    with pytest.raises(WrongState, match="Ada Approver would have both duties, change tools and Approver"):
        grant_access(ToolFactory(owner_person=owner), to=whom, verb="change", by=owner, reason="Holiday")
    grant_access(ToolFactory(owner_person=owner), to=whom, verb="view", by=owner, reason="Holiday")


def test_joining_a_team_with_a_shared_record_counts(boss):
    owner, team = person_with(Role.OPS), TeamFactory()
    grant_access(ToolFactory(owner_person=owner), to=team, verb="change", by=owner, reason="Holiday")
    rule(first="right:technology.change_tool")
    with pytest.raises(WrongState, match="would have both duties"):
        grant_role(person_with(), team, Role.APPROVER, by=boss)


def test_rights_past_the_roles_are_found():
    from django.contrib.auth.models import Permission

    rule(first="right:technology.change_tool")
    person = person_with(Role.APPROVER)
    person.user_permissions.add(Permission.objects.get(codename="change_tool"))
    assert [(each.person, each.first) for each in conflicts()] == [(person, ("given directly",))]
    user = person_with(Role.APPROVER)
    User.objects.filter(pk=user.pk).update(is_superuser=True)
    assert {each.person: each.first for each in conflicts()}[user] == ("superuser",)


def test_deactivated_people_are_in_no_conflict():
    rule()
    person_with(Role.OPS, Role.APPROVER, is_active=False)
    assert conflicts() == []


def test_a_waiver_holds_from_the_second_persons_approval_to_its_last_day(boss, second):
    mine, person = rule(), person_with(Role.OPS, full_name="Olga Ops")
    waiver = ask_waiver(mine, person=person, expires_at=in_days(5), reason="Two people are ill", by=boss)
    with pytest.raises(WrongState):
        grant_role(person, TeamFactory(), Role.APPROVER, by=second)
    with pytest.raises(NotAllowed, match="You sent this for approval yourself"):
        approve(request_about(waiver), by=boss)
    with pytest.raises(WrongState, match="It does not hold yet: its request for approval is refused or withdrawn"):
        end_waiver(waiver, by=second, reason="Never")
    approve(request_about(waiver), by=second)
    waiver.refresh_from_db()
    assert waiver.approved_by == second
    grant_role(person, TeamFactory(), Role.APPROVER, by=second)
    assert conflicts()[0].waiver == waiver
    assert watch_duties() == {"conflicts": 0, "resolved": 0}
    end_waiver(waiver, by=second, reason="Everybody is back")
    assert Alert.objects.filter(fingerprint=f"sod:{mine.pk}:{person.pk}").exists()
    with pytest.raises(WrongState, match="This waiver ended on"):
        end_waiver(waiver, by=second, reason="Again")


def test_a_waiver_that_has_run_out_allows_nothing_and_makes_room(boss, second):
    mine, person = rule(), person_with(Role.OPS)
    waiver = ask_waiver(mine, person=person, expires_at=in_days(1), reason="Ill", by=boss)
    approve(request_about(waiver), by=second)
    import time_machine

    with time_machine.travel(in_days(2), tick=False):
        with pytest.raises(WrongState):
            grant_role(person, TeamFactory(), Role.APPROVER, by=second)
        again = ask_waiver(mine, person=person, expires_at=in_days(3), reason="Still ill", by=boss)
        assert SodWaiver.objects.get(pk=waiver.pk).ended_why == "It had run out and was asked for anew."
        with pytest.raises(WrongState, match="There is a waiver for"):
            ask_waiver(mine, person=person, expires_at=in_days(3), reason="Still ill", by=boss)
    with time_machine.travel(in_days(9), tick=False):
        with pytest.raises(WrongState, match="This waiver is expired: there is nothing to approve any more"):
            approve(request_about(again), by=second)
        third = ask_waiver(mine, person=person, expires_at=in_days(3), reason="Still ill", by=boss)
        assert request_about(again).state == "expired"
        approve(request_about(third), by=second)


@pytest.mark.parametrize("deed", ["reject", "withdraw"])
def test_a_waiver_that_is_not_approved_never_holds_and_can_be_asked_again(boss, second, deed):
    mine, person = rule(), person_with(Role.OPS)
    waiver = ask_waiver(mine, person=person, expires_at=in_days(5), reason="Ill", by=boss)
    if deed == "reject":
        reject(request_about(waiver), by=second, reason="Ask somebody else to approve meanwhile")
    else:
        withdraw(request_about(waiver), by=boss)
    waiver.refresh_from_db()
    assert (waiver.approved_at, waiver.ended_why, waiver.state_at(clock.now())) == (None, "Not approved.", "ended")
    with pytest.raises(DatabaseError, match="A waiver holds by its approval"), transaction.atomic():
        SodWaiver.objects.filter(pk=waiver.pk).update(approved_by=second, approved_at=clock.now())
    ask_waiver(mine, person=person, expires_at=in_days(5), reason="Ill", by=boss)


def test_refusals_of_waivers(boss, second):
    third = administrator()
    mine, person = rule(), person_with(Role.OPS, full_name="Olga Ops")
    asks = {"person": person, "expires_at": in_days(5), "reason": "Ill", "by": boss}
    for given, sentence in (
        ({"reason": " "}, "Say why it cannot be otherwise."),
        ({"expires_at": in_days(-1)}, "A waiver ends on a later day, at most a year from now."),
        ({"expires_at": in_days(400)}, "A waiver ends on a later day, at most a year from now."),
        ({"person": boss}, "Nobody asks for a waiver for themselves; another administrator does."),
        ({"by": person}, "Only an administrator can do this; the People page shows who is one."),
        (
            {"person": person_with(is_active=False, full_name="Gone")},
            "Gone cannot sign in; a waiver would allow nothing.",
        ),
    ):
        with pytest.raises((InvalidInput, NotAllowed), match=sentence.replace("(", r"\(")):
            ask_waiver(mine, **{**asks, **given})
    waiver = ask_waiver(mine, person=second, expires_at=in_days(5), reason="Ill", by=boss)
    with pytest.raises(NotAllowed, match=r"The waiver is for you: somebody else decides."):
        approve(request_about(waiver), by=second)
    approve(request_about(waiver), by=third)
    with pytest.raises(InvalidInput, match=r"Say why the waiver ends."):
        end_waiver(waiver, by=second, reason="")
    SodRule.objects.filter(pk=mine.pk).update(is_active=False)
    with pytest.raises(WrongState, match=r"This rule is off; there is nothing to waive."):
        ask_waiver(mine, **asks)


def test_the_database_refuses_one_person_in_two_parts_of_a_waiver(boss, second):
    mine, person = rule(), person_with(Role.OPS)
    plain = {"rule": mine, "person": person, "reason": "Ill", "expires_at": in_days(5)}
    for wrong in (
        {"asked_by": person},
        {"asked_by": boss, "approved_by": boss, "approved_at": clock.now()},
        {"asked_by": boss, "approved_by": person, "approved_at": clock.now()},
        {"asked_by": boss, "approved_by": second},
        {"asked_by": boss, "ended_at": clock.now()},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            SodWaiver.objects.create(**plain, **wrong)


def test_violations_name_who_wrote_and_decided_about_the_same_record():
    from apps.rights.domain.violations import is_observable

    mine = rule(first="right:technology.add_tool", other="right:technology.change_tool", effect="report")
    both, one = person_with(Role.OPS, full_name="Both"), person_with(Role.OPS)
    with acting_as(both):
        tool = ToolFactory()
        tool.name = "Renamed"
        tool.save()
    with acting_as(one):
        ToolFactory()
    found = violations(mine, since=in_days(-1))
    assert [(each.person, each.thing) for each in found] == [(both, tool)]
    assert found[0].first.event < found[0].second.event
    assert violations(mine, since=in_days(1)) == []
    assert is_observable("role:approver")
    assert not is_observable("right:audit.purge_ledgermonth")


def test_what_a_decision_itself_writes_is_no_second_duty():
    mine = rule(first="role:administrator", other="role:approver", effect="report")
    approver = person_with(Role.APPROVER)
    approve(in_review(), by=approver)
    assert AuditEvent.objects.filter(actor=approver, table_name=ApprovalRequest._meta.db_table).exists()
    assert violations(mine, since=in_days(-1)) == []


def test_watching_alerts_and_resolves(boss):
    person = person_with(Role.OPS, Role.APPROVER)
    mine = rule()
    enqueue("rights.watch_duties", by=boss)
    run_queued_jobs()
    alert = Alert.objects.get(fingerprint=f"sod:{mine.pk}:{person.pk}")
    revoke_role(person.memberships.get(role=Role.APPROVER), by=boss, reason="Apart")
    assert watch_duties() == {"conflicts": 0, "resolved": 1}
    alert.refresh_from_db()
    assert alert.state == "resolved"


def test_report_page_shows_who_and_where_from_and_refuses_others(boss):
    mine = rule()
    person = person_with(Role.OPS, Role.APPROVER, full_name="Olga Both")
    url = reverse("rights-duties")
    page = sign_in(Client(), boss).get(url)
    assert page.status_code == 200
    assert "Olga Both" in page.content.decode()
    assert sign_in(Client(), person_with(Role.AUDITOR)).get(url, {"days": "365"}).status_code == 200
    assert sign_in(Client(), person).get(url).status_code == 403
    assert sign_in(Client(), boss).post(url).status_code == 405
    with acting_as(boss):
        assert mine.name in page.content.decode()


def test_pages_ask_and_end(boss, second):
    mine, person = rule(), person_with(Role.OPS)
    client = sign_in(Client(), boss)
    until = (clock.today() + dt.timedelta(days=3)).isoformat()
    client.post(button_of(mine, "waive"), {"person": person.pk, "until": until, "reason": "Ill"})
    waiver = SodWaiver.objects.get()
    assert client.get(page_of(waiver)).status_code == 200
    approve(request_about(waiver), by=second)
    waiver.refresh_from_db()
    assert waiver.approved_by == second
    sign_in(Client(), second).post(button_of(waiver, "end"), {"reason": "Back"})
    waiver.refresh_from_db()
    assert waiver.ended_why == "Back"


def test_lists_take_the_same_queries_at_any_length(boss, second):
    client = sign_in(Client(), boss)

    verbs = iter(("view", "add", "change"))

    def more_rules():
        rule(first=f"right:technology.{next(verbs)}_tool", name="More")

    more_rules()
    client.get(list_of(SodRule))
    assert_same_queries(client, list_of(SodRule), more_rules)

    mine = rule()

    def more_waivers():
        ask_waiver(mine, person=person_with(), expires_at=in_days(2), reason="x", by=boss)

    more_waivers()
    assert_same_queries(client, list_of(SodWaiver), more_waivers)
