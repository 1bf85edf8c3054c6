"""What load balancers and monitoring ask."""

import pytest
from django.db import OperationalError
from django.test import Client, override_settings

from apps.core import probes
from apps.core.jobs.models import JobRun
from apps.core.notifications.domain.notifying import notify
from tests.factories.accounts import UserFactory
from tests.factories.alerts import an_alert

PROBES = ("/healthz", "/readyz", "/metrics")
OWN_MACHINE = {"REMOTE_ADDR": "127.0.0.1"}


@pytest.fixture(autouse=True)
def _forget(monkeypatch):
    monkeypatch.setattr(probes, "_known", {})


def figures(answer):
    lines = [line for line in answer.content.decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def test_healthz_touches_nothing(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        answer = client.get("/healthz", HTTP_COOKIE="mops_session=x")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert answer.headers["X-Request-ID"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


test_healthz_touches_nothing = pytest.mark.django_db(test_healthz_touches_nothing)


@pytest.mark.django_db
def test_readyz_looks_at_migrations_once_and_then_only_asks(client, django_assert_num_queries):
    assert client.get("/readyz").status_code == 200
    with django_assert_num_queries(1):
        assert client.get("/readyz").json() == {"status": "ok"}


def test_readyz_says_why_not(client, monkeypatch):
    monkeypatch.setattr(probes, "_pending_migrations", lambda: 3)
    monkeypatch.setitem(probes._known, "migrated", False)

    class Cursor:
        def __enter__(self):
            return self

        def __exit__(self, *args):
            pass

        def execute(self, sql):
            pass

    monkeypatch.setattr(probes.connection, "cursor", Cursor)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["reason"]) == (503, "3 migrations are pending; run manage.py migrate.")


def test_readyz_without_a_database(client, monkeypatch):
    def gone():
        raise OperationalError("connection refused")

    monkeypatch.setattr(probes, "_pending_migrations", gone)
    monkeypatch.setattr(probes.connection, "close", lambda: None)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["reason"]) == (503, "The database does not answer.")


@pytest.mark.django_db
@pytest.mark.parametrize("path", PROBES)
def test_probes_are_neither_sent_to_https_nor_refused_for_the_host(path):
    with override_settings(SECURE_SSL_REDIRECT=True, ALLOWED_HOSTS=["mops.example.com"]):
        client = Client()
        assert client.get(path, headers={"Host": "10.1.2.3:8000"}).status_code == 200
        page = client.get("/accounts/login/", headers={"Host": "mops.example.com"})
    assert (page.status_code, page["Location"][:8]) == (301, "https://")


@pytest.mark.django_db
def test_only_the_three_paths_get_past_the_host(client):
    with override_settings(ALLOWED_HOSTS=["mops.example.com"]):
        assert client.get("/healthz/../admin/", headers={"Host": "10.1.2.3"}).status_code == 400


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"REMOTE_ADDR": "127.0.0.1"}, 200),
        ({"REMOTE_ADDR": "::1"}, 200),
        ({"REMOTE_ADDR": "10.0.0.7"}, 403),
        ({"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "8.8.8.8"}, 403),
        ({"REMOTE_ADDR": "10.0.0.7", "HTTP_X_FORWARDED_FOR": "127.0.0.1"}, 403),
        ({"REMOTE_ADDR": "127.0.0.1", "HTTP_FORWARDED": "for=8.8.8.8"}, 403),
        ({"REMOTE_ADDR": "10.0.0.7", "HTTP_AUTHORIZATION": "Bearer t0ken"}, 403),
    ],
)
def test_without_a_token_metrics_are_for_this_machine(client, given, status):
    answer = client.get("/metrics", **given)
    assert answer.status_code == status
    if status == 403:
        assert answer.content.decode().startswith("Metrics are for this machine alone")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("given", "status"),
    [("Bearer t0ken", 200), ("bearer t0ken", 200), ("Bearer wrong", 403), ("Basic t0ken", 403), ("", 403)],
)
def test_with_a_token_only_the_token_counts(client, settings, given, status):
    settings.METRICS_TOKEN = "t0ken"
    assert client.get("/metrics", HTTP_AUTHORIZATION=given, **OWN_MACHINE).status_code == status


@pytest.mark.django_db
def test_metrics_tell_how_far_behind_the_work_is(client):
    notify([UserFactory()], "alert.warning", title="Something")
    an_alert(severity="critical")
    found = figures(client.get("/metrics", **OWN_MACHINE))
    assert found["mops_database_up"] == 1
    assert found['mops_jobs{queue="mops",state="queued"}'] == JobRun.objects.count() == 1
    assert found['mops_jobs_oldest_seconds{queue="mops"}'] >= 0
    assert found["mops_jobs_failed_last_day"] == 0
    assert found["mops_mail_due"] == 1
    assert found["mops_mail_given_up"] == 0
    assert found['mops_alerts{severity="critical",state="open"}'] == 1
    assert found['mops_alerts{severity="info",state="snoozed"}'] == 0


@pytest.mark.django_db
def test_metrics_count_requests_by_view_and_status(client):
    name = 'django_http_responses_total_by_status_view_method_total{method="GET",status="302",view="admin:index"}'
    before = figures(client.get("/metrics", **OWN_MACHINE)).get(name, 0)
    client.get("/admin/")
    assert figures(client.get("/metrics", **OWN_MACHINE))[name] == before + 1


@pytest.mark.django_db
def test_metrics_ask_a_fixed_number_of_questions(client, django_assert_num_queries):
    client.get("/metrics", **OWN_MACHINE)
    for number in range(3):
        an_alert(f"cause{number}")
    with django_assert_num_queries(9):
        client.get("/metrics", **OWN_MACHINE)


def test_metrics_without_a_database_say_so(client, monkeypatch):
    from apps.core import metrics

    def gone(*args):
        raise OperationalError("connection refused")

    monkeypatch.setattr(metrics, "_jobs", gone)
    monkeypatch.setattr(metrics.connection, "close", lambda: None)
    found = figures(client.get("/metrics", **OWN_MACHINE))
    assert (found["mops_database_up"], "mops_mail_due" in found) == (0, False)
