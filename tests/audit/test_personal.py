"""Personal values: commitments in the ledger, readable with permission, handed out on request, erased for good."""

import hashlib
import json

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction, utils

from apps.accounts.enums import Role
from apps.accounts.models import Team
from apps.audit.domain import personal, retention
from apps.audit.domain.replay import replay
from apps.audit.models import AuditEvent, ErasedSubject, LegalHold, PersonalValue
from apps.core.actors import acting_as
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.leads.models import Lead
from mops.db.roles import as_owner
from tests.factories.accounts import TeamFactory, UserFactory, person_with
from tests.factories.leads import LeadFactory

pytestmark = pytest.mark.django_db
NAME, ADDRESS = "Zofia Nowak", "zofia@nowak.example"
GONE = ("Zofia", "zofia", "Nowak", "nowak")


@pytest.fixture
def administrator():
    return person_with(Role.ADMINISTRATOR)


@pytest.fixture
def lead():
    with acting_as(UserFactory()):
        lead = LeadFactory(name="Z. Nowak", email=ADDRESS, company="Nowhere Ltd")
        lead.name = NAME
        lead.save()
        return lead


def entries(lead):
    return AuditEvent.objects.filter(table_name="leads_lead", object_id=str(lead.pk)).order_by("id")


def everything_in(*tables):
    with connection.cursor() as cursor:
        found = []
        for table in tables:
            cursor.execute(f"SELECT coalesce(string_agg(to_jsonb(t)::text, ''), '') FROM {table} t")
            found.append(cursor.fetchone()[0])
    return "".join(found)


def test_ledger_holds_commitments_that_verify(lead):
    for event in entries(lead):
        assert not any(word in json.dumps(event.changes) + event.object_label for word in GONE)
        for each in PersonalValue.objects.filter(event_id=event.pk):
            kept = event.changes[each.column_name][each.side == "new"]["commitment"]
            text = json.dumps(each.value, ensure_ascii=False).encode()
            assert kept == hashlib.sha256(bytes(each.salt) + text).hexdigest()
    first, second = entries(lead)
    assert first.changes["company"] == [None, "Nowhere Ltd"]
    assert set(second.changes) == {"name"}
    salts = [bytes(salt) for salt in PersonalValue.objects.values_list("salt", flat=True)]
    assert len(set(salts)) == len(salts) == 4
    assert [str(each) for each in replay(Lead)] == []


def test_an_empty_text_is_no_secret(lead):
    first = entries(lead).first()
    assert first.changes["phone"] == [None, ""]
    with acting_as(UserFactory()):
        for phone in ("+4930901820", ""):
            lead.phone = phone
            lead.save()
    given, taken = (event.changes["phone"] for event in list(entries(lead))[2:])
    assert given[0] == taken[1] == ""
    assert set(given[1]) == set(taken[0]) == {"commitment"}
    stored = PersonalValue.objects.filter(column_name="phone").values_list("side", "value")
    assert sorted(stored) == [("new", "+4930901820"), ("old", "+4930901820")]
    assert [str(each) for each in replay(Lead)] == []


@pytest.mark.django_db(transaction=True)
def test_what_was_written_into_an_empty_personal_field_with_triggers_off_is_named(lead):
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE leads_lead DISABLE TRIGGER USER")
        cursor.execute("UPDATE leads_lead SET phone = '+4930901821' WHERE id = %s", [lead.pk])
        cursor.execute("ALTER TABLE leads_lead ENABLE TRIGGER USER")
    found = [str(each) for each in replay(Lead) if each.source == "the ledger"]
    assert found == [f"leads_lead {lead.pk}: phone is not what the ledger says."]


def test_values_of_a_record_are_found_through_its_entries(lead):
    found = "SELECT e.id FROM audit_auditevent e WHERE e.table_name = 'leads_lead' AND e.object_id = '1'"
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN SELECT 1 FROM audit_personalvalue v WHERE v.event_id = ANY (ARRAY({found}))")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "audit_personalvalue_pkey" in plan
    assert "table_name_object_id" in plan
    assert "Seq Scan" not in plan


def test_values_are_read_with_permission_alone(lead):
    event = entries(lead).last()
    assert personal.values_behind(event, by=person_with(Role.AUDITOR)) == {"name": ["Z. Nowak", NAME]}
    with pytest.raises(NotAllowed, match="You may not see personal values in the ledger"):
        personal.values_behind(event, by=UserFactory())


@pytest.mark.parametrize("table", ["audit_personalvalue", "audit_erasedsubject", "audit_recordedcolumn"])
@pytest.mark.parametrize("statement", ["DELETE FROM {}", "INSERT INTO {} SELECT * FROM {}", "TRUNCATE {}"])
def test_serving_role_cannot_write_beside_the_functions(lead, table, statement):
    with pytest.raises(utils.ProgrammingError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement.replace("{}", table))


def test_erasure_leaves_no_trace_and_a_ledger_that_replays(lead, administrator):
    before = list(entries(lead).values_list("id", "changes"))
    tombstone = personal.erase_subject(lead, by=administrator, reason="asked for it on 3 May")
    lead.refresh_from_db()
    assert (lead.name, lead.email, lead.company) == ("", None, "Nowhere Ltd")
    tables = ("leads_lead", "leads_historicallead", "audit_auditevent", "audit_personalvalue", "audit_erasedsubject")
    assert not any(word in everything_in(*tables) for word in GONE)
    assert lead.history.count() == 3
    assert list(entries(lead).values_list("id", "changes"))[: len(before)] == before
    assert [str(each) for each in replay(Lead)] == []
    assert (tombstone.values_erased, tombstone.versions_cleared) == (6, 3)
    assert (tombstone.erased_by_label, tombstone.reason) == (administrator.email, "asked for it on 3 May")
    assert entries(lead).last().reason == "asked for it on 3 May"


def test_erasure_is_refused_in_words(lead, administrator):
    with pytest.raises(NotAllowed, match="You may not erase people"):
        personal.erase_subject(lead, by=person_with(Role.OPS), reason="x")
    with pytest.raises(InvalidInput, match="An erasure needs a reason"):
        personal.erase_subject(lead, by=administrator, reason="  ")
    with pytest.raises(WrongState, match="Teams hold no personal data that could be erased"):
        personal.erase_subject(TeamFactory(), by=administrator, reason="x")
    retention.place_hold(LegalHold(matter="Case 9", kind="leads_lead", reason="suit"), by=administrator)
    with pytest.raises(WrongState, match="The legal hold “Case 9” covers this; it has to be released first"):
        personal.erase_subject(lead, by=administrator, reason="x")
    assert personal.refuse_erase(administrator, lead).startswith("The legal hold “Case 9”")


def test_database_itself_respects_the_hold(lead, administrator):
    retention.place_hold(LegalHold(matter="Case 9", reason="suit"), by=administrator)
    things = json.dumps([{"table": "leads_lead", "key": str(lead.pk), "history": "", "columns": []}])
    with pytest.raises(utils.DatabaseError, match="The legal hold “Case 9”"), connection.cursor() as cursor:
        cursor.execute("SELECT * FROM mops_erase_subject('leads_lead', '1', %s, '', '', 'why')", [things])


def test_database_clears_nothing_but_versions(lead):
    things = json.dumps(
        [{"table": "accounts_team", "key": "1", "history": "accounts_user", "columns": ["is_superuser"]}]
    )
    with pytest.raises(utils.DatabaseError, match="Only the versions"), connection.cursor() as cursor:
        cursor.execute("SELECT * FROM mops_erase_subject('x', '1', %s, '', '', 'why')", [things])


def test_erasures_are_applied_again_after_a_restore(lead, administrator, tmp_path, capsys):
    file = tmp_path / "erasures.json"
    personal.erase_subject(lead, by=administrator, reason="asked")
    call_command("audit", "erasures", "--file", str(file))
    assert not any(word in file.read_text() for word in GONE)
    with acting_as(UserFactory()):
        Lead.objects.filter(pk=lead.pk).update(name=NAME, email=ADDRESS)
    call_command("audit", "reapply-erasures", "--file", str(file))
    call_command("audit", "reapply-erasures", "--file", str(file))
    lead.refresh_from_db()
    assert (lead.name, lead.email) == ("", None)
    said = capsys.readouterr().out
    assert "1 erased again, 0 needed nothing." in said
    assert "0 erased again, 1 needed nothing." in said
    assert ErasedSubject.objects.count() == 2
    file.write_text("nonsense")
    with pytest.raises(CommandError, match="is no list of erasures"):
        call_command("audit", "reapply-erasures", "--file", str(file))


def test_export_holds_all_that_is_known(lead, administrator):
    exported = personal.export_subject(lead, by=administrator)
    [record] = exported["records"]
    assert (record["now"]["name"], record["now"]["email"]) == (NAME, ADDRESS)
    assert [version["name"] for version in record["versions"]] == ["Z. Nowak", NAME]
    assert record["changes"][1]["changes"] == {"name": ["Z. Nowak", NAME]}
    assert record["files"] == []
    with pytest.raises(NotAllowed, match="You may not export a person's data"):
        personal.export_subject(lead, by=person_with(Role.AUDITOR))


def test_people_of_the_organisation_are_evidence(administrator):
    person = UserFactory(full_name="Olga Still-There")
    with pytest.raises(WrongState, match="hold no personal data"):
        personal.erase_subject(person, by=administrator, reason="left")
    assert not hasattr(Team, "personal_fields")
