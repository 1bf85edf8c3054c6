"""Leads in bulk: set-based, recorded, and the second time nothing is written."""

import csv
import threading

import pytest
from django.db import connection, transaction
from hypothesis import given as for_any
from hypothesis import settings
from hypothesis import strategies as st

from apps.accounts.enums import Role
from apps.audit.models import AuditEvent
from apps.core.actors import acting_as
from apps.core.exchange.engine import Walk
from apps.core.exchange.enums import OutcomeKind
from apps.core.exchange.models import PreviewRow, RowOutcome
from apps.core.exchange.reading.table import Line
from apps.core.exchange.registry import get_importer
from apps.leads.domain.bulk import judge_and_write
from apps.leads.domain.duplicates.entry import _has, holder, known_lead
from apps.leads.domain.duplicates.merging import merge
from apps.leads.imports import LeadImporter
from apps.leads.models import Lead
from tests.factories.accounts import person_with
from tests.factories.exchange import import_text
from tests.factories.leads import LeadFactory
from tests.leads.test_scoring import wait_until_locked
from tests.technology.test_imports import rows_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def ops():
    return person_with(Role.OPS)


def bring_in(records, person):
    importer = get_importer("leads.leads")
    with acting_as(person):
        return importer.apply(rows_of(importer, records), by=person)


def kinds(outcomes):
    return [each.kind for each in outcomes]


def ledger():
    return AuditEvent.objects.filter(table_name="leads_lead")


def test_new_changed_and_unchanged_rows_in_one_go(ops):
    bring_in([{"Lead Number": "1", "Lead Source": "Google"}, {"Lead Number": "2", "Lead Source": "bing"}], ops)
    outcomes = bring_in(
        [
            {"Lead Number": "1", "Lead Source": "Google"},
            {"Lead Number": "2", "Lead Source": "Bing"},
            {"Lead Number": "3", "Lead Source": ""},
        ],
        ops,
    )
    assert kinds(outcomes) == [OutcomeKind.UNCHANGED, OutcomeKind.UPDATED, OutcomeKind.CREATED]
    assert outcomes[1].changes == {"Lead source": ("bing", "Bing")}
    assert list(Lead.objects.order_by("external_id").values_list("source", flat=True)) == ["Google", "Bing", ""]


def whole_readings():
    """How often this transaction has read all leads from end to end."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT seq_scan FROM pg_stat_xact_user_tables WHERE relname = 'leads_lead'")
        return cursor.fetchone()[0]


def test_a_portion_looks_its_leads_up_though_nothing_is_known_of_how_many_there_are(ops):
    def portion(first):
        rows = range(first, first + 1000)
        return [
            (row, {"record_source": "big", "external_id": str(row), "email": f"p{row}@example.com"}) for row in rows
        ]

    with acting_as(ops):
        for first in (0, 1000, 2000):  # in one transaction: the planner's figures are those of an empty table
            judge_and_write(portion(first), set)
        before = whole_readings()
        refused, written = judge_and_write(portion(2500), set)
    assert whole_readings() <= before + 1  # a trigger that asks once for all rows may, while the table is this small
    assert (len(refused), len(written), sum(row.is_changed for row in written)) == (0, 1000, 500)


def test_every_change_has_an_author_and_a_version(ops):
    bring_in([{"Lead Number": "1", "Lead Source": "Google"}], ops)
    bring_in([{"Lead Number": "1", "Lead Source": "Bing"}], ops)
    lead = Lead.objects.get()
    assert [row.actor_label for row in lead.history.order_by("history_id")] == [ops.email] * 2
    assert ledger().first().changes == {"source": ["Google", "Bing"]}
    assert lead.row_version == 2


def test_a_column_that_is_not_in_the_file_is_left_alone(ops):
    bring_in([{"Lead Number": "1", "Lead Source": "Google", "Company": "Acme"}], ops)
    bring_in([{"Lead Number": "1", "Lead Source": "Bing"}], ops)
    assert Lead.objects.get().company == "Acme"


def test_a_file_brings_what_a_lead_asked_about(ops):
    bring_in([{"Lead Number": "1", "Product interest": "Analytics"}], ops)
    bring_in([{"Lead Number": "2", "Product": "CRM"}], ops)
    assert list(Lead.objects.order_by("external_id").values_list("product_interest", flat=True)) == ["Analytics", "CRM"]


def test_whose_address_or_phone_it_is_keeps_it_wherever_else_it_stands_in_the_file(ops):
    mine = {"Lead Number": "4", "Name": "Ann", "E-mail": "ann@a.example", "Phone": "+49 30 901820"}
    bring_in([mine], ops)
    other = {"Lead Number": "1", "Name": "Bo", "E-mail": "ann@a.example", "Phone": ""}
    third = {"Lead Number": "2", "Name": "Cy", "E-mail": "", "Phone": "+4930901820"}
    outcomes = bring_in([other, third, {**mine, "Name": "Anna"}], ops)
    assert kinds(outcomes) == [OutcomeKind.REFUSED, OutcomeKind.REFUSED, OutcomeKind.UPDATED]
    assert [each.reason for each in outcomes[:2]] == [
        "“ann@a.example” belongs to another lead already.",
        "The phone +4930901820 belongs to another lead already.",
    ]


_MATCHED = {
    "external_id": "Lead Number",
    "name": "Name",
    "email": "E-mail",
    "phone": "Phone",
    "total_visits": "Total visits",
}
_ROW = st.fixed_dictionaries(
    {
        "Lead Number": st.sampled_from([str(number) for number in range(1, 7)]),
        "Name": st.sampled_from(["", "Ann", "Bo"]),
        "E-mail": st.sampled_from(["", "ann@a.example", "ANN@a.example", "bo@b.example"]),
        "Phone": st.sampled_from(["", "+49 30 901820", "+4930901820", "+44 20 7946 0018"]),
        "Total visits": st.sampled_from(["", "0", "7"]),
    }
)


@settings(max_examples=settings.default.max_examples // 5, deadline=None)  # 5, and 100 with --proof
@for_any(st.lists(_ROW, max_size=8, unique_by=lambda row: row["Lead Number"]))
def test_whatever_a_file_holds_twice_is_once(file):
    with transaction.atomic():
        ops = person_with(Role.OPS)
        first = bring_in(file, ops)
        stood, written = list(Lead.objects.order_by("pk").values()), ledger().count()
        again = bring_in(file, ops)
        assert len(stood) == sum(each.kind == OutcomeKind.CREATED for each in first)
        once_more = {OutcomeKind.CREATED: OutcomeKind.UNCHANGED, OutcomeKind.REFUSED: OutcomeKind.REFUSED}
        assert kinds(again) == [once_more[each.kind] for each in first]
        assert (list(Lead.objects.order_by("pk").values()), ledger().count()) == (stood, written)
        transaction.set_rollback(True)


def test_two_systems_may_use_the_same_number(ops):
    outcomes = bring_in([{"Lead Number": "1", "System": "salesforce"}, {"Lead Number": "1", "System": "hubspot"}], ops)
    assert kinds(outcomes) == [OutcomeKind.CREATED] * 2


def test_an_address_belongs_to_one_lead(ops):
    LeadFactory(email="ann@example.com")
    outcomes = bring_in(
        [
            {"Lead Number": "1", "E-mail": "Ann@Example.com"},
            {"Lead Number": "2", "E-mail": "ben@example.com"},
            {"Lead Number": "3", "E-mail": "BEN@example.com"},
        ],
        ops,
    )
    assert [each.reason for each in outcomes] == [
        "“ann@example.com” belongs to another lead already.",
        "",
        "“ben@example.com” stands on another row of this file already.",
    ]


def test_an_archived_lead_is_not_changed(ops):
    bring_in([{"Lead Number": "1", "Lead Source": "Google"}], ops)
    Lead.objects.update(archived_at="2026-01-01T00:00Z")
    outcomes = bring_in([{"Lead Number": "1", "Lead Source": "Bing"}], ops)
    assert outcomes[0].reason == "Lead “1” is archived; restore it first if it is in use again."


def test_leads_of_others_are_not_changed():
    bring_in([{"Lead Number": "1", "Lead Source": "Google"}], person_with(Role.OPS))
    outcomes = bring_in([{"Lead Number": "1", "Lead Source": "Bing"}], person_with(Role.SALES))
    assert outcomes[0].reason == "There is already a lead “1”, and you may not change it."


@pytest.mark.parametrize(
    ("cell", "sentence"),
    [
        ({"Total visits": "-3"}, "is no count"),
        ({"Total visits": "many"}, "is not a number"),
        ({"Total visits": "99999999999"}, "is no count"),
        ({"E-mail": "ann at example"}, "is not an e-mail address"),
        ({"Total visits": "1e999999999"}, "has too many digits; 40 fit"),
        ({"Total visits": "9" * 5_000}, "has too many digits; 40 fit"),
        ({"E-mail": f"{'a' * 250}@engines.example"}, "is too long: 266 characters, at most 254 fit"),
        ({"Company": "x" * 200}, "is too long: 200 characters, at most 150 fit"),
        ({"Lead Number": ""}, "Lead number is empty; every row needs one."),
    ],
)
def test_what_cannot_be_is_refused_in_words(cell, sentence):
    from apps.core.errors import DomainError

    with pytest.raises(DomainError) as caught:
        rows_of(get_importer("leads.leads"), [{"Lead Number": "1", **cell}])
    assert sentence in str(caught.value)


def test_the_real_leads_come_in_once(shared_data, ops):
    with (shared_data / "leads.csv").open(newline="") as file:
        records = list(csv.DictReader(file))
    portions = [records[start : start + 1_000] for start in range(0, len(records), 1_000)]
    first = [kind for portion in portions for kind in kinds(bring_in(portion, ops))]
    written = ledger().count()
    second = [kind for portion in portions for kind in kinds(bring_in(portion, ops))]
    assert first == [OutcomeKind.CREATED] * 9_240
    assert second == [OutcomeKind.UNCHANGED] * 9_240
    assert ledger().count() == written == Lead.history.count() == 9_240
    assert Lead.objects.filter(converted=True).count() == 3_561
    assert Lead.objects.filter(total_visits__isnull=True).count() == 137


def test_a_batch_costs_a_handful_of_statements(ops, django_assert_max_num_queries):
    records = [{"Lead Number": str(number), "Lead Source": "Google"} for number in range(500)]
    with django_assert_max_num_queries(16):
        bring_in(records, ops)


def test_who_was_merged_has_no_say_in_addresses_and_is_named(ops):
    kept, gone = (
        LeadFactory(name="Kept", external_id="1", email=None),
        LeadFactory(name="Gone", external_id="2", email="ann@example.com"),
    )
    Lead.objects.update(record_source="file")
    merge(kept, gone, by=ops, reason="One person.")
    records = [
        {"Lead Number": "1", "E-mail": "ann@example.com", "Company": "Acme"},
        {"Lead Number": "2", "E-mail": "", "Company": ""},
    ]
    outcomes = bring_in(records, ops)
    assert [each.reason for each in outcomes] == ["", "Lead “2” was merged into Kept; change that one."]
    kept.refresh_from_db()
    assert (kept.email, kept.company) == ("ann@example.com", "Acme")
    Lead.objects.filter(pk=gone.pk).update(owner_person=(seller := person_with(Role.SALES)))
    assert "Kept" not in "".join(each.reason for each in bring_in(records[1:], seller))


def test_what_a_merged_lead_had_is_that_of_the_lead_that_was_kept(ops):
    kept, gone = LeadFactory(name="Kept", email=None), LeadFactory(name="Gone", email=None, phone="+4930901820")
    LeadFactory(name="Bo", external_id="8", record_source="file", email="bo@b.example")
    merge(kept, gone, by=ops, reason="One person.")
    Lead.objects.filter(pk=gone.pk).update(email="ann@a.example")
    Lead.objects.filter(pk=kept.pk).update(phone="", external_id="9", record_source="file")
    file = [
        {"Lead Number": "7", "E-mail": "Ann@a.example", "Phone": ""},
        {"Lead Number": "8", "E-mail": "", "Phone": "+49 30 901820"},
        {"Lead Number": "9", "E-mail": "ann@a.example", "Phone": "+49 30 901820"},
        {"Lead Number": "10", "E-mail": "ann@a.example", "Phone": ""},
    ]
    told = [
        "“ann@a.example” belongs to a lead that was merged into Kept; change that one.",
        "The phone +4930901820 belongs to a lead that was merged into Kept; change that one.",
    ]
    assert [each.reason for each in bring_in(file, ops)] == [*told, "", told[0]]
    kept.refresh_from_db()
    assert (kept.email, kept.phone, Lead.objects.count()) == ("ann@a.example", "+4930901820", 3)
    taken = "“ann@a.example” belongs to another lead already."  # by now the lead that was kept has both itself
    phone_taken = "The phone +4930901820 belongs to another lead already."
    assert [each.reason for each in bring_in(file, ops)] == [taken, phone_taken, "", taken]


def outcomes_of(batch):
    rows = PreviewRow.objects.filter(batch=batch), RowOutcome.objects.filter(batch=batch)
    return [list(each.order_by("line").values_list("line", "kind", "reason")) for each in rows]


def test_a_preview_tells_of_each_row_what_the_run_does_also_across_portions(ops, monkeypatch):
    monkeypatch.setattr(LeadImporter, "batch_size", 2)
    mine = {"record_source": "file", "email": None}
    LeadFactory(**{**mine, "external_id": "1", "email": "old@a.example", "phone": "+4930901820"})
    LeadFactory(**mine, external_id="2", phone="+442079460018", is_phone_shared=True)
    file = (
        "Lead Number,E-mail,Phone\n"
        "3,ann@a.example,\n1,new@a.example,\n"  # line 3 frees an address and a phone …
        "4,ANN@a.example,\n5,old@a.example,+49 30 901820\n"  # … which line 5 may have, line 4 comes too late
        "6,new@a.example,\n2,,+44 20 7946 0018\n"
        "7,,+44 20 7946 0018\n8,old@a.example,\n9,,+4930901820\n"  # a shared phone is nobody's
    )
    previewed, done = outcomes_of(import_text("leads.leads", file, by=ops))
    assert previewed == done
    taken = "belongs to another lead already."
    assert [(line, reason) for line, _, reason in done if reason] == [
        (4, f"“ann@a.example” {taken}"),
        (6, f"“new@a.example” {taken}"),
        (9, f"“old@a.example” {taken}"),
        (10, f"The phone +4930901820 {taken}"),
    ]


@settings(max_examples=settings.default.max_examples // 5, deadline=None)  # 5, and 100 with --proof
@for_any(st.lists(_ROW, max_size=6, unique_by=lambda row: row["Lead Number"]), st.lists(_ROW, max_size=8))
def test_whatever_a_file_brings_is_previewed_as_it_is_done(stood, file):
    with transaction.atomic(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(LeadImporter, "batch_size", 2)
        ops = person_with(Role.OPS)
        bring_in(stood, ops)
        lines = [Line(number, row) for number, row in enumerate(file, 2)]
        told = []
        for dry in (True, False):
            with acting_as(ops):
                found = []
                Walk(get_importer("leads.leads"), _MATCHED, ops, dry=dry).carry(lines, found.extend)
            told.append([(each.line, each.kind, each.reason) for each in found])
        assert told[0] == told[1]
        transaction.set_rollback(True)


@pytest.mark.django_db(transaction=True)
def test_a_lead_that_somebody_else_brings_in_meanwhile_is_found_and_the_others_are_new(ops):
    told = []

    def import_beside():
        with acting_as(ops):
            lines = [Line(number, {"number": str(number), "source": "file"}) for number in range(2, 7)]
            mapping = {"external_id": "number", "source": "source"}
            Walk(get_importer("leads.leads"), mapping, ops).carry(lines, told.extend)
        connection.close()

    beside = threading.Thread(target=import_beside)
    with transaction.atomic():
        LeadFactory(record_source="file", external_id="4", source="form")
        beside.start()
        wait_until_locked()
    beside.join()
    created, updated = OutcomeKind.CREATED, OutcomeKind.UPDATED
    assert [(each.line, each.kind) for each in told] == [
        (2, created),
        (3, created),
        (4, updated),
        (5, created),
        (6, created),
    ]
    assert Lead.objects.filter(source="file").count() == Lead.objects.count() == 5


def test_who_an_address_belongs_to_is_looked_up_not_read_from_all_leads():
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        before = whole_readings()
        known_lead(email="nobody@a.example", phone="+4930901820")
        holder("email", "nobody@a.example")
        rows = Lead._base_manager.filter(_has("nobody@a.example")).order_by()
        assert "lead_email_once" in rows.filter(merged_into=None).explain()
        assert "Index Cond" in rows.filter(merged_into__isnull=False).explain()
    assert whole_readings() == before
