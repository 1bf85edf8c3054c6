"""Maturity and roadmap: levels from evidence, overrides by a second person, phases left by measures alone."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import DatabaseError, transaction
from django.urls import reverse

from apps.accounts.enums import Role
from apps.approvals.domain.decisions import approve
from apps.approvals.models import ApprovalRequest
from apps.core import clock
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.measures import measures
from apps.processes.domain import maturity, roadmap
from apps.processes.domain.maturity_criteria import Criterion, level_of
from apps.processes.enums import MaturityLevel, StakeholderAccess
from apps.processes.models import MaturityAssessment, MaturityOverride, Process, RoadmapPhase
from tests.factories.accounts import person_with, sign_in
from tests.factories.processes import ProcessFactory, effective, steps

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture
def ops():
    return person_with(Role.OPS)


def good(ops):
    process = ProcessFactory(owner_person=ops, backup_person=person_with(Role.OPS))
    return effective(process, author=ops, flow=steps("One")).process


def criterion(level, met):
    return Criterion(level, "Title", met, "Said", "/")


@pytest.mark.parametrize(
    ("met", "level"),
    [
        ((False, True, True), MaturityLevel.BELOW),
        ((True, False, True), MaturityLevel.FOUNDATIONAL),
        ((True, True, False), MaturityLevel.MANAGED),
        ((True, True, True), MaturityLevel.OPTIMISED),
    ],
)
def test_level_needs_those_below(met, level):
    assert level_of([criterion(number, each) for number, each in enumerate(met, start=1)]) == level


def test_level_follows_the_evidence_and_keeps_its_history(ops):
    process = ProcessFactory()
    assert maturity.assess(process).level == MaturityLevel.BELOW
    maturity.assess(process)
    assert MaturityAssessment.objects.filter(process=process).count() == 1
    process.owner_person, process.backup_person = ops, person_with(Role.OPS)
    process.save()
    process = effective(process, author=ops, flow=steps("One")).process
    assert maturity.assess(process).level == MaturityLevel.FOUNDATIONAL
    assert [each.level for each in maturity.history_of(process)] == [1, 0]
    late = maturity.assess(process, at=clock.now() + dt.timedelta(days=400))
    assert late.level == MaturityLevel.BELOW
    assert [line["title"] for line in late.criteria if line["level"] == 1 and not line["met"]] == [
        "Its review is not late"
    ]


def test_override_counts_once_approved_until_its_last_day(ops):
    process, approver = good(ops), person_with(Role.APPROVER)
    row = maturity.ask_override(
        process, by=ops, level=MaturityLevel.MANAGED, reason="Runs are kept in a sheet", until=clock.today() + 10 * DAY
    )
    assert maturity.assess(process).level == MaturityLevel.FOUNDATIONAL
    request = ApprovalRequest.objects.get(object_id=row.pk, content_type__model="maturityoverride")
    with pytest.raises(NotAllowed):
        approve(request, by=ops)
    approve(request, by=approver)
    now = maturity.newest(process)
    assert (now.level, now.computed, now.override) == (2, 1, row)
    assert maturity.assess(process, at=clock.now() + 11 * DAY).level == MaturityLevel.FOUNDATIONAL


def test_what_is_asked_wrong_is_refused(ops):
    process = good(ops)
    person_with(Role.APPROVER)
    until = clock.today() + 10 * DAY
    with pytest.raises(InvalidInput, match="Say why the computed level is wrong"):
        maturity.ask_override(process, by=ops, level=2, reason="", until=until)
    with pytest.raises(InvalidInput, match="is past"):
        maturity.ask_override(process, by=ops, level=2, reason="Why", until=clock.today() - DAY)
    with pytest.raises(WrongState, match="It stands at “Foundational” already"):
        maturity.ask_override(process, by=ops, level=1, reason="Why", until=until)
    with pytest.raises(NotAllowed, match="not ask for another one"):
        maturity.ask_override(process, by=person_with(Role.AUDITOR), level=2, reason="Why", until=until)
    maturity.ask_override(process, by=ops, level=2, reason="Why", until=until)
    with pytest.raises(WrongState, match="An override waits for a decision already"):
        maturity.ask_override(process, by=ops, level=3, reason="Why", until=until)


def test_evidence_cannot_be_changed(ops):
    maturity.assess(ProcessFactory())
    with pytest.raises(DatabaseError), transaction.atomic():
        MaturityAssessment.objects.update(level=3)


def test_whole_is_assessed_from_the_measures(ops):
    good(ops)
    assert maturity.assess_all() == 2
    whole = maturity.newest(None)
    titles = [line["title"] for line in whole.criteria]
    assert "Processes standardised and documented: 50 % or more" in titles
    assert whole.level == MaturityLevel.BELOW  # there is no tool to own


def test_every_measure_answers_with_and_without_rows(ops):
    assert len(measures()) >= 14
    for each in measures():
        assert each.read().value in (None, 0), each.key
    good(ops)
    for each in measures():
        assert each.read().rows.startswith("/admin/"), each.key


def test_standard_phases_are_bound_to_measures(ops):
    phases = roadmap.bring_in_standard(by=ops, starts_on=dt.date(2026, 1, 1))
    assert [(each.title, each.starts_on, each.ends_on) for each in phases] == [
        ("Foundation", dt.date(2026, 1, 1), dt.date(2026, 3, 31)),
        ("Automation", dt.date(2026, 4, 1), dt.date(2026, 9, 30)),
        ("Excellence", dt.date(2026, 10, 1), dt.date(2027, 6, 30)),
    ]
    good(ops)
    first, second, third = roadmap.roadmap(dt.date(2026, 5, 1))
    assert (first.words, second.words, third.words) == ("Late", "Under way", "Ahead")
    documented = first.criteria[1]
    assert (documented.met, documented.reading.value, documented.percent) == (True, Decimal(100), 100)
    assert not first.is_left
    with pytest.raises(WrongState, match="The roadmap has phases of these names already"):
        roadmap.bring_in_standard(by=ops)
    with pytest.raises(NotAllowed, match="You may read the roadmap, not change it"):
        roadmap.bring_in_standard(by=person_with(Role.AUDITOR))


def test_criterion_of_a_measure_that_is_gone_says_so(ops):
    phase = RoadmapPhase.objects.create(title="One", starts_on=clock.today(), ends_on=clock.today())
    phase.criteria.create(title="Old", measure="gone.away", at_least=1)
    (found,) = roadmap.roadmap()
    assert "There is no measure called “gone.away”" in found.criteria[0].reading.note
    assert not found.is_left


def test_pages_show_levels_criteria_and_phases(client, ops):
    process = good(ops)
    maturity.assess_all()
    client = sign_in(client, ops)
    page = client.get(reverse("processes-maturity")).content.decode()
    assert process.title in page
    assert "1 foundational" in page
    page = client.get(reverse("processes-level", args=(process.pk,))).content.decode()
    assert "It has an owner and a backup" in page
    assert client.get(reverse("processes-level", args=(0,))).status_code == 200
    assert "No roadmap yet" in client.get(reverse("processes-roadmap")).content.decode()
    client.post(reverse("processes-roadmap"), {"starts_on": "2026-01-01"})
    assert RoadmapPhase.objects.count() == 3
    assert "25 % improvement in efficiency" in client.get(reverse("processes-roadmap")).content.decode()


def test_override_is_asked_for_on_a_page(client, ops):
    process = good(ops)
    person_with(Role.APPROVER)
    client, address = sign_in(client, ops), reverse("processes-override", args=(process.pk,))
    assert client.get(address).status_code == 200
    until = (clock.today() + 5 * DAY).isoformat()
    client.post(address, {"level": "2", "reason": "Why", "until": until})
    assert MaturityOverride.objects.get().process == process
    assert client.post(address, {"level": "2", "reason": "Why", "until": until}).status_code == 302
    assert MaturityOverride.objects.count() == 1


def test_closed_processes_and_writing_stay_closed(client, ops):
    closed = ProcessFactory(title="Secret", stakeholder_access=StakeholderAccess.STAKEHOLDERS)
    maturity.assess_all()
    client = sign_in(client, ops)
    assert "Secret" not in client.get(reverse("processes-maturity")).content.decode()
    assert client.get(reverse("processes-level", args=(closed.pk,))).status_code == 404
    auditor = sign_in(client, person_with(Role.AUDITOR))
    assert "Secret" in auditor.get(reverse("processes-maturity")).content.decode()
    auditor.post(reverse("processes-roadmap"), {})
    auditor.post(reverse("processes-override", args=(closed.pk,)), {"level": 2, "reason": "x", "until": "2027-01-01"})
    assert not RoadmapPhase.objects.exists()
    assert not MaturityOverride.objects.exists()
    nobody = sign_in(client, person_with())
    assert nobody.get(reverse("processes-maturity")).status_code in (302, 403)
    assert Process.objects.get() == closed
