"""Improvements: five steps in their order, figures captured by the system, and what is refused in which words."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.enums import Role
from apps.core import clock
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.processes.domain import improving, measuring, proposing
from apps.processes.domain.doing import begin_step, finish_step, reopen_step
from apps.processes.domain.running import start_run
from apps.processes.enums import Gain, ImprovementState, ProcessFigure
from apps.processes.models import Improvement, ImprovementEvent
from tests.factories.accounts import person_with, sign_in
from tests.factories.processes import ProcessFactory, effective, steps

pytestmark = pytest.mark.django_db
NOW = clock.now


def ago(days, hours=0):
    return NOW() - dt.timedelta(days=days, hours=hours)


@pytest.fixture
def ops():
    return person_with(Role.OPS)


@pytest.fixture
def process(ops):
    return effective(ProcessFactory(owner_person=ops), flow=steps("One", "Two"), at=ago(60)).process


def carried_out(process, by, days, *, again=False):
    run = start_run(process, by=by, at=ago(days))
    one = run.steps.get(key="one")
    begin_step(one, by=by, at=ago(days))
    finish_step(one, by=by, at=ago(days))
    if again:
        reopen_step(run.steps.get(key="one"), by=by, reason="Wrong", at=ago(days))
        begin_step(run.steps.get(key="one"), by=by, at=ago(days))
        finish_step(run.steps.get(key="one"), by=by, at=ago(days))
    begin_step(run.steps.get(key="two"), by=by, at=ago(days))
    finish_step(run.steps.get(key="two"), by=by, at=ago(days))
    return run


def started(process, by, **given):
    wanted = {"title": "Less rework", "figure": ProcessFigure.REWORK, "at": ago(20), **given}
    return proposing.propose(process, by=by, **wanted)


def implemented(process, by):
    row = started(process, by)
    improving.take_baseline(row, by=by, at=ago(20))
    improving.describe_gap(row, by=by, gap="Unclear", target=Decimal(10), at=ago(19))
    improving.describe_solution(row, by=by, solution="Clear", at=ago(18))
    improving.implemented(row, by=by, reason="Done", at=ago(15))
    row.refresh_from_db()
    return row


def test_figures_before_and_after_are_captured(process, ops):
    carried_out(process, ops, 30, again=True)
    carried_out(process, ops, 25)
    row = implemented(process, ops)
    assert (row.baseline, row.baseline_sample) == (Decimal(50), 2)
    carried_out(process, ops, 10)
    said = improving.validate(row, by=ops, reason="It helped.")
    row.refresh_from_db()
    assert said == "Target reached: 50 % before, 0 % after."
    assert (row.after, row.after_sample, row.gain, row.state) == (0, 1, Gain.REACHED, ImprovementState.CLOSED)
    trail = list(row.events.order_by("pk").values_list("state", "value"))
    assert [state for state, _ in trail] == ["measure", "gap", "solution", "implement", "validate", "closed"]
    assert [value for _, value in trail if value is not None] == [Decimal(50), Decimal(0)]


@pytest.mark.parametrize(
    ("figure", "before", "after", "target", "gain"),
    [
        ("rework", 50, 30, 10, Gain.BETTER),
        ("rework", 50, 50, 10, Gain.NONE),
        ("rework", 50, 10, 10, Gain.REACHED),
        ("conformance", 50, 60, 90, Gain.BETTER),
        ("conformance", 50, 95, 90, Gain.REACHED),
        ("conformance", 50, 40, 90, Gain.NONE),
    ],
)
def test_gain_is_told_by_the_figures(figure, before, after, target, gain):
    assert improving.gain_of(Improvement(figure=figure, baseline=before, after=after, target=target)) == gain


def test_steps_come_in_their_order(process, ops):
    row = started(process, ops)
    with pytest.raises(WrongState, match="First capture the figure before the change"):
        improving.describe_gap(row, by=ops, gap="Gap", target=Decimal(1))
    with pytest.raises(WrongState, match=r"Nothing of .* can be counted in the last 90 days"):
        improving.take_baseline(row, by=ops)
    carried_out(process, ops, 30, again=True)
    improving.take_baseline(row, by=ops)
    with pytest.raises(WrongState, match="First describe the gap"):
        improving.validate(row, by=ops, reason="Done")
    with pytest.raises(InvalidInput, match="The target has to be below what was measured: 100 %"):
        improving.describe_gap(row, by=ops, gap="Gap", target=Decimal(100))
    with pytest.raises(InvalidInput, match="Say what keeps the figure where it is"):
        improving.describe_gap(row, by=ops, gap=" ", target=Decimal(1))
    improving.describe_gap(row, by=ops, gap="Gap", target=Decimal(1))
    with pytest.raises(InvalidInput, match="Say what will be different"):
        improving.describe_solution(row, by=ops, solution="")
    improving.describe_solution(row, by=ops, solution="Other")
    with pytest.raises(InvalidInput, match="Say what was changed"):
        improving.implemented(row, by=ops, reason="")
    improving.implemented(row, by=ops, reason="Changed")
    with pytest.raises(WrongState, match=r"Nothing of .* can be counted since the change"):
        improving.validate(row, by=ops, reason="Learnt")
    with pytest.raises(InvalidInput, match="Say what was learnt"):
        improving.validate(row, by=ops, reason="")
    with pytest.raises(InvalidInput, match="Say why another solution is needed"):
        improving.back_to_solution(row, by=ops, reason="")
    improving.back_to_solution(row, by=ops, reason="It does not work")
    row.refresh_from_db()
    assert (row.state, row.implemented_at) == (ImprovementState.SOLUTION, None)
    with pytest.raises(InvalidInput, match="Say why it is given up"):
        improving.drop(row, by=ops, reason="")
    improving.drop(row, by=ops, reason="Enough")
    with pytest.raises(WrongState, match="is dropped; start another one"):
        improving.drop(row, by=ops, reason="Again")


def test_what_starts_wrong_is_refused(process, ops):
    with pytest.raises(InvalidInput, match="Say in a line what gets better"):
        started(process, ops, title=" ")
    with pytest.raises(InvalidInput, match="is no figure of processes"):
        started(process, ops, figure="happiness")
    with pytest.raises(NotAllowed, match="You may not start improvements"):
        started(process, person_with(Role.AUDITOR))
    row = started(process, ops)
    with pytest.raises(NotAllowed, match="not work on them"):
        improving.drop(row, by=person_with(Role.AUDITOR), reason="No")


def test_source_is_kept_and_found(process, ops):
    row = started(process, ops, source=process, reason="Seen in a review")
    assert list(improving.improvements_from(process)) == [row]
    assert row.events.get().reason == "Seen in a review"


def test_database_refuses_figures_typed_and_evidence_changed(process, ops):
    row = started(process, ops)
    for change in ({"state": "closed"}, {"baseline": 1}, {"after": 1}, {"gain": "reached"}, {"figure": "errors"}):
        with pytest.raises(DatabaseError), transaction.atomic():
            Improvement.objects.filter(pk=row.pk).update(**change)
    with pytest.raises(DatabaseError), transaction.atomic():
        ImprovementEvent.objects.update(reason="Other")


def test_every_figure_is_counted_from_runs(process, ops):
    for figure in ProcessFigure:
        assert measuring.measure(process, figure, since=ago(90)).value is None
    carried_out(process, ops, 10, again=True)
    found = {figure: measuring.measure(process, figure, since=ago(90)) for figure in ProcessFigure}
    assert found[ProcessFigure.REWORK].value == 100
    assert found[ProcessFigure.CONFORMANCE].value == 100
    assert found[ProcessFigure.ERRORS].value == 0
    assert found[ProcessFigure.EXECUTION].value is not None
    assert found[ProcessFigure.AUTOMATION].value is None  # no step says how many minutes it takes
    assert measuring.measure(process, ProcessFigure.REWORK, since=ago(5)).value is None


def test_late_ones_are_overdue(process, ops):
    row = started(process, ops, due_on=clock.today() - dt.timedelta(days=1))
    assert [each.thing for each in improving.overdue_improvements(ops, clock.today())] == [row]


def test_page_shows_picture_and_trail(client, process, ops):
    carried_out(process, ops, 30, again=True)
    row = implemented(process, ops)
    client = sign_in(client, ops)
    page = client.get(reverse("admin:processes_improvement_change", args=(row.pk,))).content.decode()
    assert 'aria-label="Before: 100 %"' in page
    assert "target 10 %" in page
    page = client.get(reverse("admin:processes_process_change", args=(process.pk,))).content.decode()
    assert "Less rework" in page


def test_started_on_the_page_of_the_process(client, process, ops):
    address = reverse("admin:processes_process_button", kwargs={"object_id": process.pk, "name": "improve"})
    client = sign_in(client, ops)
    given = {"title": "Faster", "figure": "execution", "measured_over": "90", "due_on": ""}
    client.post(address, given)
    assert Improvement.objects.get().title == "Faster"


def test_list_asks_as_much_for_three_rows_as_for_one(client, process, ops):
    client, address = sign_in(client, ops), reverse("admin:processes_improvement_changelist")
    started(process, ops)
    client.get(address)
    with CaptureQueriesContext(connection) as once:
        client.get(address)
    started(process, ops, title="Two"), started(process, ops, title="Three")
    with CaptureQueriesContext(connection) as thrice:
        client.get(address)
    assert len(thrice) == len(once)
