"""The tamper suite: each thing somebody with the server could do, and that verification names it."""

import json

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from apps.accounts.enums import Role
from apps.audit import standalone
from apps.audit.domain.personal import erase_subject
from apps.audit.domain.proving import prove
from apps.audit.domain.seal_files import seal_files
from apps.audit.domain.sealing import seal_ledger
from apps.audit.models import AuditSeal, PersonalValue
from apps.core.actors import acting_as
from apps.core.errors import InvalidInput, WrongState
from tests.audit.seals import entries, problem, sealed, sealing, tampering, write  # noqa: F401  # a fixture
from tests.factories.accounts import person_with
from tests.factories.leads import LeadFactory

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("sealing")]
COLUMNS = (
    "at, txid, actor_id, actor_label, on_behalf_of_label, channel, request_id, job_id, reason, db_role, action,"
    " table_name, object_id, object_label, changes"
)


def tamper(statement, *given):
    with tampering() as cursor:
        cursor.execute(statement, given)


def edit_file(change):
    path = seal_files()[0]
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(change(lines)))


def starting(lines, word):
    return next(index for index, line in enumerate(lines) if line.startswith(word))


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("changes", 'changes || \'{"name": [null, "forged"]}\''),
        ("reason", "'because'"),
        ("actor_label", "'somebody.else@example.com'"),
        ("actor_id", "actor_id + 1"),
        ("at", "at - interval '1 second'"),
        ("txid", "txid + 1"),
        ("channel", "'job'"),
        ("object_id", "'999999'"),
        ("object_label", "'Another'"),
        ("table_name", "'leads_lead'"),
        ("action", "'delete'"),
        ("request_id", "'abc'"),
        ("job_id", "'7'"),
        ("on_behalf_of_label", "'x'"),
        ("db_role", "'x'"),
    ],
)
def test_an_altered_column_of_an_entry_is_named(column, value):
    numbers, _ = sealed(3, 2)
    for number in (numbers[1], numbers[2]):  # the first of the two is the one to be named
        tamper(f"UPDATE audit_auditevent SET {column} = {value} WHERE id = %s", number)
    assert problem() == f"Entry {numbers[1]} was altered after seal 1 was made."


def test_a_deleted_entry_is_named():
    numbers, _ = sealed(3, 2)
    tamper("DELETE FROM audit_auditevent WHERE id = %s", numbers[1])
    assert problem() == f"Entry {numbers[1]} was deleted after seal 1 was made."


def test_an_inserted_entry_is_named():
    sealed(2)
    (gap,) = [entries()[-1] + 1]
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('audit_auditevent_id_seq')")  # a write that was given up leaves a free number
    write()
    seal_ledger()
    tamper(f"INSERT INTO audit_auditevent (id, {COLUMNS}) SELECT %s, {COLUMNS} FROM audit_auditevent LIMIT 1", gap)
    assert problem() == f"Entry {gap} was inserted after seal 2 was made."


def test_an_entry_with_a_number_of_its_own_is_named():
    sealed(2)
    tamper(f"INSERT INTO audit_auditevent (id, {COLUMNS}) SELECT 999999, {COLUMNS} FROM audit_auditevent LIMIT 1")
    assert problem() == "Entry 999999 was inserted by hand: that number has never been given out."


def test_reordered_entries_are_named():
    (numbers,) = sealed(3)
    for number, other in ((numbers[0], -1), (numbers[2], numbers[0]), (-1, numbers[2])):
        tamper("UPDATE audit_auditevent SET id = %s WHERE id = %s", other, number)
    named = f"Entry {numbers[0]} was reordered: it holds what was sealed as entry {numbers[2]}, after seal 1 was made."
    assert problem() == named


@pytest.mark.parametrize("column", ["count", "merkle_root", "sealed_at", "to_id", "digest", "signature", "prev_digest"])
def test_an_altered_seal_is_named(column):
    sealed(2, 2, 2)
    new = {"count": "count + 1", "to_id": "to_id - 1", "sealed_at": "sealed_at + interval '1 day'"}
    change = new.get(column, f"translate({column}, '0123456789', '1234567890')")
    tamper(f"UPDATE audit_auditseal SET {column} = {change} WHERE n = 2")
    assert problem().startswith("Seal 2 was altered")


def test_a_removed_seal_is_named():
    sealed(2, 2, 2)
    tamper("DELETE FROM audit_auditseal WHERE n = 2")
    assert problem() == "Seal 2 was removed: after seal 1 comes seal 3."


def test_the_last_and_the_first_seal_cannot_be_removed_either():
    sealed(2, 2)
    tamper("DELETE FROM audit_auditseal WHERE n = 2")
    assert problem() == "Seal 2 was removed: the seals file has it, the database ends with seal 1."
    tamper("UPDATE audit_auditseal SET n = 2")
    assert problem().startswith("Seal 1 was removed")


def test_a_seal_signed_with_a_key_of_ones_own_is_named(settings, tmp_path):
    sealed(2)
    mine = (tmp_path / "mine", tmp_path / "mine.pub")
    own_key, own_file, trusted = settings.SEAL_KEY_FILE, settings.SEALS_FOLDER, settings.SEAL_KEYS_TRUSTED
    old = AuditSeal.objects.get()
    tamper("DELETE FROM audit_auditseal")
    settings.SEAL_KEY_FILE, settings.SEAL_KEYS_TRUSTED = mine
    settings.SEALS_FOLDER = tmp_path / "forged"
    seal_ledger()
    settings.SEAL_KEY_FILE, settings.SEALS_FOLDER, settings.SEAL_KEYS_TRUSTED = own_key, own_file, trusted
    forged = AuditSeal.objects.get()
    assert forged.key != old.key
    assert problem() == f"Seal 1 is signed by the key {forged.key}, which is none of those trusted here."
    assert problem(key="0" * 32) == f"The key {'0' * 32} has never sealed here."


def test_a_swapped_key_is_named(settings):
    sealed(2)
    settings.SEAL_KEY_FILE.write_text("ab" * 32)
    assert problem().startswith("The sealing key was swapped")


def test_the_list_of_trusted_keys_gone_is_named(settings):
    sealed(2)
    settings.SEAL_KEYS_TRUSTED.unlink()
    assert "nothing says whose key signed them" in problem()


def test_a_file_cut_off_is_named():
    sealed(2, 2)
    edit_file(lambda lines: lines[: starting(lines, "seal") + 1])
    assert problem() == "The seals file was cut off: it ends with seal 1, and seal 2 is missing."


def test_a_file_cut_off_in_the_middle_of_a_seal_is_named():
    numbers = sealed(2, 2)
    edit_file(lambda lines: lines[:-1])
    assert "was cut off from entry" in problem()
    assert numbers


def test_an_altered_line_of_the_file_is_told_from_an_altered_entry():
    (numbers,) = sealed(3)

    def change(lines):
        place = starting(lines, f"{numbers[1]} ")
        return [*lines[:place], f"{numbers[1]} {'0' * 64}\n", *lines[place + 1 :]]

    edit_file(change)
    assert problem() == (f"The seals file was altered at entry {numbers[1]}: seal 1 fits the ledger, not the file.")


def test_file_and_ledger_altered_alike_do_not_fit_the_signature():
    (numbers,) = sealed(3)
    tamper("UPDATE audit_auditevent SET reason = 'forged' WHERE id = %s", numbers[1])
    forged = standalone.leaf_hash(prove_line(numbers[1])).hex()

    def change(lines):
        place = starting(lines, f"{numbers[1]} ")
        return [*lines[:place], f"{numbers[1]} {forged}\n", *lines[place + 1 :]]

    edit_file(change)
    assert "seals file and ledger were altered alike" in problem()


def prove_line(number):
    from apps.audit.domain.leaves import canonical_lines

    return canonical_lines([number])[number].encode()


def test_a_seal_cut_out_of_the_file_is_named():
    sealed(2, 2, 2)

    def change(lines):
        ends = [index for index, line in enumerate(lines) if line.startswith("seal")]
        return [*lines[: ends[0] + 1], *lines[ends[1] + 1 :]]

    edit_file(change)
    assert problem() == "Seal 2 was removed from the seals file."


def test_a_broken_file_is_refused_in_words():
    sealed(2)
    seal_files()[0].write_text("this is\nno seals file\n")
    assert "was cut off behind seal 0" in problem()
    seal_files()[0].write_text("")
    assert "was emptied" in problem()
    with pytest.raises(WrongState, match="was emptied"):
        seal_ledger()
    assert "There is no seals file at" in problem(place=seal_files()[0].with_name("none.log")) or problem()


@pytest.mark.parametrize("bytes_there", [b"\x00\xff broken\n", b"5 zz\n", b"five 00\n", b"\n"])
def test_bytes_that_are_no_leaf_are_told_by_the_entry_before_them(sealing, bytes_there):  # noqa: F811
    (numbers,) = sealed(3)
    (file,) = sealing.glob("*.log")
    first, _, rest = file.read_bytes().partition(f"\n{numbers[1]} ".encode())
    file.write_bytes(first + b"\n" + bytes_there + f"{numbers[1]} ".encode() + rest)
    assert problem() == f"The seals file was altered in seal 1: what follows entry {numbers[0]} is no leaf of an entry."


def test_a_purge_that_nobody_made_is_named():
    (numbers,) = sealed(3)
    tamper(
        "INSERT INTO audit_ledgermonth (month, partition, made_at, purged_at, purge_reason, purged_by_label, rows,"
        " seal_digest, first_id, last_id) VALUES ('2024-05-01', 'none', now(), now(), '', '', 1, '', %s, %s)",
        numbers[0],
        numbers[0],
    )
    tamper("DELETE FROM audit_auditevent WHERE id = %s", numbers[0])
    assert "is said to be purged, but the ledger knows of no purge" in problem()


def test_erasing_a_person_keeps_the_seals_green():
    administrator = person_with(Role.ADMINISTRATOR)
    with acting_as(administrator):
        lead = LeadFactory(name="Ada Green", email="ada@example.com")
    seal_ledger()
    with acting_as(administrator):
        erase_subject(lead, by=administrator, reason="asked for it")
    assert not PersonalValue.objects.filter(object_id=str(lead.pk), table_name="leads_lead").exists()
    assert problem() == ""
    seal_ledger()
    assert problem() == ""


def test_verify_exits_non_zero_and_names_it(capsys):
    (numbers,) = sealed(2)
    call_command("audit", "verify")
    assert "1 seals over" in capsys.readouterr().out
    tamper("UPDATE audit_auditevent SET reason = 'x' WHERE id = %s", numbers[0])
    with pytest.raises(CommandError, match=f"Entry {numbers[0]} was altered"):
        call_command("audit", "verify", seals=seal_files()[0])


def test_a_proof_holds_on_any_machine_and_for_its_entry_alone(tmp_path, capsys):
    (numbers,) = sealed(5)
    proof = prove(numbers[2])
    place = tmp_path / "proof.json"
    place.write_text(json.dumps(proof))
    assert standalone.main([str(place), "--key", proof["seal"]["key"]]) == 0
    assert f"Entry {numbers[2]} is in seal 1" in capsys.readouterr().out
    place.write_text(json.dumps({**proof, "entry": proof["entry"].replace("to be sealed", "forged")}))
    assert standalone.main([str(place)]) == 1
    assert f"Entry {numbers[2]} is not what seal 1 holds." in capsys.readouterr().err
    place.write_text(json.dumps(proof))
    assert standalone.main([str(place), "--key", "0" * 32]) == 1
    assert "none of those trusted here" in capsys.readouterr().err


def test_a_proof_is_refused_for_what_is_not_there_not_sealed_or_altered():
    (numbers,) = sealed(2)
    (fresh,) = write(1)
    with pytest.raises(WrongState, match=f"Entry {fresh} is not sealed yet"):
        prove(fresh)
    with pytest.raises(InvalidInput, match="There is no entry 999999"):
        prove(999999)
    tamper("UPDATE audit_auditevent SET reason = 'x' WHERE id = %s", numbers[0])
    with pytest.raises(WrongState, match="does not fit its entries any more"):
        prove(numbers[1])


def test_seals_files_verify_without_mops(sealing, capsys):  # noqa: F811
    sealed(3, 2)
    assert standalone.main([str(sealing)]) == 0
    assert "2 seals hold" in capsys.readouterr().out
    edit_file(lambda lines: [f"{line[:-2]}{'10'[line[-2] == '1']}\n" if line[0].isdigit() else line for line in lines])
    assert standalone.main([str(sealing)]) == 1
    assert "NOT VERIFIED: The leaves of seal" in capsys.readouterr().err
