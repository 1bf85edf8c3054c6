"""How long working data is kept is a row that staff tune, within limits."""

import datetime as dt

import pytest
from django.core.exceptions import ValidationError

from apps.accounts.enums import Role
from apps.core import clock
from apps.core.jobs.api import enqueue
from apps.core.jobs.domain import claims, pruning
from apps.core.jobs.models import JobRun, RunState
from apps.core.retention.domain.periods import days_kept, kept
from apps.core.retention.models import RetentionPeriod
from apps.core.retention.registry import Period, all_periods, register_period
from tests.factories.accounts import person_with, sign_in

pytestmark = pytest.mark.django_db


def row(period):
    return RetentionPeriod.objects.get(key=period.key)


def test_every_declared_period_has_a_row_as_shipped():
    assert {each.key: each.days for each in all_periods()} == dict(RetentionPeriod.objects.values_list("key", "days"))


def test_days_outside_their_own_limits_are_no_declaration():
    with pytest.raises(ValueError, match=r"x\.y: 9 days lie outside 1 to 5"):
        register_period(Period("x.y", "X", 9, 1, 5, "now"))


def test_without_a_row_the_declared_days_hold():
    row(pruning.GOOD).delete()
    assert kept(pruning.GOOD) == dt.timedelta(days=90)


def test_a_row_outside_the_limits_does_not_reach_further_than_they_do():
    RetentionPeriod.objects.filter(key=pruning.GOOD.key).update(days=3000)
    assert days_kept(pruning.GOOD) == pruning.GOOD.most


def test_limits_are_a_sentence():
    period = row(pruning.BAD)
    period.days = 3
    with pytest.raises(ValidationError) as refusal:
        period.full_clean()
    assert refusal.value.message_dict == {
        "days": ["Runs that went wrong: between 30 and 1825 days, usually 365."],
    }


def test_a_shorter_period_prunes_more():
    now = clock.now()
    asked = claims.claim(enqueue("jobs.prune", by=person_with()).pk, worker="here/mops/a/1")
    claims.finish(asked, RunState.SUCCEEDED)
    JobRun.objects.filter(pk=asked.pk).update(finished_at=now - dt.timedelta(days=30))
    assert pruning.prune(now)["runs"] == 0
    RetentionPeriod.objects.filter(key=pruning.GOOD.key).update(days=14)
    assert pruning.prune(now)["runs"] == 1
    assert not JobRun.objects.filter(pk=asked.pk).exists()


def test_an_administrator_tunes_it_and_sees_the_limits(client):
    sign_in(client, person_with(Role.ADMINISTRATOR))
    page = f"/admin/retention/retentionperiod/{row(pruning.GOOD).pk}/change/"
    opened = client.get(page).content.decode()
    assert "7 to 730 days" in opened
    form = {"days": "5000", "basis": "", "row_version": row(pruning.GOOD).row_version}
    assert "between 7 and 730 days" in client.post(page, form).content.decode()
    assert client.post(page, form | {"days": "30", "basis": "Decided by the works council"}).status_code == 302
    assert days_kept(pruning.GOOD) == 30


def test_an_auditor_reads_and_changes_nothing(client):
    sign_in(client, person_with(Role.AUDITOR))
    assert client.get("/admin/retention/retentionperiod/").status_code == 200
    page = f"/admin/retention/retentionperiod/{row(pruning.GOOD).pk}/change/"
    assert client.post(page, {"days": "30"}).status_code == 403
    assert client.get("/admin/retention/retentionperiod/add/").status_code == 403
    assert days_kept(pruning.GOOD) == 90


def test_list_costs_the_same_at_one_and_three_rows(client):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    sign_in(client, person_with(Role.ADMINISTRATOR))
    page = "/admin/retention/retentionperiod/"
    client.get(page)
    keys = [each.key for each in all_periods()]

    def cost():
        with CaptureQueriesContext(connection) as asked:
            assert client.get(page).status_code == 200
        return len(asked)

    RetentionPeriod.objects.exclude(key__in=keys[:3]).delete()
    three = cost()
    RetentionPeriod.objects.exclude(key=keys[0]).delete()
    assert cost() == three
