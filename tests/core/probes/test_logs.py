"""JSON logs: one object a line, with request, person and job, and without secrets."""

import io
import json
import logging

import pytest
import structlog
from django.conf import settings
from django.test import override_settings
from django.urls import path

from apps.accounts.enums import Role
from apps.core.actors import Channel, acting_as
from tests.factories.accounts import PASSWORD, UserFactory, person_with

SECRET = "planted5ecretVALUE99"


@pytest.fixture
def lines():
    """What is logged from now on, as the stderr handler would write it, parsed."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    formatter = settings.LOGGING["formatters"]["json"]
    handler.setFormatter(formatter["()"](**{key: value for key, value in formatter.items() if key != "()"}))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)

    class Lines(list):
        @property
        def text(self):
            return stream.getvalue()

        @property
        def parsed(self):
            return [json.loads(line) for line in stream.getvalue().splitlines()]

        @property
        def access(self):
            return [line for line in self.parsed if line["logger"] == "mops.access"]

    yield Lines()
    root.removeHandler(handler)
    root.setLevel(level)


def fails(request, key):
    raise RuntimeError(f"could not connect to smtp://user:{SECRET}@mail with password={SECRET}")


urlpatterns = [path("accounts/password/reset/key/<key>/", fails)]


@pytest.mark.django_db
def test_each_request_is_one_line_without_its_query(client, lines):
    person = person_with(Role.OPS)
    client.force_login(person)
    answer = client.get(f"/admin/?token={SECRET}", headers={"X-Request-ID": "abc-123", "Authorization": SECRET})
    [line] = lines.access
    assert answer["X-Request-ID"] == "abc-123"
    assert {
        key: line[key] for key in ("event", "request_id", "method", "path", "view", "status", "user_id", "level")
    } == {
        "event": "request",
        "request_id": "abc-123",
        "method": "GET",
        "path": "/admin/",
        "view": "admin:index",
        "status": 200,
        "user_id": person.pk,
        "level": "info",
    }
    assert line["ms"] > 0
    assert SECRET not in lines.text


@pytest.mark.django_db
@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "a;b", "ä", '{"a":1}'])
def test_an_insane_request_id_is_replaced(client, lines, given):
    answer = client.get("/admin/", headers={"X-Request-ID": given})
    assert len(answer["X-Request-ID"]) == 32
    assert lines.access[0]["request_id"] == answer["X-Request-ID"]


@pytest.mark.django_db
def test_probes_and_files_are_quiet_while_they_work(client, lines):
    client.get("/healthz")
    client.get("/static/mops/mops.css").close()
    assert lines.access == []
    client.get("/static/no-such-file.css")
    assert [line["status"] for line in lines.access] == [404]


@pytest.mark.django_db
def test_one_time_keys_in_paths_are_not_logged(client, lines):
    client.get(f"/accounts/password/reset/key/1-{SECRET}/")
    client.get(f"/accounts/no/such/page/{SECRET}{SECRET}/")
    assert SECRET not in lines.text
    assert len(lines.access) == 2


@pytest.mark.django_db
def test_a_crash_is_told_with_its_traceback_and_without_secrets(client, lines):
    client.raise_request_exception = False
    with override_settings(ROOT_URLCONF=__name__, DEBUG=False):
        answer = client.get(f"/accounts/password/reset/key/{SECRET}{SECRET}/?token={SECRET}")
    assert answer.status_code == 500
    assert SECRET not in lines.text
    crash = next(line for line in lines.parsed if line["logger"] == "django.request")
    assert "RuntimeError" in crash["exception"]
    assert crash["request_id"] == answer["X-Request-ID"]
    assert lines.access[-1]["level"] == "error"
    assert lines.access[-1]["path"] == "/accounts/password/reset/key/<key>/"


@pytest.mark.django_db
def test_a_failed_sign_in_leaves_no_password_behind(client, lines):
    person = UserFactory()
    client.post("/accounts/login/", {"login": person.email, "password": SECRET})
    client.post("/accounts/login/", {"login": person.email, "password": PASSWORD})
    assert SECRET not in lines.text
    assert PASSWORD not in lines.text


@pytest.mark.django_db
def test_lines_of_a_job_name_the_job_and_the_person(lines):
    person = UserFactory()
    with acting_as(person, channel=Channel.JOB, job_id="77"):
        structlog.get_logger("mops.test").warning("slow", password=SECRET, nested={"token": SECRET})
        logging.getLogger("library").warning("failed with %s", {"api_key": SECRET})
    ours, theirs = lines.parsed
    assert (ours["job_id"], ours["user_id"]) == (theirs["job_id"], theirs["user_id"]) == ("77", person.pk)
    assert (ours["password"], ours["nested"]) == ("[redacted]", {"token": "[redacted]"})
    assert SECRET not in lines.text


def test_nothing_is_logged_twice_or_as_plain_text():
    django = logging.getLogger("django")
    assert (django.handlers, django.propagate) == ([], True)


def test_gunicorn_logs_json_alone():
    from mops import gunicorn

    assert gunicorn.accesslog is None
    assert gunicorn.worker_class == "gthread"
    assert set(gunicorn.logconfig_dict["formatters"]) == {"json"}
