"""Sharing at scale: list and detail for somebody who sees rows by grants alone, beside the same with few grants."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test.utils import CaptureQueriesContext, override_settings

from apps.accounts.models import User
from apps.core import access
from apps.core.actors import Channel, acting_as
from apps.core.bench.pages import Visitor
from apps.core.bench.registry import Result, benchmark, interleaved
from apps.rights.models import AccessGrant, ToolToPerson
from apps.technology.models import Tool

FEW, MINE, OTHERS = 1_000, 200, 100
PAGE_GOAL, QUERY_GOAL = 1.5, 3.0
LIST, COUNT = "/admin/technology/tool/", "count"
_GRANTS = f"""
    INSERT INTO {AccessGrant._meta.db_table}
        (uuid, created_at, updated_at, row_version, role, verb, object_id, object_label, reason, revoked_why,
         content_type_id, granted_by_id, person_id)
    SELECT gen_random_uuid(), now(), now(), 1, '', 'view', tool.id, tool.name, 'Bench', '', %(kind)s, %(by)s, person.id
    FROM unnest(%(people)s::bigint[]) WITH ORDINALITY AS person(id, nr)
    CROSS JOIN LATERAL (
        SELECT id, name FROM {Tool._meta.db_table} ORDER BY (id * 7919 + person.nr * 104729) %% 1000003 LIMIT %(each)s
    ) tool
    ON CONFLICT DO NOTHING
"""
_MIRRORS = f"""
    INSERT INTO {ToolToPerson._meta.db_table} (permission_id, user_id, content_object_id, grant_id)
    SELECT %(permission)s, g.person_id, g.object_id, g.id FROM {AccessGrant._meta.db_table} g
    WHERE g.person_id IS NOT NULL AND NOT EXISTS (SELECT FROM {ToolToPerson._meta.db_table} m WHERE m.grant_id = g.id)
"""
# what the list has to find at least: the person's own rows, in the list's order
_BARE = f"""
    SELECT t.id FROM {Tool._meta.db_table} t JOIN {ToolToPerson._meta.db_table} m ON m.content_object_id = t.id
    WHERE m.user_id = %s ORDER BY t.name, t.id LIMIT 50
"""


@benchmark("access", default_rows=100_000)
def measure_access(rows: int) -> Iterator[Result]:
    """List, detail and count over 1,000 grants, then over `rows` grants of which the person has as few as before."""
    by = User.objects.create_person("bench@mops.invalid", full_name="Bench")
    person = User.objects.create_person("guest@mops.invalid", full_name="Guest")
    others = [User.objects.create_person(f"o{n}@mops.invalid", full_name=f"O {n}") for n in range(OTHERS)]
    with acting_as(by, channel=Channel.SHELL, reason="Benchmark"):
        Tool.objects.bulk_create([Tool(name=f"Tool {number:06}") for number in range(max(rows // 5, FEW))], 5_000)
        _share([person], MINE, by)
        _share(others[:1], FEW - MINE, by)
        few = _timed(person)
        _share(others, (rows - FEW) // OTHERS, by)
    many = _timed(person)
    there = ToolToPerson.objects.count()
    for name in (LIST, "detail", COUNT):
        seconds, queries = many[name]
        before, limit = few[name][0], many["bare"][0] if name == COUNT else few[name][0]
        ratio = seconds / before
        goal = f"at most {PAGE_GOAL} × the same over {FEW:,} grants"
        more = {"queries": queries, "to_few_grants": round(ratio, 3), "grants": there}
        met = ratio <= (PAGE_GOAL if name != COUNT else QUERY_GOAL) and queries == few[name][1]
        yield Result(f"access.{name.strip('/').rsplit('/', 1)[-1]}", there, seconds, limit, None, goal, met, more)


def _share(people: list[User], each: int, by: User) -> None:
    kind = ContentType.objects.get_for_model(Tool)
    permission = Permission.objects.get(content_type=kind, codename="view_tool")
    with connection.cursor() as cursor:
        cursor.execute(_GRANTS, {"kind": kind.pk, "by": by.pk, "people": [one.pk for one in people], "each": each})
        cursor.execute(_MIRRORS, {"permission": permission.pk})
        cursor.execute(f"ANALYZE {AccessGrant._meta.db_table}")
        cursor.execute(f"ANALYZE {ToolToPerson._meta.db_table}")


def _timed(person: User) -> dict[str, tuple[float, int]]:
    """Return the median seconds and the queries of the list, a record's page, the count, and the bare SQL."""
    visitor = Visitor(person)
    first = access.visible(person, Tool).order_by("name").values_list("pk", flat=True)[0]
    paths: dict[str, Any] = {
        LIST: partial(visitor.get, LIST),
        "detail": partial(visitor.get, f"{LIST}{first}/change/"),
        COUNT: lambda: access.visible(person, Tool).count(),
        "bare": lambda: _bare(person),
    }
    with override_settings(ALLOWED_HOSTS=["localhost"]):
        for path in paths.values():
            path()
        asked = {}
        for name, path in paths.items():
            with CaptureQueriesContext(connection) as queries:
                path()
            asked[name] = len(queries)
        times = interleaved(*paths.values())
    return {name: (seconds, asked[name]) for name, seconds in zip(paths, times, strict=True)}


def _bare(person: User) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_BARE, [person.pk])
        return len(cursor.fetchall())
