"""Runs: what is due when, who may do what, what is written down, and what is refused in which words."""

import datetime as dt

import pytest
from django.db import DatabaseError, connection, transaction

from apps.accounts.enums import Role
from apps.approvals.domain.decisions import approve, reject
from apps.approvals.models import ApprovalRequest
from apps.core import clock
from apps.core.actors import acting_as
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.notifications.models import Notification
from apps.processes.domain import doing, moving, running, waiving
from apps.processes.domain.publishing import submit_for_approval
from apps.processes.domain.queries import overdue_runs
from apps.processes.enums import RunState, StepKind, StepState, WaiverState
from apps.processes.models import Run, RunStep, RunStepEvent
from apps.processes.models.values import Flow, FlowEdge, FlowStep
from tests.factories.accounts import person_with
from tests.factories.processes import ProcessFactory, ProcessRoleFactory, effective, in_review, steps

pytestmark = pytest.mark.django_db
BRANCHED = Flow(
    (
        FlowStep("write", "Write", role="Author"),
        FlowStep("check", "Check", kind=StepKind.CHECK, role="Editor"),
        FlowStep("choose", "Print or post?", kind=StepKind.DECISION, role="Editor"),
        FlowStep("print", "Print", role="Author"),
        FlowStep("post", "Post", role="Author"),
        FlowStep("file", "File it", kind=StepKind.EVIDENCE, role="Author"),
    ),
    (
        FlowEdge("write", "check"),
        FlowEdge("check", "choose"),
        FlowEdge("check", "write", "not good", is_rework=True),
        FlowEdge("choose", "print", "on paper"),
        FlowEdge("choose", "post", "online"),
        FlowEdge("print", "file"),
        FlowEdge("post", "file"),
    ),
)


@pytest.fixture
def ops():
    return person_with(Role.OPS)


@pytest.fixture
def other():
    return person_with(Role.OPS)


def started(by, flow=None, sop=None):
    version = effective(sop, flow=flow or steps("One", "Two"))
    return running.start_run(version.process, by=by, title="The run")


def step(run, key):
    return RunStep.objects.select_related("run__process", "run__version", "step", "assignee").get(run=run, key=key)


def standing(run):
    return dict(run.steps.values_list("key", "state"))


def test_a_run_starts_pinned_with_its_first_step_due(ops):
    run = started(ops)
    assert standing(run) == {"one": "todo", "two": "later"}
    assert (run.version, run.steps_total, run.owner_person) == (run.process.effective_version, 2, ops)


def test_nothing_in_force_cannot_be_run(ops):
    with pytest.raises(WrongState, match="has no version in force"):
        running.start_run(ProcessFactory(), by=ops)


def test_a_version_without_steps_cannot_be_run(ops):
    with pytest.raises(WrongState, match="has no steps"):
        running.start_run(effective().process, by=ops)


def test_an_auditor_starts_nothing():
    with pytest.raises(NotAllowed, match="may not start runs"):
        running.start_run(effective(flow=steps("One")).process, by=person_with(Role.AUDITOR))


def test_a_run_is_not_due_before_it_starts(ops):
    process = effective(flow=steps("One")).process
    with pytest.raises(InvalidInput, match="cannot be due before it starts"):
        running.start_run(process, by=ops, due_on=clock.today() - dt.timedelta(days=1))


def test_steps_follow_each_other_and_the_run_finishes_by_itself(ops):
    run = started(ops)
    doing.begin_step(step(run, "one"), by=ops)
    assert standing(run) == {"one": "doing", "two": "later"}
    doing.finish_step(step(run, "one"), by=ops, evidence="It is there.")
    assert standing(run) == {"one": "done", "two": "todo"}
    said = doing.finish_step(step(run, "two"), by=ops)
    run.refresh_from_db()
    assert (run.state, run.steps_closed) == (RunState.DONE, 2)
    assert said == "“Two” is done, and with it The run."


def test_a_step_that_is_not_due_is_refused(ops):
    with pytest.raises(WrongState, match="not due yet"):
        doing.begin_step(step(started(ops), "two"), by=ops)


def test_somebody_elses_step_is_assigned_first(ops, other):
    run = started(ops)
    doing.assign_step(step(run, "one"), by=ops, person=other)
    with pytest.raises(WrongState, match="assign it to yourself first"):
        doing.begin_step(step(run, "one"), by=ops)
    doing.begin_step(step(run, "one"), by=other)
    assert Notification.objects.filter(kind=doing.ASSIGNED, recipient=other).count() == 1


def test_nobody_is_assigned_who_may_not_work_on_it(ops):
    run = started(ops)
    with pytest.raises(InvalidInput, match="their roles do not allow it"):
        doing.assign_step(step(run, "one"), by=ops, person=person_with(Role.AUDITOR))
    with pytest.raises(InvalidInput, match="is deactivated"):
        doing.assign_step(step(run, "one"), by=ops, person=person_with(Role.OPS, is_active=False))


def test_a_gated_step_wants_the_version_read(ops):
    version = effective(flow=steps("One"))
    run = running.start_run(version.process, by=ops)
    with acting_as(ops):
        version.process.requirements.create(role=ProcessRoleFactory(people=[ops]))
    with pytest.raises(WrongState, match="has not read the version"):
        doing.begin_step(step(run, "one"), by=ops)
    with pytest.raises(InvalidInput, match="has not read the version"):
        doing.assign_step(step(run, "one"), by=ops, person=ops)


def test_waiting_and_failing_want_a_reason_and_go_on(ops):
    run = started(ops)
    with pytest.raises(InvalidInput, match="Say what it waits for"):
        doing.wait_step(step(run, "one"), by=ops, reason=" ")
    doing.wait_step(step(run, "one"), by=ops, reason="The list")
    assert (step(run, "one").state, step(run, "one").waits_for) == (StepState.WAITING, "The list")
    with pytest.raises(WrongState, match="go on with it first"):
        doing.finish_step(step(run, "one"), by=ops)
    doing.resume_step(step(run, "one"), by=ops)
    with pytest.raises(InvalidInput, match="Say what went wrong"):
        doing.fail_step(step(run, "one"), by=ops, reason="")
    doing.fail_step(step(run, "one"), by=ops, reason="The file is broken")
    doing.resume_step(step(run, "one"), by=ops)
    assert (step(run, "one").state, step(run, "one").round) == (StepState.DOING, 2)


def test_only_what_is_in_work_fails_and_only_what_waits_goes_on(ops):
    run = started(ops)
    with pytest.raises(WrongState, match="cannot fail"):
        doing.fail_step(step(run, "one"), by=ops, reason="No")
    with pytest.raises(WrongState, match="neither waits nor has failed"):
        doing.resume_step(step(run, "one"), by=ops)


def test_who_did_the_work_does_not_check_it(ops, other):
    run = started(ops, BRANCHED)
    doing.finish_step(step(run, "write"), by=ops)
    with pytest.raises(WrongState, match="You did “Write” yourself"):
        doing.finish_step(step(run, "check"), by=ops)
    doing.finish_step(step(run, "check"), by=other, ways=["choose"])
    assert standing(run)["choose"] == "todo"


def test_a_way_back_makes_the_steps_due_again(ops, other):
    run = started(ops, BRANCHED)
    doing.finish_step(step(run, "write"), by=ops)
    doing.finish_step(step(run, "check"), by=other, ways=["write"])
    assert standing(run)["write"] == "todo"
    assert standing(run)["check"] == "later"
    assert step(run, "write").round == 2


def test_a_decision_takes_one_way_and_leaves_the_other_out(ops, other):
    run = started(ops, BRANCHED)
    doing.finish_step(step(run, "write"), by=ops)
    doing.finish_step(step(run, "check"), by=other)
    with pytest.raises(InvalidInput, match="leads on in several ways"):
        doing.finish_step(step(run, "choose"), by=ops)
    with pytest.raises(InvalidInput, match="choose one way"):
        doing.finish_step(step(run, "choose"), by=ops, ways=["print", "post"])
    with pytest.raises(InvalidInput, match="No way leads from"):
        doing.finish_step(step(run, "choose"), by=ops, ways=["file"])
    doing.finish_step(step(run, "choose"), by=ops, ways=["post"])
    assert (standing(run)["print"], standing(run)["post"], standing(run)["file"]) == ("skipped", "todo", "later")
    doing.finish_step(step(run, "post"), by=ops)
    with pytest.raises(InvalidInput, match="asks for evidence"):
        doing.finish_step(step(run, "file"), by=ops)
    doing.finish_step(step(run, "file"), by=ops, evidence="Folder 7")
    run.refresh_from_db()
    assert run.state == RunState.DONE


def test_reopening_wants_a_reason_and_takes_back_what_came_after(ops):
    run = started(ops, steps("One", "Two", "Three"))
    doing.finish_step(step(run, "one"), by=ops)
    with pytest.raises(InvalidInput, match="Say why it is done again"):
        doing.reopen_step(step(run, "one"), by=ops, reason="")
    with pytest.raises(WrongState, match="nothing to reopen"):
        doing.reopen_step(step(run, "two"), by=ops, reason="No")
    doing.reopen_step(step(run, "one"), by=ops, reason="A page is missing.")
    assert standing(run) == {"one": "todo", "two": "later", "three": "later"}


def test_what_blocks_nothing_is_left_out_at_once_with_a_reason(ops):
    run = started(ops, steps("One", "Two", blocking=False))
    with pytest.raises(InvalidInput, match="Say why it can be left out"):
        waiving.waive_step(step(run, "one"), by=ops, reason="")
    waiving.waive_step(step(run, "one"), by=ops, reason="Not this time")
    assert standing(run)["one"] == "waived"
    with pytest.raises(WrongState, match="blocks nothing"):
        waiving.ask_waiver(step(run, "two"), by=ops, reason="x")


def test_a_blocking_step_is_left_out_by_a_second_person(ops):
    run = started(ops)
    with pytest.raises(WrongState, match="is blocking; ask to leave it out"):
        waiving.waive_step(step(run, "one"), by=ops, reason="No")
    waiving.ask_waiver(step(run, "one"), by=ops, reason="Done by the agency")
    with pytest.raises(WrongState, match="waits for a decision already"):
        waiving.ask_waiver(step(run, "one"), by=ops, reason="Again")
    assert standing(run) == {"one": "todo", "two": "later"}
    request = ApprovalRequest.objects.get(content_type__model="stepwaiver")
    approve(request, by=person_with(Role.APPROVER), note="Fine")
    assert standing(run) == {"one": "waived", "two": "todo"}
    assert step(run, "one").waivers.get().state == WaiverState.APPROVED


def test_a_refused_waiver_leaves_the_step_open(ops):
    run = started(ops)
    waiving.ask_waiver(step(run, "one"), by=ops, reason="Please")
    request = ApprovalRequest.objects.get(content_type__model="stepwaiver")
    reject(request, by=person_with(Role.APPROVER), reason="Do it")
    assert standing(run)["one"] == "todo"
    assert step(run, "one").waivers.get().state == WaiverState.REFUSED


def test_what_is_over_is_frozen(ops):
    run = started(ops)
    with pytest.raises(InvalidInput, match="Say why it is called off"):
        running.cancel_run(run, by=ops, reason=" ")
    running.cancel_run(run, by=ops, reason="No budget")
    with pytest.raises(WrongState, match="is over already"):
        running.cancel_run(run, by=ops, reason="Twice")
    with pytest.raises(WrongState, match="is over"):
        doing.begin_step(step(run, "one"), by=ops)
    with pytest.raises(DatabaseError, match="This run is over"), transaction.atomic(), acting_as(ops):
        Run.objects.filter(pk=run.pk).update(title="Another")


def test_no_edit_moves_a_run_or_a_step(ops):
    run = started(ops)
    with pytest.raises(DatabaseError, match="by the buttons"), transaction.atomic(), acting_as(ops):
        RunStep.objects.filter(run=run).update(state="done")
    with pytest.raises(DatabaseError, match="moves by its steps"), transaction.atomic(), acting_as(ops):
        Run.objects.filter(pk=run.pk).update(steps_closed=2)


@pytest.mark.parametrize(
    "verb", ["UPDATE processes_runstepevent SET reason = 'x'", "DELETE FROM processes_runstepevent"]
)
def test_what_happened_stays(ops, verb):
    started(ops)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(verb)
    assert RunStepEvent.objects.filter(deed="opened").count() == 1


def test_a_run_goes_to_the_version_in_force_after_a_preview(ops):
    run = started(ops, steps("One", "Two"))
    with pytest.raises(WrongState, match="follows the version in force already"):
        moving.move_run(run, by=ops, reason="No")
    doing.finish_step(step(run, "one"), by=ops)
    effective(run.process, flow=steps("Two", "Three"))
    run = Run.objects.get(pk=run.pk)
    plan = moving.plan_move(run, run.process.effective_version)
    assert (plan.kept, plan.added, plan.lost, plan.work_lost) == (("Two",), ("Three",), ("One",), ("One",))
    with pytest.raises(InvalidInput, match="Say why the run changes"):
        moving.move_run(run, by=ops, reason="")
    said = moving.move_run(run, by=ops, reason="Law changed")
    run.refresh_from_db()
    assert said == "The run follows version 2 now."
    assert standing(run) == {"one": "done", "two": "todo", "three": "later"}
    assert (run.version.number, run.steps_total, run.steps_closed) == (2, 2, 0)
    assert run.events.filter(deed="moved").count() == 2


def test_a_version_in_review_does_not_change_a_run(ops):
    run = started(ops)
    in_review(run.process, author=ops, flow=steps("Other"))
    assert moving.refuse_move(ops, run) == "The run follows the version in force already."


def test_a_run_past_its_day_is_overdue_for_its_owner(ops, other):
    process = effective(flow=steps("One")).process
    begun = clock.now() - dt.timedelta(days=9)
    run = running.start_run(process, by=ops, due_on=begun.date(), at=begun)
    assert [each.thing for each in overdue_runs(ops, clock.today())] == [run]
    assert list(overdue_runs(other, clock.today())) == []


def chosen(process, by, way):
    run = running.start_run(process, by=by, title="The run")
    doing.finish_step(step(run, "write"), by=by)
    second = person_with(Role.OPS)
    doing.finish_step(step(run, "check"), by=second, ways=["choose"])
    doing.finish_step(step(run, "choose"), by=second, ways=[way])
    return run


def without(key, *more):
    ways = tuple(each for each in (*BRANCHED.edges, *more) if key not in (each.source, each.target))
    return Flow(tuple(each for each in BRANCHED.steps if each.key != key) + EMAILED, ways)


EMAILED = (FlowStep("mail", "Mail", role="Author"),)
TO_MAIL = (FlowEdge("choose", "mail", "by mail"), FlowEdge("mail", "file"))


def test_way_that_was_not_taken_stays_so_in_the_next_version(ops):
    process = effective(flow=BRANCHED).process
    run = chosen(process, ops, "post")
    effective(process, flow=Flow((*BRANCHED.steps, *EMAILED), (*BRANCHED.edges, *TO_MAIL)), change_log="Mail too")
    run.refresh_from_db()
    process.refresh_from_db()
    assert moving.plan_move(run, process.effective_version).decided_again == ()
    moving.move_run(run, by=ops, reason="Newer")
    assert {key: step(run, key).state for key in ("choose", "print", "post", "mail")} == {
        "choose": StepState.DONE,
        "print": StepState.SKIPPED,
        "post": StepState.TODO,
        "mail": StepState.SKIPPED,
    }


def test_decision_whose_way_is_gone_is_made_anew(ops):
    process = effective(flow=BRANCHED).process
    run = chosen(process, ops, "post")
    effective(process, flow=without("post", *TO_MAIL), change_log="No posts any more")
    run.refresh_from_db()
    process.refresh_from_db()
    assert moving.plan_move(run, process.effective_version).decided_again == ("Print or post?",)
    moving.move_run(run, by=ops, reason="Newer")
    assert {key: step(run, key).state for key in ("choose", "print", "mail", "file")} == {
        "choose": StepState.TODO,
        "print": StepState.LATER,
        "mail": StepState.LATER,
        "file": StepState.LATER,
    }
    assert step(run, "choose").round == 2


def test_approver_of_a_closed_process_is_one_of_its_stakeholders(ops):
    process = ProcessFactory(title="Closed", owner_person=ops, stakeholder_access="stakeholders")
    approver = person_with(Role.APPROVER)
    with pytest.raises(WrongState, match="Closed is kept to its owners and stakeholders, so one of them decides"):
        in_review(process, author=ops, flow=steps("One"))
    stakeholder = process.stakeholders.create(person=approver)
    version = process.versions.get()
    submit_for_approval(version, by=ops)
    request = ApprovalRequest.objects.get(object_id=version.pk, content_type__model="sopversion", state="in_review")
    other = person_with(Role.APPROVER)
    with pytest.raises(NotAllowed, match="Whoever answers for it names the approver as a stakeholder first"):
        approve(request, by=other)
    approve(request, by=approver)
    process.refresh_from_db()
    assert process.effective_version == version
    assert stakeholder.person == approver
