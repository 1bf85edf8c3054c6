"""The pages of imports as people use them, and as people without the right do not."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from apps.accounts.enums import Role
from apps.accounts.models import Team
from apps.core.exchange.models import ImportBatch
from apps.core.jobs.models import WorkerCluster
from apps.core.jobs.testing import run_queued_jobs
from tests.factories.accounts import TeamFactory, person_with
from tests.factories.exchange import TeamImporter, import_text, receive

pytestmark = pytest.mark.django_db
ADD, LIST = "/admin/exchange/importbatch/add/", "/admin/exchange/importbatch/"


def _client(person):
    client = Client()
    client.force_login(person)
    return client


def _page(batch, rest=""):
    return f"{reverse('admin:exchange_importbatch_change', args=(batch.pk,))}{rest}"


def _below(batch, rest):
    return f"{LIST}{batch.pk}/{rest}"


def _upload(client, content, name="teams.csv", **data):
    file = SimpleUploadedFile(name, content.encode() if isinstance(content, str) else content)
    return client.post(ADD, {"importer": "test.teams", "file": file, **data})


def test_a_person_uploads_matches_previews_and_imports(admin):
    TeamFactory(name="Events", purpose="Fairs")
    client = _client(admin)
    assert "Empty file to fill in" in client.get(ADD).content.decode()
    answer = _upload(client, "Team,Purpose\nEvents,Trade fairs\nContent,Words\n")
    batch = ImportBatch.objects.get()
    assert answer.headers["Location"] == _page(batch)
    matching = client.get(_page(batch)).content.decode()
    assert '<option value="Team" selected>' in matching
    assert "“Trade fairs”" in matching
    client.post(_page(batch), {"column-name": "Team", "column-purpose": "Purpose"})
    preview = client.get(_page(batch)).content.decode()
    assert "If you import now: 1 created, 1 updated." in preview
    assert "Would be updated" in preview
    assert "Trade fairs" in preview
    assert Team.objects.filter(name="Content").count() == 0
    client.post(_below(batch, "do/run/"))
    running = client.get(_page(batch)).content.decode()
    assert f'data-poll="{_below(batch, "progress/")}"' in running
    assert "Import waits: no worker is running." in client.get(_below(batch, "progress/")).content.decode()
    WorkerCluster.objects.create(name="vm/long/1", queue="long", host="vm", pid=1)
    assert "waits for a free worker" in client.get(_below(batch, "progress/")).content.decode()
    run_queued_jobs()
    assert "data-finished" in client.get(_below(batch, "progress/")).content.decode()
    report = client.get(_page(batch)).content.decode()
    assert "1 created, 1 updated." in report
    assert reverse("admin:accounts_team_change", args=(Team.objects.get(name="Content").pk,)) in report


def test_reports_are_filtered_and_downloaded(admin):
    batch = import_text("test.teams", "name\nDemand\n=1+1\n\x20,\n", by=admin)
    client = _client(admin)
    page = client.get(_page(batch, "?kind=created")).content.decode()
    assert ">Demand<" in page
    file = b"".join(client.get(_below(batch, "report/")).streaming_content).decode("utf-8-sig")
    assert file.splitlines()[:3] == [
        "Row,Outcome,Record,Reason,Changed fields",
        '2,Created,Demand,,"Name, Purpose"' if "Purpose" in file else "2,Created,Demand,,Name",
        "3,Created,'=1+1,,Name",
    ]


def test_a_file_is_read_another_way(admin):
    client = _client(admin)
    _upload(client, "name\nŁódź\n".encode("cp1250"))
    batch = ImportBatch.objects.get()
    client.post(_page(batch), {"read-again": "1", "encoding": "cp1250", "delimiter": "", "header_line": ""})
    assert "“Łódź”" in client.get(_page(batch, "?step=match")).content.decode()


def test_refusals_stand_on_the_page(admin):
    client = _client(admin)
    page = _upload(client, b"\x89PNG\r\n\x1a\n").content.decode()
    assert "This is a PNG picture, not a table." in page
    assert "Choose a file." in client.post(ADD, {"importer": "test.teams"}).content.decode()
    batch = receive("a,b\n1,2\n", by=admin)
    page = client.post(_page(batch), {"column-name": ""}, follow=True).content.decode()
    assert "Required and not matched: Name." in page


def test_the_template_file_can_be_imported(admin):
    content = _client(admin).get("/admin/exchange/importbatch/template/test.teams/").content
    assert content.decode("utf-8-sig").splitlines() == ["Name,Purpose", "Demand Generation,"]


def test_sources_and_pages_are_closed_to_people_without_the_right(admin):
    batch = import_text("test.teams", "name\nDemand\n", by=admin)
    stranger, auditor, ops = person_with(), person_with(Role.AUDITOR), person_with(Role.OPS)
    for url in (LIST, ADD, _page(batch), *(_below(batch, each) for each in ("progress/", "report/"))):
        assert _client(stranger).get(url).status_code in (302, 403, 404), url
    assert _client(auditor).get(_page(batch)).status_code == 200
    for person in (auditor, ops, stranger):
        client = _client(person)
        assert client.get(ADD).status_code == 403
        assert client.post(ADD, {"importer": "test.teams"}).status_code == 403
        assert client.get("/admin/exchange/importbatch/template/test.teams/").status_code == 403
        client.post(_page(batch), {"column-name": "name"})
        client.post(_below(batch, "do/run-again/"))
    batch.refresh_from_db()
    assert (batch.run_number, ImportBatch.objects.count()) == (1, 1)


def test_a_viewer_without_the_record_s_right_sees_neither_import_nor_rows(admin):
    from django.contrib.auth.models import Permission

    from apps.accounts.domain.roles import synchronise_roles

    batch = import_text("test.teams", "name\nDemand\n", by=admin)
    synchronise_roles()
    person = person_with()
    person.user_permissions.add(Permission.objects.get(codename="view_importbatch"))
    client = _client(person)
    assert "teams" not in client.get(LIST).content.decode().lower().replace("accounts_team", "")
    assert client.get(_below(batch, "report/")).status_code == 404


@pytest.mark.parametrize("rows", [1, 3])
def test_the_list_asks_the_same_number_of_questions(admin, rows, django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def count(number):
        while ImportBatch.objects.count() < number:
            receive("name\nDemand\n", by=admin)
        client = _client(admin)
        client.get(LIST)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client.get(LIST)
        return len(queries)

    assert count(1) == count(rows)


def test_the_list_of_teams_offers_import_and_export(admin):
    page = _client(admin).get("/admin/accounts/team/").content.decode()
    assert f"{ADD}?importer=test.teams" in page
    TeamFactory()
    assert "/admin/accounts/team/kits/exchange/export/" in _client(admin).get("/admin/accounts/team/").content.decode()
    assert TeamImporter.key == "test.teams"
