"""Figures from the events of runs: counted by hand here, by the product there."""

import datetime as dt

import pytest
from django.urls import reverse

from apps.accounts.enums import Role
from apps.core import clock
from apps.processes.domain import doing, running
from apps.processes.domain.figures import Counted, Happened, automation_coverage, count_steps, overlay, report
from apps.processes.domain.waiving import waive_step
from tests.admin_pages import page_of
from tests.factories.accounts import person_with
from tests.factories.processes import effective, steps
from tests.processes.test_runs import step

START = dt.datetime(2026, 6, 1, 9, tzinfo=dt.UTC)


def wall(start, end):
    return end - start


def happened(*told, run=1, key="a"):
    return [Happened(run, key, deed, START + dt.timedelta(minutes=minute)) for minute, deed in told]


def test_waiting_and_work_are_told_apart():
    events = happened((0, "opened"), (10, "started"), (40, "waited"), (100, "resumed"), (105, "done"))
    counted = count_steps(events, wall)["a"]
    assert (counted.waiting, counted.working) == ([70.0], [35.0])


def test_the_time_after_a_failure_counts_as_neither():
    events = happened((0, "opened"), (5, "started"), (10, "failed"), (500, "resumed"), (520, "done"))
    counted = count_steps(events, wall)["a"]
    assert (counted.waiting, counted.working, counted.failed, counted.again) == ([5.0], [25.0], 1, 1)


def test_done_twice_is_rework_once():
    twice = happened(
        (0, "opened"), (1, "started"), (2, "done"), (3, "reopened"), (4, "opened"), (5, "started"), (6, "done")
    )
    counted = count_steps(twice + happened((0, "opened"), (1, "started"), (2, "done"), run=2), wall)["a"]
    assert (counted.runs, counted.again, counted.done) == (2, 1, 3)


def test_what_was_never_due_is_not_counted():
    assert count_steps(happened((0, "skipped")), wall) == {}


def test_assigning_starts_no_time():
    events = happened((0, "opened"), (5, "assigned"), (10, "started"), (20, "done"))
    assert count_steps(events, wall)["a"].waiting == [10.0]


def test_automation_coverage_weighs_minutes_and_times_done():
    counted = {"a": Counted(done=3), "b": Counted(done=1), "c": Counted(done=1)}
    modes = {"a": ("automated", 10), "b": ("manual", 50), "c": ("assisted", 20)}
    assert automation_coverage(counted, modes) == (30 + 10) / (30 + 50 + 20)


def test_automation_coverage_of_nothing_is_nothing():
    assert automation_coverage({}, {"a": ("manual", None)}) is None


@pytest.mark.django_db
def test_the_page_shows_figures_formulas_and_rows(client):
    ops = person_with(Role.OPS)
    process = effective(flow=steps("One", minutes=30, mode="automated")).process
    for _ in range(2):
        run = running.start_run(process, by=ops, at=clock.now() - dt.timedelta(days=3))
        doing.begin_step(step(run, "one"), by=ops, at=clock.now() - dt.timedelta(days=2))
        doing.finish_step(step(run, "one"), by=ops)
    found = report(process, ops, clock.now() - dt.timedelta(days=30))
    assert (found.runs, found.figures[4].value, found.figures[5].value) == (2, "100%", "100% (2 of 2)")
    assert overlay(process, ops)["one"].runs == 2
    client.force_login(ops)
    page = client.get(reverse("processes-figures", args=(process.pk,)))
    assert page.status_code == 200
    for _, rows in page.context["figures"]:
        answer = client.get(rows)
        assert answer.status_code == 200
    assert "Automation coverage" in page.content.decode()
    assert reverse("processes-figures", args=(process.pk,)) in client.get(page_of(process)).content.decode()


@pytest.mark.django_db
def test_figures_of_a_process_one_does_not_see_are_not_there(client):
    process = effective(flow=steps("One")).process
    client.force_login(person_with())
    assert client.get(reverse("processes-figures", args=(process.pk,))).status_code == 404


@pytest.mark.django_db
def test_conformance_leads_to_the_runs_that_did_not_conform(client):
    ops = person_with(Role.OPS)
    process = effective(flow=steps("One", "Two", blocking=False)).process
    straight, strayed = (running.start_run(process, by=ops, title=title) for title in ("Straight", "Strayed"))
    for run in (straight, strayed):
        doing.begin_step(step(run, "one"), by=ops)
        doing.finish_step(step(run, "one"), by=ops)
    doing.finish_step(step(straight, "two"), by=ops)
    waive_step(step(strayed, "two"), by=ops, reason="Not needed")
    client.force_login(ops)
    page = client.get(reverse("processes-figures", args=(process.pk,)))
    links = {figure.name: rows for figure, rows in page.context["figures"]}
    listed = client.get(links["Conformance"]).context["cl"].result_list
    assert [each.title for each in listed] == ["Strayed"]
    followed = client.get(links["Conformance"].replace("conforms=no", "conforms=yes")).context["cl"].result_list
    assert [each.title for each in followed] == ["Straight"]
    assert f"automation/?steps__process__id__exact={process.pk}" in page.content.decode()
