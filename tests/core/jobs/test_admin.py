"""The pages of jobs: who sees what, what the buttons do, how many queries a list takes."""

import pytest
from django.contrib import admin
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.enums import Role
from apps.core.jobs.api import JobRun, RunState, enqueue, job
from apps.core.jobs.domain import claims, runs, watching
from apps.core.jobs.registry import registered
from tests.factories.accounts import person_with

pytestmark = pytest.mark.django_db
LIST = "/admin/jobs/jobrun/"
REASON = {"reason": "The file is back."}


@pytest.fixture(autouse=True)
def _jobs():
    def register():
        job("test.work", title="Work")(lambda run, number=0: {"rows_read": 1234})

    with registered(register):
        yield


@pytest.fixture
def keeper():
    return person_with(Role.ADMINISTRATOR)


@pytest.fixture
def seller():
    return person_with(Role.SALES)


def begun(by=None, number=0):
    return claims.claim(enqueue("test.work", args={"number": number}, by=by).pk, worker="here/mops/a/1")


def ended(state, by=None, **fields):
    run = begun(by)
    claims.finish(run, state, **fields)
    run.refresh_from_db()
    return run


def page(run, tail="change"):
    return f"{LIST}{run.pk}/{tail}/"


def messages(response):
    return [str(message) for message in response.context["messages"]]


def test_list_takes_the_same_queries_for_one_and_three_rows(client, keeper, seller):
    client.force_login(keeper)
    counts = []
    for number in (1, 2):
        for _ in range(number):
            enqueue("test.work", args={"number": number}, by=seller)
        client.get(LIST)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert client.get(LIST).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_list_is_narrowed_by_job_and_by_who_asked(client, keeper):
    own, clock = enqueue("test.work", by=keeper), enqueue("test.work", args={"number": 1}, by=None)
    client.force_login(keeper)
    for query, shown in (
        ("origin=people", {own}),
        ("origin=mops", {clock}),
        ("job=test.work", {own, clock}),
        ("job=jobs.prune", set()),
        ("state__exact=queued", {own, clock}),
    ):
        assert set(client.get(f"{LIST}?{query}").context["cl"].queryset) == shown, query


def test_schedules_take_the_same_queries_for_any_number_of_runs(client, keeper):
    client.force_login(keeper)
    client.get("/admin/jobs/schedulestate/")
    with CaptureQueriesContext(connection) as before:
        response = client.get("/admin/jobs/schedulestate/")
    assert b"Clear away old runs" in response.content
    assert b"No worker is running." in response.content
    watching.keep_time()
    for name in "abc":
        watching.beat(f"here/mops/{name}", "mops", 1, restarts=1, reason="it was killed")
    with CaptureQueriesContext(connection) as after:
        response = client.get("/admin/jobs/schedulestate/")
    assert b"it was killed" in response.content
    assert len(before) == len(after)


def test_people_see_the_runs_they_asked_for_and_no_others(client, seller):
    own, other = enqueue("test.work", by=seller), enqueue("test.work", args={"number": 2}, by=None)
    client.force_login(seller)
    shown = client.get(LIST).content.decode()
    assert f"Work #{own.pk}" in shown
    assert f"Work #{other.pk}" not in shown
    assert client.get(page(own)).status_code == 200
    assert client.get(page(own, "progress")).status_code == 200
    for address in (page(other), page(other, "history")):
        assert client.get(address).status_code in (302, 404)
    for tail in ("progress", "do/cancel", "do/retry"):
        assert client.get(page(other, tail)).status_code == 404
    assert client.post(page(other, "do/cancel")).status_code == 404
    assert client.get(f"{LIST}?q={other.pk}").content.decode().count(f"Work #{other.pk}") == 0
    assert client.get("/admin/jobs/schedulestate/").status_code == 403


def test_auditor_views_and_changes_nothing(client):
    client.force_login(person_with(Role.AUDITOR))
    run, failed = enqueue("test.work", by=None), ended(RunState.FAILED, error="x", traceback="Traceback of mine")
    assert b"Traceback of mine" in client.get(page(failed)).content
    assert client.get("/admin/jobs/schedulestate/").status_code == 200
    refused = client.post(page(run, "do/cancel"), follow=True)
    assert messages(refused) == ["You may cancel only runs that you asked for yourself."]
    refused = client.post(page(failed, "do/retry"), REASON, follow=True)
    assert messages(refused) == ["You may run again only what you asked for yourself."]
    for tail in ("change", "delete"):
        assert client.post(page(run, tail), {"state": "succeeded"}).status_code == 403
    assert client.get(f"{LIST}add/").status_code == 403
    run.refresh_from_db()
    assert run.state == RunState.QUEUED


def test_technical_details_are_for_those_who_look_after_jobs(client, seller):
    failed = ended(RunState.FAILED, by=seller, error="The file is gone.", traceback="Traceback of mine")
    client.force_login(seller)
    shown = client.get(page(failed)).content
    assert b"The file is gone." in shown
    assert b"Traceback of mine" not in shown
    assert b"Inner workings" not in shown


def test_progress_is_a_piece_of_page_that_says_when_it_is_over(client, keeper):
    run = begun()
    client.force_login(keeper)
    JobRun.objects.filter(pk=run.pk).update(done=250, total=1000)
    claims.say(run, "<b>Reading</b>")
    piece = client.get(page(run, "progress")).content.decode()
    assert "250 of 1,000 done (25 %)" in piece
    assert "&lt;b&gt;Reading&lt;/b&gt;" in piece
    assert "data-finished" not in piece
    assert "<html" not in piece
    whole = client.get(page(run)).content.decode()
    assert f'data-poll="{reverse("admin:jobs_jobrun_progress", args=(run.pk,))}"' in whole
    claims.finish(run, RunState.SUCCEEDED, counts={"rows_read": 1234})
    piece = client.get(page(run, "progress")).content.decode()
    assert "data-finished" in piece
    assert "rows read" in piece
    assert "1,234" in piece


def test_waiting_runs_say_what_they_wait_for(client, keeper):
    run = enqueue("test.work", by=None)
    client.force_login(keeper)
    assert b"No worker is running" in client.get(page(run, "progress")).content
    assert b"No worker is running" in client.get(LIST).content
    watching.beat("here/mops/a", "mops", 1, restarts=0, reason="")
    assert b"It waits for a free worker." in client.get(page(run, "progress")).content
    assert b"No worker is running" not in client.get(LIST).content
    claims.put_back(claims.claim(run.pk, worker="here/mops/a/1"), error="The server is away.")
    piece = client.get(page(run, "progress")).content.decode()
    assert "Attempt 2 of 3 begins in" in piece
    assert "Last attempt: The server is away." in piece


def test_run_that_waits_for_the_same_work_says_so(client, keeper):
    first, second = begun(number=1), enqueue("test.work", args={"number": 1}, by=None)
    watching.beat("here/mops/a", "mops", 1, restarts=0, reason="")
    client.force_login(keeper)
    sentence = f"Run #{first.pk} is doing the same work; this one begins when that is over."
    assert sentence in client.get(page(second, "progress")).content.decode()


def test_cancel_drops_what_waits_and_asks_what_runs(client, seller):
    waiting, running = enqueue("test.work", by=seller), begun(seller, number=1)
    client.force_login(seller)
    assert b"drops" in client.get(page(waiting, "do/cancel")).content.replace(b"dropped", b"drops")
    said = client.post(page(waiting, "do/cancel"), follow=True)
    assert messages(said) == [f"Work #{waiting.pk} is cancelled; it had not begun."]
    said = client.post(page(running, "do/cancel"), follow=True)
    assert messages(said) == [f"Work #{running.pk} has been asked to stop; what it has finished stays done."]
    waiting.refresh_from_db()
    running.refresh_from_db()
    assert (waiting.state, running.state) == (RunState.CANCELLED, RunState.RUNNING)
    assert waiting.error == f"Cancelled by {seller} before it began."
    assert runs.refuse_cancel(seller, running) == (
        "It has been asked to stop already and does so at its next safe point."
    )
    assert runs.refuse_cancel(seller, waiting) == "This run is over (cancelled); there is nothing left to cancel."


def test_retry_gives_new_attempts_with_a_reason(client, keeper, seller):
    failed = ended(RunState.FAILED, by=seller, error="The file is gone.")
    client.force_login(keeper)
    assert client.post(page(failed, "do/retry"), {"reason": ""}).status_code == 200
    said = client.post(page(failed, "do/retry"), REASON, follow=True)
    assert messages(said) == [f"Work #{failed.pk} is queued again."]
    failed.refresh_from_db()
    assert (failed.state, failed.attempts, failed.attempt_limit, failed.error) == (RunState.QUEUED, 1, 4, "")
    assert failed.requested_by == seller
    assert failed.lines.get().text == f"{keeper} asked to run it again: The file is back."


def test_retry_is_refused_where_it_makes_no_sense(keeper):
    waiting, done = enqueue("test.work", by=None), ended(RunState.SUCCEEDED)
    failed = ended(RunState.FAILED)
    assert runs.refuse_retry(keeper, failed) is None
    assert runs.refuse_retry(keeper, waiting) == "It has not ended yet."
    assert runs.refuse_retry(keeper, done) == (
        "It succeeded; start the work anew where it belongs if it is needed once more."
    )
    failed.attempts = 29
    assert runs.refuse_retry(keeper, failed) == (
        "It has been tried 29 times; find out why it fails before asking anew."
    )
    failed.attempts, failed.key = 1, "test.gone"
    assert runs.refuse_retry(keeper, failed) == "This version of mops has no job test.gone any more."


def test_deactivated_person_steers_nothing(seller):
    run = enqueue("test.work", by=seller)
    seller.is_active = False
    seller.save()
    assert runs.refuse_cancel(seller, run) == "You may cancel only runs that you asked for yourself."


def test_pages_of_the_queue_library_are_gone(client, keeper):
    assert [model for model in admin.site._registry if model._meta.app_label == "django_q"] == []
    keeper.is_superuser = True
    keeper.save()
    client.force_login(keeper)
    assert client.get("/admin/django_q/schedule/").status_code == 404


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.4, "0.4 s"), (12, "12 s"), (185, "3 min 5 s"), (180, "3 min"), (7800, "2 h 10 min")]
)
def test_durations_are_told_in_words(client, keeper, seconds, words):
    run = ended(RunState.SUCCEEDED)
    JobRun.objects.filter(pk=run.pk).update(started_at=Now(), finished_at=Now() + claims.AN_INSTANT * seconds)
    client.force_login(keeper)
    assert words in client.get(LIST).content.decode()
