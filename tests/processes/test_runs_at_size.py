"""The list of runs stays fast at ten thousand runs (fewer in a quick run): few queries, an index that answers them."""

import datetime as dt

import pytest
from django.db import connection

from apps.accounts.enums import Role
from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.transitions import transition
from apps.processes.models import Run
from tests.admin_pages import list_of, queries_of
from tests.factories.accounts import person_with
from tests.factories.processes import effective, steps

pytestmark = pytest.mark.django_db
MANY, FEWER = 10_000, 3_000


def test_ten_thousand_runs_are_listed_by_an_index(client, proof):
    ops, now = person_with(Role.OPS), clock.now()
    version = effective(flow=steps("One"))
    with acting_as(ops), transition(Run):
        Run.objects.bulk_create(
            (
                Run(
                    title=f"Run {number}",
                    process=version.process,
                    version=version,
                    started_by=ops,
                    owner_person=ops,
                    started_at=now - dt.timedelta(minutes=number),
                    steps_total=1,
                )
                for number in range(MANY if proof else FEWER)
            ),
            batch_size=2000,
        )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE processes_run")
    client.force_login(ops)
    assert queries_of(client, list_of(Run)) <= 20
    plan = access.visible(ops, Run).order_by("-started_at", "-id")[:30].explain()
    assert "run_newest" in plan
    plan = Run.objects.filter(state="active").order_by("-started_at", "-id")[:30].explain()
    assert "Seq Scan on processes_run" not in plan
