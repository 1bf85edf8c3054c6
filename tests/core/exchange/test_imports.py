"""An import from upload to report: matched, previewed without a trace, run in the background, run again in vain."""

import pytest
from django.db import connection, transaction
from django.db.utils import DatabaseError

from apps.accounts.enums import Role
from apps.accounts.models import Team
from apps.audit.models import AuditEvent
from apps.core.errors import DomainError, InvalidInput, NotAllowed, WrongState
from apps.core.exchange.domain.matching import map_columns, suggest
from apps.core.exchange.domain.receiving import read_again
from apps.core.exchange.domain.running import preview_batch, run_batch, said
from apps.core.exchange.engine import Walk
from apps.core.exchange.models import ColumnMapping, ImportBatch, PreviewRow, RowOutcome
from apps.core.exchange.registry import Importer, Outcome
from apps.core.jobs.testing import run_queued_jobs
from tests.factories.accounts import TeamFactory, person_with
from tests.factories.exchange import TeamImporter, import_text, importers, receive

pytestmark = pytest.mark.django_db
TEXT = "Team,Purpose,Colour\nDemand,Campaigns,red\nEvents,Fairs,blue\n,nobody,\nContent,Words,\ncontent,again,\n"


def _report(batch):
    return [(row.line, row.kind, row.key, row.reason) for row in batch.outcomes.order_by("line")]


def test_columns_are_matched_by_name_label_and_alias():
    assert suggest(TeamImporter(), ["TEAM NAME", "Colour", "purpose"]) == {"name": "TEAM NAME", "purpose": "purpose"}


def test_an_import_from_upload_to_report(admin):
    TeamFactory(name="Demand", purpose="")
    TeamFactory(name="Events", purpose="Fairs")
    batch = receive(TEXT, by=admin)
    assert (batch.kind, batch.headers, batch.row_count) == ("csv", ["Team", "Purpose", "Colour"], 5)
    batch = map_columns(batch, batch.mapping, by=admin)
    before = AuditEvent.objects.filter(table_name="accounts_team").count()
    batch = preview_batch(batch, by=admin)
    assert batch.preview_counts == {"updated": 1, "unchanged": 1, "created": 1, "refused": 2}
    assert said(batch) == "1 created, 1 updated, 1 unchanged, 2 refused."
    assert PreviewRow.objects.get(batch=batch, kind="updated").changes == {"Purpose": ["", "Campaigns"]}
    assert (Team.objects.filter(name="Content").exists(), _report(batch)) == (False, [])
    assert AuditEvent.objects.filter(table_name="accounts_team").count() == before
    run_batch(batch, by=admin)
    (job,) = run_queued_jobs()
    batch.refresh_from_db()
    assert (batch.state, job.counts) == ("done", {"updated": 1, "unchanged": 1, "created": 1, "refused": 2})
    assert _report(batch) == [
        (2, "updated", "Demand", ""),
        (3, "unchanged", "Events", ""),
        (4, "refused", "", "Name is empty; every row needs one."),
        (5, "created", "Content", ""),
        (6, "refused", "content", "Line 5 already names this record; keep one of the two."),
    ]
    entry = AuditEvent.objects.filter(table_name="accounts_team", object_label="Content").get()
    assert (entry.actor, entry.channel, entry.job_id) == (admin, "import", str(job.pk))
    assert entry.reason == f"Import {batch}"


def test_running_again_writes_nothing_and_says_so(admin):
    import_text("test.teams", "name,purpose\nDemand,Campaigns\nEvents,Fairs\n", by=admin)
    before = AuditEvent.objects.filter(table_name="accounts_team").count()
    batch = import_text("test.teams", "name,purpose\nDemand,Campaigns\nEvents,Fairs\n", by=admin)
    assert said(batch) == "2 unchanged, nothing was written."
    assert AuditEvent.objects.filter(table_name="accounts_team").count() == before
    run_batch(batch, by=admin)
    run_queued_jobs()
    batch.refresh_from_db()
    assert (batch.run_number, batch.counts) == (2, {"unchanged": 2})


def test_a_begun_run_goes_on_where_it_stopped(admin):
    batch = receive("name\nDemand\nEvents\n", by=admin)
    preview_batch(map_columns(batch, batch.mapping, by=admin), by=admin)
    run_batch(batch, by=admin)
    batch.refresh_from_db()
    RowOutcome.objects.create(batch=batch, run_number=1, line=2, kind="created", key="Demand")
    run_queued_jobs()
    assert [(row.line, row.kind) for row in batch.outcomes.order_by("line")] == [(2, "created"), (3, "created")]


def test_a_confirmed_matching_is_remembered_for_the_same_header(admin):
    batch = receive("who,what\nDemand,Campaigns\n", by=admin)
    assert batch.mapping == {}
    map_columns(batch, {"name": "who", "purpose": ""}, by=admin)
    assert receive("What,WHO\nx,y\n", by=admin).mapping == {"name": "WHO"}
    map_columns(batch, {"name": "who", "purpose": "what"}, by=admin)
    assert receive("who,what\nx,y\n", by=admin).mapping == {"name": "who", "purpose": "what"}
    assert ColumnMapping.objects.count() == 1


@pytest.mark.parametrize(
    ("mapping", "sentence"),
    [
        (
            {},
            (
                "Required and not matched: Name. Choose the column of the file that holds it; "
                "if there is none, add it to the file."
            ),
        ),
        ({"name": "a", "purpose": "a"}, "The column “a” is matched twice, with Name and Purpose; choose one."),
        ({"name": "z"}, "The file has no column “z” (any more); match its columns again."),
        ({"name": "a", "colour": "b"}, "Teams know no column “colour”."),
    ],
)
def test_matchings_that_do_not_fit_are_refused(admin, mapping, sentence):
    batch = receive("a,b\n1,2\n", by=admin)
    with pytest.raises(InvalidInput) as refusal:
        map_columns(batch, mapping, by=admin)
    assert refusal.value.message == sentence


def test_the_file_can_be_read_another_way(admin):
    batch = receive("name;purpose\nŁódź;x,y\n".encode("cp1250"), by=admin)
    assert batch.notes[0].startswith("The text is not UTF-8")
    batch = read_again(batch, by=admin, encoding="cp1250", delimiter=";")
    preview_batch(map_columns(batch, batch.mapping, by=admin), by=admin)
    assert batch.preview_rows.get().key == "Łódź"
    with pytest.raises(InvalidInput, match="not written in the encoding chosen"):
        read_again(batch, by=admin, encoding="utf-8-sig")


def test_people_without_the_right_are_refused(admin):
    batch = receive("name\nDemand\n", by=admin)
    ops, auditor = person_with(Role.OPS), person_with(Role.AUDITOR)
    no_team_rights = "You may not import teams: that takes the right to add and to change them."
    attempts = (
        lambda person: receive("name\nx\n", by=person),
        lambda person: read_again(batch, by=person),
        lambda person: map_columns(batch, {"name": "name"}, by=person),
        lambda person: preview_batch(batch, by=person),
        lambda person: run_batch(batch, by=person),
    )
    for person, sentence in ((auditor, "Your roles do not let you import."), (ops, no_team_rights)):
        for attempt in attempts:
            with pytest.raises(NotAllowed) as refusal:
                attempt(person)
            assert refusal.value.message == sentence


def test_the_order_of_steps_is_kept(admin):
    batch = receive("name\nDemand\n", by=admin)
    with pytest.raises(WrongState, match="Look at the preview first"):
        run_batch(batch, by=admin)
    preview_batch(map_columns(batch, batch.mapping, by=admin), by=admin)
    run_batch(batch, by=admin)
    for attempt, words in ((run_batch, "is under way"), (preview_batch, "is under way")):
        with pytest.raises(WrongState, match=words):
            attempt(batch, by=admin)
    run_queued_jobs()
    with pytest.raises(WrongState, match="has run already"):
        preview_batch(batch, by=admin)
    with pytest.raises(WrongState, match="This import is done; start another one"):
        map_columns(batch, {"name": "name"}, by=admin)
    with pytest.raises(WrongState, match="This import is done; start another one"):
        read_again(batch, by=admin)


def test_an_unreadable_file_is_refused_whole_and_not_kept(admin, files):
    with pytest.raises(InvalidInput, match="This is a PNG picture"):
        receive(b"\x89PNG\r\n\x1a\n", by=admin)
    assert ImportBatch.objects.count() == 0
    assert [each for each in files.rglob("*") if each.is_file()] == []


def test_damage_further_down_is_found_by_the_preview_and_nothing_is_written(admin):
    rows = "".join(f"Row {number},x\n" for number in range(400))
    batch = receive(f'name,purpose\n{rows}"open,x\n', by=admin)
    assert batch.row_count is None
    preview_batch(map_columns(batch, batch.mapping, by=admin), by=admin)
    job = run_queued_jobs()[0]
    batch.refresh_from_db()
    sentence = "Line 402: a quotation mark inside a quoted value must be doubled, and every opened one closed."
    assert (batch.state, batch.problem, job.state, job.error) == ("failed", sentence, "failed", sentence)
    assert Team.objects.filter(name__startswith="Row").count() == 0


class StubbornImporter(Importer):
    """Refuses the whole call when one of its rows is bad."""

    key, title, model, natural_key = "test.stubborn", "Teams", Team, ("name",)
    columns = TeamImporter.columns
    sizes = []

    def apply(self, rows, *, by):
        self.sizes.append(len(rows))
        if any(row.values["name"] == "bad" for row in rows):
            raise InvalidInput("Bad things are not let in.")
        if any(row.values["name"] == "twin" for row in rows):
            TeamFactory(name="twin")
            TeamFactory(name="twin")
        return [Outcome.created(row) for row in rows]


def test_one_guilty_row_is_found_and_the_others_go_in(admin):
    with importers(StubbornImporter):
        batch = import_text("test.stubborn", "name\n" + "".join(f"t{n}\n" for n in range(20)) + "bad\ntwin\n", by=admin)
    assert batch.counts == {"created": 20, "refused": 2}
    assert [(row.key, row.reason) for row in batch.outcomes.filter(kind="refused").order_by("line")] == [
        ("bad", "Bad things are not let in."),
        ("twin", "There is already such a record; change the values or use that one."),
    ]


class ForgetfulImporter(StubbornImporter):
    key = "test.forgetful"

    def apply(self, rows, *, by):
        return []


def test_an_importer_must_answer_for_every_row(admin):
    with importers(ForgetfulImporter):
        batch = receive("name\nx\n", by=admin, importer="test.forgetful")
        with pytest.raises(RuntimeError, match="one outcome for each row"):
            preview_batch(map_columns(batch, batch.mapping, by=admin), by=admin)


def test_a_cancelled_run_keeps_what_is_done(admin, teams, monkeypatch):
    monkeypatch.setattr(teams, "batch_size", 2)
    batch = receive("name\n" + "".join(f"t{n}\n" for n in range(6)), by=admin)
    preview_batch(map_columns(batch, batch.mapping, by=admin), by=admin)
    run_batch(batch, by=admin)
    from apps.core.jobs.domain.runs import cancel
    from apps.core.jobs.models import JobRun

    original = teams.apply

    def apply(self, rows, *, by):
        if rows[0].values["name"] == "t2":
            cancel(JobRun.objects.get(pk=ImportBatch.objects.get(pk=batch.pk).run_job), by=admin)
        return original(self, rows, by=by)

    monkeypatch.setattr(teams, "apply", apply)
    run_queued_jobs()
    batch.refresh_from_db()
    assert (batch.state, batch.counts, batch.problem) == (
        "cancelled",
        {"created": 4},
        "Cancelled; the rows below are in.",
    )
    monkeypatch.setattr(teams, "apply", original)
    run_batch(batch, by=admin)
    run_queued_jobs()
    batch.refresh_from_db()
    assert (batch.state, batch.counts) == ("done", {"created": 2, "unchanged": 4})


def test_a_run_whose_worker_is_lost_can_be_run_again(admin):
    batch = receive("name\nDemand\n", by=admin)
    preview_batch(map_columns(batch, batch.mapping, by=admin), by=admin)
    run_batch(batch, by=admin)
    from apps.core.jobs.models import JobRun

    JobRun.objects.update(state="dead", finished_at="2026-01-01T00:00Z")
    run_batch(batch, by=admin)
    run_queued_jobs()
    batch.refresh_from_db()
    assert (batch.state, batch.run_number, batch.counts) == ("done", 2, {"created": 1})


def test_outcomes_are_evidence(admin):
    batch = import_text("test.teams", "name\nDemand\n", by=admin)
    for statement in (
        "UPDATE exchange_rowoutcome SET kind = 'created'",
        "DELETE FROM exchange_rowoutcome",
        "TRUNCATE exchange_rowoutcome",
        "UPDATE exchange_importbatch SET sha256 = 'x'",
        "UPDATE exchange_importbatch SET importer = 'x'",
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    assert batch.outcomes.count() == 1


def test_an_unknown_importer_is_a_sentence(admin):
    with pytest.raises(DomainError) as refusal:
        receive("name\nx\n", by=admin, importer="gone.things")
    assert refusal.value.message == "Nothing imports “gone.things”; that part of mops is not installed here."


def test_a_matching_that_leaves_out_what_every_row_needs_is_refused_in_words(admin):
    for mapping in ({}, {"purpose": "Purpose"}):
        with pytest.raises(InvalidInput, match="Required and not matched: Name"):
            Walk(TeamImporter(), mapping, admin)
