"""Taking lists out: only with the right, only what the list shows, no formula, and every time recorded."""

import datetime as dt
import decimal
import io
import json

import openpyxl
import pytest
from django.contrib.auth.models import Permission
from django.db import connection, transaction
from django.db.utils import DatabaseError
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from apps.accounts.enums import Role
from apps.accounts.models import Team, User
from apps.core.errors import DomainError, InvalidInput
from apps.core.exchange.admin import kit
from apps.core.exchange.domain import exporting, pruning
from apps.core.exchange.models import ExportRun
from apps.core.exchange.reading.table import open_table
from apps.core.exchange.writing.tables import WRITERS
from apps.core.jobs.testing import run_queued_jobs
from apps.core.notifications.models import Notification
from apps.core.private_files import private_files
from apps.core.records import kind_of
from apps.core.workspace.domain.custom_values import set_custom_values
from apps.core.workspace.models import CustomField
from tests.factories.accounts import TeamFactory, person_with
from tests.factories.exchange import import_text
from tests.factories.workspace import CustomFieldFactory

URL = "/admin/accounts/team/kits/exchange/export/"
TEXT = st.text(
    alphabet=st.one_of(
        st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), st.sampled_from("'=+-@\t\r\n_x000D")
    ),
    max_size=30,
)


def _client(person):
    client = Client()
    client.force_login(person)
    return client


def _export(client, url=URL, **data):
    answer = client.post(url, {"format": "csv", "columns": ["name", "purpose"], **data})
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


@pytest.mark.django_db
def test_a_list_is_exported_as_its_filter_shows_it_and_the_export_is_recorded(admin):
    TeamFactory(name="Demand", purpose="=1+1")
    TeamFactory(name="Events", purpose="-5")
    client = _client(admin)
    page = client.get(f"{URL}?q=Demand").content.decode()
    assert "1 team that the list shows under its filter." in page
    file = _export(client, f"{URL}?q=Demand")
    assert file.decode("utf-8-sig") == "Name,Purpose\r\nDemand,'=1+1\r\n"
    run = ExportRun.objects.get()
    assert (run.requested_by, run.model, run.filters, run.columns) == (
        admin,
        "accounts.team",
        "q=Demand",
        ["name", "purpose"],
    )
    import hashlib

    assert (run.state, run.row_count, run.sha256) == ("done", 1, hashlib.sha256(file).hexdigest())


@pytest.mark.django_db
def test_chosen_rows_alone_are_exported(admin):
    teams = [TeamFactory(name=name) for name in ("Demand", "Events", "Content")]
    client = _client(admin)
    chosen = {"action": "export_chosen", "_selected_action": [teams[0].pk, teams[2].pk]}
    answer = client.post("/admin/accounts/team/", chosen)
    assert answer.headers["Location"] == f"{URL}?chosen={teams[0].pk}%2C{teams[2].pk}"
    assert "2 teams you chose." in client.get(answer.headers["Location"]).content.decode()
    rows = _export(client, answer.headers["Location"]).decode("utf-8-sig").splitlines()[1:]
    assert sorted(row.split(",")[0] for row in rows) == ["Content", "Demand"]
    assert _export(client, f"{URL}?chosen=x,1%27").decode("utf-8-sig").splitlines()[1:] == []
    answer = client.post("/admin/accounts/team/", {**chosen, "select_across": "1"})
    assert answer.headers["Location"] == URL


@pytest.mark.django_db
@pytest.mark.parametrize("role", [None, Role.AUDITOR, Role.APPROVER, Role.SALES, Role.EXECUTIVE], ids=str)
def test_people_without_the_right_are_refused_everywhere(role):
    person = person_with(*([role] if role else []))
    person.user_permissions.add(Permission.objects.get(codename="view_team"))
    client, team = _client(User.objects.get(pk=person.pk)), TeamFactory()
    page = client.get("/admin/accounts/team/").content.decode()
    assert URL not in page
    assert "export_chosen" not in page
    for answer in (
        client.get(URL),
        client.post(URL, {"format": "csv", "columns": ["name"]}),
        client.post("/admin/accounts/team/", {"action": "export_chosen", "_selected_action": [team.pk]}),
    ):
        assert not answer.streaming
        assert "attachment" not in answer.headers.get("Content-Disposition", "")
        assert "text/html" in answer.headers["Content-Type"]
    assert ExportRun.objects.count() == 0


@pytest.mark.django_db
def test_no_page_of_import_export_answers_a_person_without_rights():
    client = _client(person_with())
    for page in ("import/", "process_import/", "export/"):
        assert client.get(f"/admin/accounts/team/{page}").status_code in (302, 403, 404)
        assert client.get(f"/admin/accounts/user/{page}").status_code in (302, 403, 404)


@pytest.mark.django_db
def test_secrets_and_methods_are_never_columns(admin):
    assert "password" not in exporting.default_fields(User)
    for name in ("password", "delete", "save", "_meta", "nothing", "api_token"):
        with pytest.raises(InvalidInput) as refusal:
            exporting.columns_for(User, [name])
        assert refusal.value.message == f"There is no column “{name}” to export."
    client = _client(admin)
    assert b"Select a valid choice" in _export(client, columns=["uuid"])
    assert b"Choose at least one column." in _export(client, columns=[])
    assert ExportRun.objects.count() == 0


@pytest.mark.django_db
def test_rows_beyond_the_scope_stay(admin):
    from apps.core import access

    other = TeamFactory(name="Other")
    access.register_scope(Team, lambda user, rows: rows.exclude(pk=other.pk))
    try:
        assert _export(_client(admin)).decode("utf-8-sig").splitlines()[1:].count("Other,") == 0
    finally:
        access._scopes.pop(Team)
    assert _export(_client(admin)).decode("utf-8-sig").splitlines()[1:].count("Other,") == 1


@pytest.mark.django_db
def test_long_lists_are_written_in_the_background(admin, monkeypatch):
    monkeypatch.setattr(kit, "AT_ONCE", 1)
    TeamFactory(name="Demand")
    TeamFactory(name="Events")
    names = sorted(Team.objects.filter(name__icontains="e").values_list("name", flat=True))
    client = _client(admin)
    answer = client.post(f"{URL}?q=e&o=1", {"format": "json", "columns": ["name"]})
    run = ExportRun.objects.get()
    url = f"/admin/exchange/exportrun/{run.pk}/"
    assert answer.headers["Location"] == f"{url}change/"
    assert "The file is not ready yet." in client.get(f"{url}file/", follow=True).content.decode()
    run_queued_jobs()
    run.refresh_from_db()
    assert (run.state, run.row_count) == ("done", len(names))
    file = client.get(f"{url}file/")
    assert json.loads(b"".join(file.streaming_content)) == [{"name": name} for name in names]
    assert f"{len(names)} rows" in Notification.objects.get(recipient=admin, kind="exchange.export_ready").title
    other = person_with(Role.ADMINISTRATOR)
    page = _client(other).get(f"{url}file/", follow=True)
    assert "Only Ada Admin can fetch this file; export the list yourself." in page.content.decode()
    assert pruning.prune(run.started_at + dt.timedelta(days=8)) == {"preview_rows": 0, "files": 1}
    assert not private_files().exists(run.place)
    assert "removed after 7 days" in client.get(f"{url}file/", follow=True).content.decode()


@pytest.mark.django_db
def test_who_lost_the_right_meanwhile_gets_neither_file_nor_rows(admin, monkeypatch):
    monkeypatch.setattr(kit, "AT_ONCE", 0)
    TeamFactory()
    _client(admin).post(URL, {"format": "csv", "columns": ["name"]})
    admin.groups.clear()
    run_queued_jobs()
    run = ExportRun.objects.get()
    assert run.row_count in (0, None)
    with pytest.raises(DomainError, match="You may not view teams"):
        exporting.fetch_file(run, by=User.objects.get(pk=admin.pk))


@pytest.mark.django_db
def test_exports_are_evidence(admin):
    TeamFactory()
    _export(_client(admin))
    for statement in (
        "UPDATE exchange_exportrun SET requested_by_id = requested_by_id, row_count = 0",
        "DELETE FROM exchange_exportrun",
        "TRUNCATE exchange_exportrun",
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


@pytest.mark.parametrize("fmt", ["csv", "xlsx", "json"])
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(rows=st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=20))
def test_what_goes_out_comes_in_again(fmt, rows, tmp_path):
    keyed = [(f"row {number}", *row) for number, row in enumerate(rows)]
    path = tmp_path / "file"
    path.write_bytes(b"".join(WRITERS[fmt](["key", "a", "b"], ["Key", "A", "B"], keyed)))
    with open_table(path) as table:
        back = [tuple(line.cells.values()) for line in table.rows]
    assert back == keyed


@pytest.mark.parametrize("fmt", ["csv", "xlsx"])
def test_no_formula_survives(fmt):
    risky = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1", "'=1", "=cmd|' /C calc'!A0"]
    content = b"".join(WRITERS[fmt](["a"], ["=A"], [[each] for each in risky]))
    if fmt == "csv":
        import csv

        cells = [row[0] for row in csv.reader(io.StringIO(content.decode("utf-8-sig")))]
    else:
        sheet = openpyxl.load_workbook(io.BytesIO(content)).active
        assert {cell.data_type for (cell,) in sheet.iter_rows()} == {"s"}
        cells = [cell.value for (cell,) in sheet.iter_rows()]
    assert [cell[0] for cell in cells] == ["'"] * (len(risky) + 1)


def test_values_keep_their_type_and_their_exact_figures():
    values = [None, True, 7, decimal.Decimal("1.10"), dt.date(2026, 3, 31), ["a", "b"], {"x": 1}, 12345678901234567890]
    (record,) = json.loads(b"".join(WRITERS["json"]([*"abcdefgh"], [*"abcdefgh"], [values])))
    assert record == {
        "a": None,
        "b": True,
        "c": 7,
        "d": "1.10",
        "e": "2026-03-31",
        "f": ["a", "b"],
        "g": {"x": 1},
        "h": values[7],
    }
    row = b"".join(WRITERS["csv"]([*"abcdefgh"], [*"abcdefgh"], [[*values[:5], -5, ["=a"], decimal.Decimal("-1.5")]]))
    assert row.decode("utf-8-sig").splitlines()[1] == ",true,7,1.10,2026-03-31,-5,'=a,-1.5"
    sheet = openpyxl.load_workbook(io.BytesIO(b"".join(WRITERS["xlsx"]([*"abcdefgh"], [*"abcdefgh"], [values])))).active
    assert [cell.value for cell in sheet[2]][:5] == [None, True, 7, 1.1, dt.datetime(2026, 3, 31)]
    assert sheet["H2"].value == "12345678901234567890"


def test_what_an_excel_sheet_cannot_hold_is_a_sentence():
    with pytest.raises(InvalidInput) as refusal:
        b"".join(WRITERS["xlsx"](["a"], ["Notes"], [["x" * 40_000]]))
    assert refusal.value.message == (
        "Row 2: “Notes” has 40,000 characters, an Excel cell holds 32,767. Export as CSV or JSON, "
        "or leave the column out."
    )


@pytest.mark.django_db
@pytest.mark.parametrize("fmt", ["csv", "xlsx", "json"])
def test_an_exported_list_is_imported_to_no_effect(admin, fmt):
    for name, purpose in (("=1+1", "a\nb"), ("'=x", "-"), ("Zoë, “x”", ""), ("007", "1.10")):
        TeamFactory(name=name, purpose=purpose)
    content = _export(_client(admin), format=fmt)
    batch = import_text("test.teams", content, by=admin)
    assert batch.counts == {"unchanged": Team.objects.count()}


@pytest.mark.django_db
def test_custom_fields_are_columns_of_an_export_with_their_type(admin):
    for key, kind in (("cost_centre", "number"), ("since", "date"), ("gone", "text")):
        CustomFieldFactory(content_type=kind_of(Team), key=key, label=key.replace("_", " "), type=kind)
    CustomField.objects.filter(key="gone").update(archived_at="2026-01-01T00:00Z")
    filled = TeamFactory(name="Demand")
    TeamFactory(name="Events")
    set_custom_values(filled, {"cost_centre": "4711", "since": "2026-03-31"}, by=admin)
    client, chosen = _client(admin), ["name", "custom.cost_centre", "custom.since"]
    page = client.get(URL).content.decode()
    assert 'value="custom.cost_centre"' in page
    assert "custom.gone" not in page
    file = _export(client, columns=chosen).decode("utf-8-sig").splitlines()
    assert file[0] == "Name,cost centre,since"
    assert {"Demand,4711,2026-03-31", "Events,,"} <= set(file)
    rows = json.loads(_export(client, format="json", columns=chosen))
    assert {"name": "Demand", "custom.cost_centre": "4711", "custom.since": "2026-03-31"} in rows
    with pytest.raises(InvalidInput, match=r"There is no column “custom\.gone” to export"):
        exporting.columns_for(Team, ["custom.gone"])
    assert exporting.shown_to(person_with(), Team, ["name", "custom.since"]) == ("name",)
