"""Handbooks in and out: each file whole or not at all, and templates to start from."""

import io
import zipfile

import pytest

from apps.accounts.enums import Role
from apps.core.errors import InvalidInput, NotAllowed
from apps.processes.domain.flow import flow_of
from apps.processes.domain.handbook import (
    check_files,
    document_of,
    export_handbook,
    export_version,
    import_files,
    start_from_template,
    templates,
)
from apps.processes.domain.markdown_file import read_file, write_file
from apps.processes.models import Process
from apps.rights.models import AccessLog
from tests.factories.accounts import person_with
from tests.factories.processes import ProcessFactory, draft, effective, steps

pytestmark = pytest.mark.django_db
SIMPLE = "---\ntitle: Intake\nfamily: lead\n---\n## Steps\n\n1. Read it\n2. Answer it\n"


@pytest.fixture
def ops():
    return person_with(Role.OPS)


def test_checking_changes_nothing(ops):
    (outcome,) = check_files([("a.md", SIMPLE)], by=ops)
    assert (outcome.what, outcome.is_refused) == ("A new process with a first draft", False)
    assert not Process.objects.exists()


def test_a_file_becomes_a_process_with_a_draft(ops):
    (outcome,) = import_files([("a.md", SIMPLE)], by=ops)
    process = Process.objects.get()
    assert (process.title, process.family, process.owner_person) == ("Intake", "lead", ops)
    assert outcome.version.state == "draft"
    assert [step.title for step in flow_of(outcome.version).steps] == ["Read it", "Answer it"]


def test_a_file_about_a_process_there_is_becomes_its_next_draft(ops):
    process = effective(ProcessFactory(title="intake", family="campaign")).process
    (outcome,) = import_files([("a.md", SIMPLE)], by=ops)
    process.refresh_from_db()
    assert (outcome.version.process, outcome.version.number, process.family) == (process, 2, "campaign")
    assert "only text, steps and questions come in" in outcome.remarks[-1].text


def test_one_refused_file_keeps_no_other_out(ops):
    draft(ProcessFactory(title="Intake"))
    files = [
        ("a.md", SIMPLE),
        ("b.md", SIMPLE.replace("Intake", "Handoff")),
        ("c.md", SIMPLE.replace("Intake", "Handoff")),
    ]
    outcomes = import_files(files, by=ops)
    assert [each.is_refused for each in outcomes] == [True, False, True]
    assert "is a draft already; finish that one" in outcomes[0].remarks[-1].text
    assert outcomes[2].remarks[-1].text == "b.md has this title already; give one of them another."
    assert set(Process.objects.values_list("title", flat=True)) == {"Intake", "Handoff"}


def test_a_restricted_process_is_closed_from_the_start(ops):
    text = SIMPLE.replace("family: lead", "classification: restricted")
    (outcome,) = import_files([("a.md", text)], by=ops)
    refused = [each.text for each in outcome.remarks if each.is_refusal]
    assert refused == ["What is restricted is for its stakeholders only; add “open to: stakeholders”."]
    (outcome,) = import_files([("a.md", text.replace("restricted", "restricted\nopen to: stakeholders"))], by=ops)
    assert outcome.version.process.stakeholder_access == "stakeholders"


def test_who_may_not_add_brings_nothing_in():
    with pytest.raises(NotAllowed, match="You may not add processes"):
        import_files([("a.md", SIMPLE)], by=person_with(Role.AUDITOR))
    with pytest.raises(NotAllowed, match="You may not add processes"):
        start_from_template("lead-management", by=person_with(Role.APPROVER))


def test_a_closed_process_is_not_told_of_by_its_title(ops):
    ProcessFactory(title="Intake", stakeholder_access="stakeholders")
    (outcome,) = check_files([("a.md", SIMPLE)], by=ops)
    assert (outcome.what, outcome.remarks[1].text) == ("", "There is a process of this title.")


def test_every_template_becomes_a_draft(ops):
    for each in templates():
        version = start_from_template(each.key, by=ops)
        assert flow_of(version).steps == each.document.flow.steps
        assert set(flow_of(version).edges) == set(each.document.flow.edges)
        assert read_file(write_file(document_of(version))).body == each.document.body


def test_a_template_twice_wants_another_title(ops):
    start_from_template("lead-management", by=ops)
    with pytest.raises(InvalidInput, match="There is already a process called Lead management"):
        start_from_template("lead-management", by=ops)
    assert start_from_template("lead-management", by=ops, title="  Lead   care ").process.title == "Lead care"
    with pytest.raises(InvalidInput, match="There is no such template"):
        start_from_template("nothing", by=ops)


def test_a_version_goes_out_and_comes_back(ops):
    version = effective(ProcessFactory(title="Launch"), flow=steps("Check", "Send"), questions="Why?\n- a\n* b")
    name, text = export_version(version, by=ops)
    assert name == "launch.md"
    back = read_file(text)
    assert (back.title, back.body, back.questions, back.flow) == (
        "Launch",
        version.body,
        version.questions,
        flow_of(version),
    )
    assert AccessLog.objects.get(kind="export").object_label.startswith("Launch")


def test_what_one_does_not_see_stays_in(ops):
    version = effective(ProcessFactory(title="Secret"))
    Process.objects.filter(pk=version.process_id).update(stakeholder_access="stakeholders")
    effective(ProcessFactory(title="Open"))
    with pytest.raises(NotAllowed, match="You may not see this version"):
        export_version(version, by=ops)
    with zipfile.ZipFile(io.BytesIO(export_handbook(by=ops))) as archive:
        assert archive.namelist() == ["campaign/open.md"]
