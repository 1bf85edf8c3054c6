"""Access reviews: everything listed once, decided by somebody else, carried out, read back, frozen."""

import csv
import datetime as dt
import hashlib
import io
import json
import zipfile

import pytest
import time_machine
from django.contrib.auth.models import Group, Permission
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.enums import Role
from apps.accounts.models import User, Vacancy
from apps.audit.models import AuditEvent
from apps.core import access, clock
from apps.core.actors import acting_as, system_principal
from apps.core.alerts.models import Alert
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.jobs.api import enqueue
from apps.core.jobs.testing import run_queued_jobs
from apps.core.notifications.models import Notification
from apps.core.overdue import overdue_of
from apps.rights.domain.effective import effective_grants
from apps.rights.domain.evidence import digest_of, evidence
from apps.rights.domain.granting import grant_access
from apps.rights.domain.reviewing import decide, finish_review, open_review, reviewer_for
from apps.rights.domain.watching_reviews import watch_reviews
from apps.rights.models import AccessGrant, AccessLog, AccessReview, AccessReviewEntry, SodRule
from apps.technology.models import Tool
from tests.admin_pages import assert_same_queries, button_of, list_of, page_of
from tests.factories.accounts import TeamFactory, UserFactory, administrator, person_with, sign_in
from tests.factories.technology import ToolFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss():
    return administrator(full_name="Bea Boss")


@pytest.fixture
def one():
    return person_with(Role.OPS, full_name="Rita Reviewer")


@pytest.fixture
def two():
    return person_with(Role.OPS, full_name="Sven Second")


@pytest.fixture
def holder():
    return person_with(Role.OPS, full_name="Hans Holder")


@pytest.fixture
def opened(boss, one, two, holder):
    return review_by(boss, one, two)


def review_by(boss, one, two, **given):
    said = {"due_on": clock.today() + dt.timedelta(days=10), "reviewer": one, "second_reviewer": two, **given}
    return open_review("Q4", by=boss, **said)


def line(review, person, source="role"):
    return review.entries.filter(person=person, source=source).order_by("pk").first()


def kinds_of(person):
    return {each.source: each for each in effective_grants() if each.person == person}


def test_every_kind_of_grant_is_found_with_its_source(boss, holder):
    system_principal()
    tool = ToolFactory(name="Marketo", owner_person=holder)
    grant_access(tool, to=(guest := person_with(Role.SALES)), verb="change", by=boss_who_may(tool), reason="Help")
    holder.user_permissions.add(Permission.objects.get(codename="change_process"))
    other = Group.objects.create(name="Old group")
    guest.groups.add(other)
    User.objects.filter(pk=holder.pk).update(is_superuser=True)
    mine = kinds_of(holder)
    assert set(mine) == {"role", "owner", "direct", "superuser", "staff"}
    assert mine["owner"].what == "Owner of tool Marketo"
    assert mine["superuser"].flags == ["privileged", "new"]
    assert mine["direct"].flags == ["excessive", "dormant"]
    assert {each.what for each in effective_grants() if each.person == guest} == {
        "Signs in to the back office",
        "View and change tool Marketo",
        "Member of the group Old group, which no role manages",
        f"Sales in {guest.memberships.get().team}",
    }
    assert [each.label for each in effective_grants() if each.source == "service"] == ["mops"]


def boss_who_may(tool):
    return tool.owner_person


def test_last_use_comes_from_the_ledger(holder):
    with acting_as(holder):
        ToolFactory()
    role = kinds_of(holder)["role"]
    assert role.used[1] == "changed something it opens"
    assert role.used[0] == AuditEvent.objects.filter(actor=holder).latest("id").at


def test_flags_new_dormant_orphaned_and_two_duties(boss):
    with time_machine.travel("2026-01-05T10:00Z", tick=False):
        old = person_with(Role.OPS, Role.APPROVER, full_name="Olga Old")
        leaver = person_with(Role.OPS)
    User.objects.filter(pk=leaver.pk).update(is_active=False)
    SodRule.objects.update_or_create(
        first="role:ops_staff",
        second="role:approver",
        defaults={"name": "Prepares and decides", "why": "Friends could wave work through.", "is_active": True},
    )
    flags = {each.what: each.flags for each in effective_grants() if each.person == old and each.source == "role"}
    assert all(set(each) == {"dormant", "conflict"} for each in flags.values())
    assert "orphaned" in kinds_of(leaver)["role"].flags
    assert kinds_of(person_with(Role.AUDITOR))["role"].flags == ["privileged", "new"]


@pytest.mark.parametrize("scope", ["team", "role", "app"])
def test_a_scope_narrows_the_lines(boss, one, two, holder, scope):
    team = holder.memberships.get().team
    sales = person_with(Role.SALES)
    given = {"team": {"team": team}, "role": {"role": "sales"}, "app": {"app": "technology"}}[scope]
    review = review_by(boss, one, two, scope=scope, **given)
    people = set(review.entries.values_list("person", flat=True))
    assert (holder.pk in people) == (scope != "role")
    assert (sales.pk in people) == (scope == "role")
    assert review.scope_in_words


def test_nobody_reviews_themselves(opened, one, two, holder):
    assert line(opened, holder).reviewer == one
    assert line(opened, one).reviewer == two
    with pytest.raises(NotAllowed, match=r"Nobody decides about what they have themselves; another reviewer does."):
        decide(line(opened, one), "keep", by=one)
    with pytest.raises(IntegrityError), transaction.atomic():
        AccessReviewEntry.objects.filter(pk=line(opened, holder).pk).update(reviewer=holder)
    moment = {"decision": "keep", "decided_by": holder, "decided_at": clock.now()}
    with pytest.raises(IntegrityError), transaction.atomic():
        AccessReviewEntry.objects.filter(pk=line(opened, holder).pk).update(**moment)


def test_managers_review_their_people_where_asked_for(boss, one, two, holder):
    chief = person_with(Role.EXECUTIVE)
    User.objects.filter(pk=holder.pk).update(manager=chief)
    User.objects.filter(pk=chief.pk).update(manager=(auditor := person_with(Role.AUDITOR)))
    review = review_by(boss, one, two, assignment="manager")
    assert line(review, holder).reviewer == chief
    assert line(review, chief).reviewer == one
    assert reviewer_for(review, one) == two
    with pytest.raises(NotAllowed):
        decide(line(review, chief), "keep", by=auditor)
    assert Notification.objects.filter(recipient=chief, kind="rights.review").count() == 1


def test_opening_is_refused_in_words(boss, one, two, holder):
    gone = person_with(is_active=False, full_name="Gone")
    auditor = person_with(Role.AUDITOR, full_name="Audit")
    for given, sentence in (
        ({"due_on": clock.today() - dt.timedelta(days=1)}, "This day is over; choose a later one."),
        ({"second_reviewer": one}, "The second reviewer reviews the first, so name two people."),
        ({"reviewer": gone}, "Gone cannot sign in; choose somebody who works here."),
        ({"reviewer": auditor}, "Audit is an auditor, who changes nothing; choose somebody else."),
        ({"scope": "team"}, "Say which team."),
        ({"scope": "team", "team": TeamFactory()}, "Nothing is granted in this scope"),
    ):
        with pytest.raises(InvalidInput, match=sentence.replace("?", r"\?")):
            review_by(boss, one, two, **given)
    with pytest.raises(InvalidInput, match="Name the review"):
        open_review(" ", by=boss, reviewer=one, second_reviewer=two, due_on=clock.today())
    with pytest.raises(NotAllowed, match="Only an administrator"):
        review_by(one, one, two)


def test_revoking_a_role_is_carried_out_and_read_back(opened, one, holder):
    entry = line(opened, holder)
    said = decide(entry, "revoke", by=one, note="Moved to Sales")
    assert said == f"Hans Holder is no longer Ops staff in {entry.membership.team}."
    entry.refresh_from_db()
    assert entry.executed_at
    assert entry.verified_at
    assert not holder.groups.filter(name="ops_staff").exists()
    event = AuditEvent.objects.filter(table_name="accounts_membership", action="update").latest("id")
    assert event.on_behalf_of_label == one.email
    assert event.reason == "Q4: Moved to Sales"
    with pytest.raises(WrongState, match="This was carried out on"):
        decide(entry, "keep", by=one)


def test_reducing_a_role_leaves_looking_on(opened, one, holder):
    decide(line(opened, holder), "reduce", by=one, note="Only reads now")
    assert set(holder.memberships.filter(archived_at=None).values_list("role", flat=True)) == {"executive"}
    assert not access.has_model_permission(User.objects.get(pk=holder.pk), "change", Tool)
    assert line(opened, holder).verified_at


def test_reducing_and_revoking_shared_records(boss, one, two, holder):
    tool, guest = ToolFactory(owner_person=holder), person_with()
    end = clock.now() + dt.timedelta(days=30)
    grant_access(tool, to=guest, verb="change", by=holder, reason="Help", expires_at=end)
    review = review_by(boss, one, two)
    decide(line(review, guest, "shared"), "reduce", by=one, note="Reads only")
    left = AccessGrant.objects.get(person=guest, revoked_at=None)
    assert (left.verb, left.expires_at) == ("view", end)
    again = review_by(boss, one, two)
    with pytest.raises(WrongState, match=r"It only lets them look already; keep or revoke it."):
        decide(line(again, guest, "shared"), "reduce", by=one, note="More")
    decide(line(again, guest, "shared"), "revoke", by=one, note="Done")
    assert not access.visible(guest, Tool).exists()


def test_revoking_ownership_direct_rights_superuser_and_the_account(boss, one, two, holder):
    tool = ToolFactory(owner_person=holder)
    holder.user_permissions.add(Permission.objects.get(codename="change_process"))
    holder.groups.add(Group.objects.create(name="Old group"))
    User.objects.filter(pk=holder.pk).update(is_superuser=True)
    review = review_by(boss, one, two)
    for source in ("owner", "superuser"):
        decide(line(review, holder, source), "revoke", by=one, note="Over")
    for entry in review.entries.filter(person=holder, source="direct"):
        decide(entry, "revoke", by=one, note="Over")
    tool.refresh_from_db()
    fresh = User.objects.get(pk=holder.pk)
    assert tool.owner_person is None
    assert Vacancy.objects.filter(left_by=holder, object_id=str(tool.pk), filled_at=None).exists()
    assert not fresh.is_superuser
    assert not fresh.user_permissions.exists()
    assert set(fresh.groups.values_list("name", flat=True)) == {"ops_staff"}
    decide(line(review, holder, "staff"), "revoke", by=one, note="Left")
    fresh.refresh_from_db()
    assert not fresh.is_active
    assert not review.entries.filter(decision="revoke", verified_at=None).exists()


def test_what_cannot_be_taken_is_refused_in_words(boss, one, two, holder):
    system_principal()
    opened = review_by(boss, one, two)
    service = opened.entries.get(source="service")
    with pytest.raises(WrongState, match="mops itself needs this account"):
        decide(service, "revoke", by=one, note="x")
    with pytest.raises(WrongState, match="There is less to reduce it to"):
        decide(line(opened, holder, "staff"), "reduce", by=one, note="x")
    with pytest.raises(WrongState, match="last active administrator"):
        decide(line(opened, boss), "revoke", by=one, note="x")
    assert line(opened, boss).decision == ""
    with pytest.raises(InvalidInput, match=r"Say why it is taken away."):
        decide(line(opened, holder), "revoke", by=one)
    with pytest.raises(NotAllowed, match="Rita Reviewer decides about this line"):
        decide(line(opened, holder), "keep", by=boss)


def test_a_revocation_that_did_not_take_is_an_alert(opened, one, holder):
    entry = line(opened, holder)
    decide(entry, "revoke", by=one, note="Over")
    holder.groups.add(Group.objects.get(name="ops_staff"))  # past every operation
    assert watch_reviews()["not_taken"] == 1
    alert = Alert.objects.get(fingerprint=f"review.entry:{entry.pk}")
    assert alert.severity == "critical"
    assert "what was revoked is still there: Hans Holder" in alert.title
    holder.groups.clear()
    assert watch_reviews()["not_taken"] == 0
    alert.refresh_from_db()
    assert alert.state == "resolved"


def finish(review, one, two):
    for entry in review.entries.filter(decision=""):
        decide(entry, "keep", by=two if entry.person_id == one.pk else one)
    finish_review(review, by=one)
    review.refresh_from_db()


def test_finishing_waits_for_every_line_then_freezes_them(opened, boss, one, two, holder):
    with pytest.raises(WrongState, match=r"\d+ lines wait for a decision; decide about all of them first."):
        finish_review(opened, by=one)
    with pytest.raises((NotAllowed, WrongState)):
        finish_review(opened, by=holder)
    finish(opened, one, two)
    assert opened.digest == digest_of(opened)
    with pytest.raises(WrongState, match="This review is finished"):
        decide(line(opened, holder), "revoke", by=one, note="Late")
    for statement in (
        lambda: AccessReviewEntry.objects.filter(review=opened).update(note="Late"),
        lambda: AccessReviewEntry.objects.filter(review=opened).delete(),
        lambda: AccessReview.objects.filter(pk=opened.pk).update(name="Other"),
        lambda: AccessReviewEntry.objects.create(
            review=opened, principal_label="x", source="role", what="x", reviewer=one
        ),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            statement()
    with pytest.raises(WrongState, match="This review was finished on"):
        finish_review(opened, by=boss)


def test_what_was_found_is_never_rewritten(opened, holder):
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
        AccessReviewEntry.objects.filter(review=opened, person=holder).update(flags=[])


def test_evidence_proves_itself_and_escapes_formulas(boss, one, two):
    UserFactory(full_name="=cmd|' /C calc'!A0")
    review = review_by(boss, one, two)
    finish(review, one, two)
    User.objects.filter(pk=one.pk).update(email="new@example.com")
    archive = zipfile.ZipFile(io.BytesIO(evidence(review, by=boss)))
    table, manifest = archive.read("lines.csv"), json.loads(archive.read("manifest.json"))
    assert manifest["sha256_when_finished"] == hashlib.sha256(table).hexdigest() == review.digest
    rows = list(csv.DictReader(io.StringIO(table.decode())))
    assert manifest["lines"] == len(rows) == review.entries.count()
    assert manifest["decisions"] == {"keep": len(rows)}
    assert "'=cmd|' /C calc'!A0" in {row["who"] for row in rows}
    assert AccessLog.objects.filter(kind="export", person=boss).count() == 1
    with pytest.raises(NotAllowed, match="Administrators, auditors and the reviewers"):
        evidence(review, by=person_with(Role.OPS))


def test_overdue_reviews_remind_and_escalate(opened, boss, one, two, holder):
    day = opened.due_on
    with time_machine.travel(dt.datetime.combine(day, dt.time(8), dt.UTC) - dt.timedelta(days=3), tick=False):
        enqueue("rights.watch_reviews", by=boss)
        run_queued_jobs()
    assert Notification.objects.filter(recipient=one, title__contains="due on").count() == 1
    with time_machine.travel(dt.datetime.combine(day, dt.time(8), dt.UTC) + dt.timedelta(days=2), tick=False):
        assert watch_reviews()["overdue"] == 1
        assert watch_reviews()["reminded"] == 0
        assert [each.to_do for each in overdue_of(one, clock.today())] == ["Decide about the lines of Q4"]
    alert = Alert.objects.get(fingerprint=f"review.overdue:{opened.pk}")
    assert alert.severity == "warning"
    with time_machine.travel(dt.datetime.combine(day, dt.time(8), dt.UTC) + dt.timedelta(days=9), tick=False):
        watch_reviews()
    alert.refresh_from_db()
    assert alert.severity == "critical"
    finish(opened, one, two)
    alert.refresh_from_db()
    assert alert.state == "resolved"


def test_pages_for_each_reader(opened, boss, one, holder):
    entry = line(opened, holder)
    auditor = person_with(Role.AUDITOR)
    for person, review, lines in ((boss, 200, 200), (auditor, 200, 200), (one, 403, 200), (holder, 403, 404)):
        client = sign_in(Client(), person)
        assert client.get(page_of(opened)).status_code in (review, 302 if review == 403 else review, 404)
        answer = client.get(page_of(entry)).status_code
        assert answer == lines if lines == 200 else answer in (302, 403, 404)
    listed = sign_in(Client(), holder).get(list_of(AccessReviewEntry))
    assert listed.status_code == 200
    assert listed.context["cl"].result_count == 0


def test_buttons_and_the_list_action_decide(opened, one, holder):
    client = sign_in(Client(), one)
    entry, staff = line(opened, holder), line(opened, holder, "staff")
    client.post(button_of(entry, "revoke"), {"note": "Over"})
    chosen = {"action": "keep_chosen", "_selected_action": [staff.pk, line(opened, one).pk]}
    said = client.post(list_of(AccessReviewEntry), chosen, follow=True)
    entry.refresh_from_db(), staff.refresh_from_db()
    assert (entry.decision, staff.decision) == ("revoke", "keep")
    assert "1 line is kept." in [str(each) for each in said.context["messages"]]


def test_open_and_take_out_on_the_page(boss, one, two):
    client = sign_in(Client(), boss)
    url = reverse("admin:rights_accessreview_list_kit", kwargs={"kit": "review", "verb": "open"})
    assert client.get(url).status_code == 200
    due = (clock.today() + dt.timedelta(days=9)).isoformat()
    given = {"name": "Q1", "scope": "all", "assignment": "reviewer", "due_on": due}
    client.post(url, {**given, "reviewer": one.pk, "second_reviewer": one.pk})
    assert not AccessReview.objects.exists()
    client.post(url, {**given, "reviewer": one.pk, "second_reviewer": two.pk})
    review = AccessReview.objects.get()
    assert client.get(page_of(review)).status_code == 200
    take = reverse(
        "admin:rights_accessreview_kit", kwargs={"object_id": review.pk, "kit": "review", "verb": "evidence"}
    )
    assert client.get(take).status_code == 405
    assert client.post(take)["Content-Type"] == "application/zip"
    assert sign_in(Client(), person_with(Role.OPS)).get(url).status_code in (302, 403)


def test_lists_take_the_same_queries_at_any_length(opened, boss, one, two):
    client = sign_in(Client(), boss)
    assert_same_queries(client, list_of(AccessReview), lambda: review_by(boss, one, two))
    url = f"{list_of(AccessReviewEntry)}?review__id__exact={opened.pk}"
    assert client.get(url).status_code == 200
    assert_same_queries(client, list_of(AccessReviewEntry), lambda: review_by(boss, one, two))


def test_listing_takes_the_same_queries_for_many_people(django_assert_max_num_queries):
    person_with(Role.OPS)
    effective_grants()  # kinds of records are looked up once for each process
    with CaptureQueriesContext(connection) as one:
        effective_grants()
    for _ in range(3):
        person_with(Role.OPS)
    with django_assert_max_num_queries(len(one)):
        effective_grants()
