"""Three hundred thousand versions: lists, search and a page ask little, and by index. 5,000 in the plain run."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.enums import Role
from apps.content.admin.versions import ContentVersionAdmin
from apps.content.models import ContentAsset, ContentVersion
from apps.core.actors import acting_as
from apps.core.transitions import transition
from tests.factories.accounts import person_with
from tests.factories.content import asset, author, version

pytestmark = pytest.mark.django_db
LIST = "/admin/content/contentversion/"


def copies(model, row, times, **own):
    """Rows like `row`, that differ in what `own` says as SQL over n."""
    named = [each.column for each in model._meta.concrete_fields if each.column not in ("id", "uuid", *own)]
    columns = ", ".join(f'"{each}"' for each in (*named, "uuid", *own))
    values = ", ".join((*(f'"{each}"' for each in named), "gen_random_uuid()", *own.values()))
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({columns}) SELECT {values} FROM {table}, generate_series(1, %s) AS n WHERE id = %s",
            [times, row.pk],
        )
        cursor.execute(f"ANALYZE {table}")


@pytest.fixture
def many(proof):
    writer, number = author(), 300_000 if proof else 5_000
    made = version(by=writer)
    with acting_as(writer, reason="Very many"), transition(ContentAsset, ContentVersion):
        copies(ContentAsset, made.asset, number // 3, title="'Piece ' || n", stage="'draft'")
        first = ContentAsset.objects.exclude(pk=made.asset_id).order_by("pk").values_list("pk", flat=True)[0]
        asset_of = f"{first} + n %% {number // 3}"
        copies(
            *(ContentVersion, made, number),
            asset_id=asset_of, number="n", variant="'v' || n", subject="'Subject ' || md5(n::text)",
        )  # fmt: skip
    return writer


def plan_of(rows):
    with connection.cursor() as cursor:
        statement, values = rows.query.sql_with_params()
        cursor.execute(f"EXPLAIN {statement}", values)
        return "\n".join(line for (line,) in cursor.fetchall())


def test_list_search_and_page_stay_small(client, many, rf, proof):
    client.force_login(many)
    rare = ContentVersion.objects.order_by("pk")[7]
    word = rare.subject.rpartition(" ")[2][:12]
    for address in (LIST, f"{LIST}?q={word}", f"{LIST}?q=Piece+77", f"{LIST}{rare.pk}/change/"):
        client.get(address)
        with CaptureQueriesContext(connection) as asked:
            page = client.get(address).content.decode()
        assert len(asked) < 25, address
        assert address != LIST or not proof or "more than 10,000" in page
    assert page.count(rare.subject)
    request = rf.get(LIST)
    request.user = request.resolver_match = None
    found, twice = ContentVersionAdmin.get_search_results(_admin(), request, ContentVersion.objects.all(), word)
    assert (list(found), twice) == ([rare], False)
    if proof:  # of a few thousand rows PostgreSQL rather reads all
        plan = plan_of(found.order_by("-pk")[:30])
        assert [name in plan for name in ("content_subject_words", "content_title_words", "hashed SubPlan")] == [
            True
        ] * 3


def _admin():
    from django.contrib import admin

    return admin.site._registry[ContentVersion]


def test_a_search_wants_every_word_somewhere_and_takes_quotes(client):
    writer = author()
    version(by=writer, of=asset(by=writer, title="Spring fair"), subject="Come and see")
    version(by=writer, of=asset(by=writer, title="Autumn fair"), subject="Come again")
    client.force_login(person_with(Role.AUDITOR))

    def found(term):
        page = client.get(LIST, {"q": term}).content.decode()
        return ["Spring fair" in page, "Autumn fair" in page]

    assert found("come fair") == [True, True]
    assert found("COME spring") == [True, False]
    assert found('"come and"') == [True, False]
    assert found("fair nothing") == [False, False]
    assert found("100%") == [False, False]
