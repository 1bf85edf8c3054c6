"""`manage.py bench lead_list`: the list of leads as a salesperson sees it, among very many and among a thousand."""

from collections.abc import Iterator

from django.conf import settings
from django.db import connection
from django.test import override_settings
from django.urls import reverse

from apps.accounts.domain.roles import synchronise_groups_of
from apps.accounts.enums import Role
from apps.accounts.models import Membership, Team, User
from apps.core.actors import acting_as, system_principal
from apps.core.bench.pages import Visitor
from apps.core.bench.registry import Result, Taken, benchmark, middle, timed

FEW, ROUNDS, LIMIT, TEAMS = 1_000, 7, 2.0, 10
_LEADS = """
    INSERT INTO leads_lead (uuid, created_at, updated_at, row_version, record_source, external_id, name, job_title,
        company, country, territory, origin, source, stage, last_activity, last_notable_activity, quality, phone,
        is_phone_shared, owner_team_id)
    SELECT gen_random_uuid(), now(), now(), 1, 'bench', n::text, 'Lead ' || n, '', 'Company ' || n %% 997, '', '', '',
           '', 'known_lead', '', '', '', '', false, (%s::bigint[])[1 + n %% %s] FROM generate_series(%s, %s) n
"""


@benchmark("lead_list", default_rows=100_000)
def lead_list(rows: int) -> Iterator[Result]:
    """Open the list as somebody who sees the leads of one team in ten: among a thousand leads, then among `rows`."""
    with acting_as(system_principal(), reason="Benchmark"):
        teams = [Team.objects.create(name=f"Bench list {number}") for number in range(TEAMS)]
        person = User.objects.create(email="bench-list@example.com", full_name="Bench list", is_staff=True)
        Membership.objects.create(person=person, team=teams[0], role=Role.SALES)
        synchronise_groups_of(person)
    keys = [team.pk for team in teams]
    with override_settings(ALLOWED_HOSTS=["localhost"], ROOT_URLCONF=settings.ROOT_URLCONF):
        visitor, address = Visitor(person), reverse("admin:leads_lead_changelist")
        _fill(keys, 1, FEW)
        few = _taken(visitor, address)
        _fill(keys, FEW + 1, rows)
        for name, url in (("lead list", address), ("lead list by stage", f"{address}?stage__exact=known_lead")):
            many = _taken(visitor, url)
            to_limit, goal = many.worked / few.worked, f"works at most {LIMIT} times the page over {FEW:,} leads"
            more = {"worked_to_limit": round(to_limit, 3)}
            yield Result(name, rows, many.seconds, few.seconds, None, goal, to_limit <= LIMIT, more)


def _fill(teams: list[int], first: int, last: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_LEADS, [teams, len(teams), first, last])
        cursor.execute("DELETE FROM leads_scorequeue")
        cursor.execute("ANALYZE leads_lead")


def _taken(visitor: Visitor, address: str) -> Taken:
    visitor.get(address)
    return middle([timed(lambda: visitor.get(address)) for _ in range(ROUNDS)])
