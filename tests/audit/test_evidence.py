"""Evidence packages: complete, bounded, reproducible, verifiable without mops, and open to auditors alone."""

import csv
import datetime as dt
import io
import json
import zipfile

import pytest
from django.urls import reverse

from apps.accounts.enums import Role
from apps.accounts.models import Team
from apps.audit import standalone
from apps.audit.admin import searching
from apps.audit.domain.evidence import ask_for_evidence, write_package
from apps.audit.domain.population import population_of
from apps.audit.domain.sealing import seal_ledger
from apps.audit.models import AuditEvent, AuditSeal, EvidencePackage
from apps.core import clock
from apps.core.actors import acting_as
from apps.core.admin_kit.counting import CappedPaginator
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.leads.models import ScoreOverride
from apps.rights.models import AccessLog
from tests.admin_pages import page_of
from tests.audit.seals import sealed, sealing, tampering, write  # noqa: F401  # a fixture
from tests.factories.accounts import TeamFactory, person_with, sign_in
from tests.factories.leads import LeadFactory
from tests.factories.technology import ToolFactory
from tests.project.test_auditor_writes_nothing import fingerprints

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("sealing")]
EVIDENCE = "admin:audit_auditevent_evidence"


@pytest.fixture
def auditor(client):
    return sign_in(client, person_with(Role.AUDITOR)) and client


def taken(tmp_path, population, **given):
    place = tmp_path / "evidence.zip"
    place.write_bytes(b"".join(write_package(population, **given)))
    return place


def table(place):
    with zipfile.ZipFile(place) as archive:
        return list(csv.DictReader(io.StringIO(archive.read("entries.csv").decode("utf-8-sig"))))


def test_a_package_verifies_on_any_machine_and_against_ones_own_copy(tmp_path, sealing, capsys):  # noqa: F811
    sealed(4, 3)
    (unsealed,) = write(1)
    by = person_with(Role.AUDITOR)
    place = taken(tmp_path, population_of(AuditEvent.objects.all()), by=by, purpose="SOC 2, CC8.1")
    assert standalone.main([str(place), "--seals", str(sealing)]) == 0
    said = capsys.readouterr().out
    assert "the same seals hold 0 entries that are not in here" in said
    assert "VERIFIED" in said
    kept = EvidencePackage.objects.get()
    assert (kept.made_by, kept.purpose, kept.entries) == (by, "SOC 2, CC8.1", kept.population)
    assert kept.manifest["gaps"]["sealed_from"] == 1
    assert str(unsealed) not in {row["Sequence"] for row in table(place)}


def test_a_filtered_package_holds_what_the_filter_shows_and_says_so(tmp_path, capsys):
    (numbers,) = sealed(3)
    rows = AuditEvent.objects.filter(table_name="accounts_team")
    place = taken(
        tmp_path,
        population_of(rows, query="table_name=accounts_team", filters=["kind Team"]),
        by=person_with(Role.AUDITOR),
    )
    assert [int(row["Sequence"]) for row in table(place)][-3:] == numbers
    assert standalone.main([str(place)]) == 0
    with zipfile.ZipFile(place) as archive:
        manifest = json.loads(archive.read("manifest.json"))
    assert manifest["population"]["filters"] == ["kind Team"]
    assert "accounts_team" in manifest["population"]["values"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("entries.jsonl", "entries.jsonl was altered"),
        ("entries.csv", "entries.csv was altered"),
        ("manifest.json", "The manifest is not signed by a trusted key"),
    ],
)
def test_an_edited_package_is_named(tmp_path, capsys, name, said):
    sealed(2)
    place = taken(tmp_path, population_of(AuditEvent.objects.all()), by=person_with(Role.AUDITOR))
    folder = tmp_path / "unpacked"
    with zipfile.ZipFile(place) as archive:
        archive.extractall(folder)
    assert standalone.main([str(folder)]) == 0
    text = (folder / name).read_text()
    (folder / name).write_text(
        text.replace("to be sealed", "forged", 1) if "jsonl" in name else text.replace("0", "1", 1)
    )
    assert standalone.main([str(folder)]) == 1
    assert said in capsys.readouterr().err


def test_an_entry_altered_before_the_export_is_named(tmp_path, capsys):
    (numbers,) = sealed(3)
    with tampering() as cursor:
        cursor.execute("UPDATE audit_auditevent SET reason = 'forged' WHERE id = %s", [numbers[1]])
    place = taken(tmp_path, population_of(AuditEvent.objects.all()), by=person_with(Role.AUDITOR))
    assert standalone.main([str(place)]) == 1
    assert "NOT VERIFIED: The leaves of seal 1" in capsys.readouterr().err


def test_a_sample_is_drawn_again_with_its_seed_and_brings_all_evidence(tmp_path, capsys):
    with acting_as(person_with(Role.OPS), reason="tidied up"):
        team = TeamFactory(name="Before")
        team.name = "After"
        team.save()
    sealed(10)
    population = population_of(AuditEvent.objects.filter(table_name="accounts_team"))
    drawn = [event.pk for event in population.sample(4, "seed one")]
    assert drawn == [event.pk for event in population.sample(4, "seed one")]
    assert drawn != [event.pk for event in population.sample(4, "seed two")]
    place = taken(tmp_path, population, by=person_with(Role.AUDITOR), size=4, seed="seed one")
    assert standalone.main([str(place)]) == 0
    assert "All 4 inclusion proofs hold." in capsys.readouterr().out
    with zipfile.ZipFile(place) as archive:
        names = archive.namelist()
        change = archive.read(f"samples/001-entry-{drawn[0]}/change.txt").decode()
        manifest = json.loads(archive.read("manifest.json"))
    assert {name.rsplit("/", 1)[1] for name in names if name.startswith("samples/")} == {
        "change.txt",
        "proof.json",
        "versions.json",
    }
    assert f"Entry {drawn[0]}" in change
    assert manifest["sample"]["seed"] == "seed one"
    assert manifest["population"]["count"] == population.count()["count"]


def test_formulas_are_escaped_and_personal_values_left_out(tmp_path):
    with acting_as(person_with(Role.OPS), reason="=HYPERLINK(1)"):
        LeadFactory(name="Ada Personal", email="ada.personal@example.com")
        Team.objects.create(name="@SUM(A1)")
    seal_ledger()
    place = taken(tmp_path, population_of(AuditEvent.objects.all()), by=person_with(Role.AUDITOR))
    rows = table(place)
    assert {row["Reason"] for row in rows if "HYPERLINK" in row["Reason"]} == {"'=HYPERLINK(1)"}
    assert "'@SUM(A1)" in {row["Record"] for row in rows}
    with zipfile.ZipFile(place) as archive:
        whole = b"".join(archive.read(name) for name in archive.namelist())
    assert b"ada.personal@example.com" not in whole
    assert b"Ada Personal" not in whole


def test_a_package_names_nobody_through_what_points_to_them(tmp_path):
    """What stands in a package cannot be erased: a lead is told by number wherever another record points to it."""
    ops, now = person_with(Role.OPS), clock.now()
    with acting_as(ops):
        lead = LeadFactory(name="Ada Personal", email="ada.personal@example.com")
        until = now + dt.timedelta(days=9)
        ScoreOverride.objects.create(lead=lead, value=5, reason="met", set_by=ops, set_at=now, expires_at=until)
    seal_ledger()
    rows = AuditEvent.objects.filter(table_name="leads_scoreoverride")
    for size in (0, 1):
        place = taken(tmp_path, population_of(rows), by=person_with(Role.AUDITOR), size=size, seed="s")
        assert f"Lead: — → #{lead.pk}" in table(place)[0]["What changed"]
        with zipfile.ZipFile(place) as archive:
            assert not [name for name in archive.namelist() if b"Ada Personal" in archive.read(name)]


def test_what_a_name_finds_is_taken_out_whole_and_told_by_number(auditor, tmp_path, monkeypatch):
    priya = person_with(Role.OPS, full_name="Priya Raghunath")
    with acting_as(priya):
        tools = ToolFactory.create_batch(4)
    seal_ledger()
    monkeypatch.setattr(searching, "SEARCHED", 1)
    monkeypatch.setattr(CappedPaginator, "most", 1)
    asked = f"{reverse(EVIDENCE)}?q=Priya+Raghunath"
    answer = auditor.post(asked, {"what": "everything", "purpose": "CC6"})
    place = tmp_path / "named.zip"
    place.write_bytes(b"".join(answer.streaming_content))
    assert {str(tool.pk) for tool in tools} <= {row["Record no."] for row in table(place) if row["Kind"] == "Tool"}
    with zipfile.ZipFile(place) as archive:
        (filters,) = json.loads(archive.read("manifest.json"))["population"]["filters"]
    assert filters.endswith(f", or by or about: Person no. {priya.pk}")


def test_nothing_sealed_is_said():
    write()
    with pytest.raises(WrongState, match="Nothing of the ledger is sealed yet"):
        population_of(AuditEvent.objects.all())


def test_without_the_right_it_is_refused_and_written_down(client):
    sealed(1)
    seller = person_with(Role.OPS)
    sign_in(client, seller)
    answer = client.get(reverse(EVIDENCE))
    assert answer.status_code == 403
    assert "You may not take evidence out of the ledger" in answer.content.decode()
    assert "refused" in AccessLog.objects.get(person=seller).detail
    with pytest.raises(NotAllowed, match="You may not take evidence out"):
        ask_for_evidence(population_of(AuditEvent.objects.all()), by=seller, purpose="", size=0, seed="")


@pytest.mark.parametrize(("size", "seed", "said"), [(201, "x", "at most 200"), (3, " ", "needs a seed")])
def test_a_sample_that_cannot_be_drawn_is_refused(size, seed, said):
    sealed(1)
    with pytest.raises(InvalidInput, match=said):
        ask_for_evidence(
            population_of(AuditEvent.objects.all()), by=person_with(Role.AUDITOR), purpose="", size=size, seed=seed
        )


def test_auditor_takes_evidence_out_of_the_list_as_filtered(auditor, tmp_path):
    sealed(3)
    url = f"{reverse(EVIDENCE)}?table_name=accounts_team&q=T"
    page = auditor.get(url).content.decode()
    assert "containing “T” in what, who, why, number or request; kind Team" in page
    before = set(AccessLog.objects.values_list("pk", flat=True))
    answer = auditor.post(url, {"what": "everything", "purpose": "test"})
    place = tmp_path / "got.zip"
    place.write_bytes(b"".join(answer.streaming_content))
    assert standalone.main([str(place)]) == 0
    assert {row["Kind"] for row in table(place)} == {"Team"}
    (log,) = AccessLog.objects.exclude(pk__in=before)
    assert (log.kind, log.detail["purpose"]) == ("export", "test")
    assert "table_name=accounts_team" in EvidencePackage.objects.get().query


def test_a_sample_without_seed_is_said_on_the_form(auditor):
    sealed(1)
    page = auditor.post(reverse(EVIDENCE), {"what": "sample", "size": "5", "seed": ""}).content.decode()
    assert "A sample needs this." in page
    assert EvidencePackage.objects.count() == 0


def test_entry_shows_its_proof_and_hands_it_out(auditor, tmp_path):
    (numbers,) = sealed(2)
    url = reverse("admin:audit_auditevent_proof", args=(numbers[0],))
    assert url in auditor.get(page_of(AuditEvent.objects.get(id=numbers[0]))).content.decode()
    assert f"Entry {numbers[0]} is in seal 1" in auditor.get(url).content.decode()
    place = tmp_path / "proof.json"
    place.write_bytes(auditor.get(f"{url}?download").content)
    assert standalone.main([str(place)]) == 0
    verifier = auditor.get(reverse("admin:audit_auditevent_verifier")).content.decode()
    assert "def check_package" in verifier


def test_entry_that_is_not_sealed_says_so(auditor):
    (number,) = write(1)
    url = reverse("admin:audit_auditevent_proof", args=(number,))
    assert "is not sealed yet" in auditor.get(url, follow=True).content.decode()


def test_coverage_tells_how_far_the_seals_are(auditor):
    sealed(2)
    write(2)
    page = auditor.get(reverse("admin:audit_auditevent_coverage")).content.decode()
    for shown in ("Seal 1", "Not sealed yet", "Signed by nobody", "Numbers without an entry", "Take evidence out"):
        assert shown in page


def test_taking_evidence_out_writes_what_is_evidence_of_it_and_nothing_else(auditor):
    (numbers,) = sealed(2)
    before = fingerprints()
    for address in ("evidence", "timeline", "coverage", "verifier"):
        for method in ("put", "patch", "delete"):
            getattr(auditor, method)(
                reverse(f"admin:audit_auditevent_{address}"), "{}", content_type="application/json"
            )
    auditor.get(reverse("admin:audit_auditevent_coverage"))
    auditor.get(f"{reverse('admin:audit_auditevent_proof', args=(numbers[0],))}?download")
    b"".join(auditor.post(reverse(EVIDENCE), {"what": "sample", "size": "1", "seed": "x"}).streaming_content)
    after = fingerprints()
    changed = {table for table in after if after[table] != before.get(table)}
    assert changed <= {"rights_accesslog", "audit_evidencepackage"}


def test_lag_is_a_figure_for_monitoring(client):
    sealed(1)
    write(2)
    text = client.get("/metrics").content.decode()
    waiting = AuditEvent.objects.filter(id__gt=AuditSeal.objects.first().to_id).count()
    assert f"mops_ledger_unsealed {float(waiting)}" in text


def test_verifier_says_that_a_damaged_package_is_not_verified(tmp_path, capsys):
    damaged = tmp_path / "damaged.zip"
    with zipfile.ZipFile(damaged, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("manifest.json", "{}" * 500)
    content = bytearray(damaged.read_bytes())
    begins = content.find(b"manifest.json") + len("manifest.json")
    content[begins : begins + 2] = b"\xff\xff"
    damaged.write_bytes(content)
    assert standalone.main([str(damaged)]) == 1
    assert capsys.readouterr().err.startswith("NOT VERIFIED: ")
