"""The roles that steps name: those on the list alone, whichever way steps come in, and played before approval."""

import re

import pytest
from django.urls import reverse

from apps.accounts.enums import Role
from apps.approvals.domain.content import live_digest
from apps.approvals.domain.decisions import approve
from apps.approvals.models import ApprovalRequest
from apps.core.errors import InvalidInput
from apps.processes.domain.editing import save_steps
from apps.processes.domain.flow import flow_of, in_sequence, write_flow
from apps.processes.domain.handbook import check_files, import_files, start_from_template
from apps.processes.domain.publishing import submit_for_approval, write_draft
from apps.processes.domain.step_roles import refuse_roles
from apps.processes.models import Process, ProcessRole, SOPVersion
from apps.processes.models.values import FlowStep
from tests.factories.accounts import TeamFactory, UserFactory, person_with
from tests.factories.processes import ProcessRoleFactory, draft, effective, steps
from tests.processes.test_pages import cards

pytestmark = pytest.mark.django_db
AUTHOR = "“Write” names Auther, which is no role in processes; did you mean Author?"


@pytest.fixture
def ops(client):
    person = person_with(Role.OPS)
    client.force_login(person)
    return person


def written(role="Auther", **fields):
    return in_sequence([FlowStep("write", "Write", role=role, **fields)])


def test_the_editor_refuses_a_role_that_does_not_exist_and_asks(client, ops):
    ProcessRoleFactory(name="Author")
    version = draft(author=ops)
    address = reverse("admin:processes_sopversion_steps", args=(version.pk,))
    given = cards(version, {"title": "Write", "role": "Auther", "accountable": "Chief"})
    page = client.post(address, given).content.decode()
    assert AUTHOR in page
    assert 'value="Auther"' in page  # nothing typed is lost
    assert page.count("There is no role of this name.") == 2
    assert '<input type="checkbox" name="new_role" value="Chief">' in page
    assert list(ProcessRole.objects.values_list("name", flat=True)) == ["Author"]
    half = client.post(address, given | {"new_role": ["Auther"]}).content.decode()
    assert "“Write” names Chief, which is no role in processes; choose one of the list." in half
    assert '<input type="checkbox" name="new_role" value="Auther" checked>' in half
    version.refresh_from_db()
    assert (version.flow, ProcessRole.objects.count()) == ({}, 1)
    assert client.post(address, given | {"new_role": ["Auther", "Chief"]}).status_code == 302
    assert ProcessRole.objects.count() == 3


def test_who_may_not_add_roles_chooses_one_of_the_list(ops):
    stranger = person_with(Role.AUDITOR)
    refused = "You may not add the role Auther; choose one of the list, or ask who keeps the roles to add it."
    assert refuse_roles(stranger, written(), new_roles=["Auther"]) == refused
    assert refuse_roles(ops, written(), new_roles=["Auther"]) is None
    assert not ProcessRole.objects.exists()


def test_an_archived_role_is_neither_named_nor_made_anew(ops):
    role, version = ProcessRoleFactory(name="Author", people=[ops]), draft(author=ops)
    save_steps(version, written("author"), by=ops)
    ProcessRole.objects.filter(pk=role.pk).update(archived_at=version.created_at)
    sentence = "“Write” names the role Author, which is archived; name another one, or restore it"
    with pytest.raises(InvalidInput, match=sentence):
        save_steps(version, written("author"), by=ops, new_roles=["author"])
    with pytest.raises(InvalidInput, match=sentence):
        submit_for_approval(version, by=ops)
    (outcome,) = check_files([("a.md", FILE.replace("Auther", "Author"))], by=ops)
    assert (outcome.is_refused, sentence in outcome.remarks[-1].text) == (True, True)


FILE = "---\ntitle: Intake\nfamily: lead\n---\nText.\n\n<!-- steps -->\n\n### 1. Write {#write}\n- role: Auther\n"


def test_a_file_says_which_roles_come_with_it(ops):
    ProcessRoleFactory(name="Author")
    (checked,) = check_files([("a.md", FILE)], by=ops)
    said = "It names a role that does not exist yet and is added with it: Auther. Say who plays it before you send it."
    assert ([each.text for each in checked.remarks], checked.is_refused) == ([said], False)
    assert ProcessRole.objects.count() == 1
    (brought,) = import_files([("a.md", FILE)], by=ops)
    assert flow_of(brought.version).steps[0].role == "Auther"
    with pytest.raises(InvalidInput, match="Nobody plays the role Auther of “Write”; name its people or its team"):
        submit_for_approval(brought.version, by=ops)


def test_a_template_says_which_roles_come_with_it(client, ops):
    ProcessRoleFactory(name="Automation specialist")
    page = client.get(reverse("admin:processes_process_template", args=("lead-management",))).content.decode()
    (said,) = re.findall(r"With it come roles that do not exist yet: (.+?)\.", page)
    assert set(said.split(", ")) == {"Demand generation", "Data analyst", "Sales"}
    version = start_from_template("lead-management", by=ops)
    with pytest.raises(InvalidInput, match="Nobody plays the role"):
        submit_for_approval(version, by=ops)


def test_an_archived_role_keeps_a_template_out(ops):
    role = ProcessRoleFactory(name="Sales")
    ProcessRole.objects.filter(pk=role.pk).update(archived_at=role.created_at)
    with pytest.raises(InvalidInput, match="names the role Sales, which is archived"):
        start_from_template("lead-management", by=ops)
    assert not Process.objects.exists()


@pytest.mark.parametrize("how", ["named", "team", "left", "gone"])
def test_a_role_is_played_by_its_people_and_its_team_while_they_are_here(ops, how):
    person, team = UserFactory(is_active=how != "gone"), TeamFactory()
    role = ProcessRoleFactory(name="Author", people=[person] if how in ("named", "gone") else [], team=team)
    if how in ("team", "left"):
        membership = team.memberships.create(person=person, role=Role.OPS)
        team.memberships.filter(pk=membership.pk).update(archived_at=role.created_at if how == "left" else None)
    assert ProcessRole.objects.unplayed().exists() == (how in ("left", "gone"))
    assert ProcessRole.objects.unplayed().exists() != role.players().exists()


def test_who_answers_for_a_step_is_somebody_as_well(ops):
    version = draft(author=ops)
    ProcessRoleFactory(name="Author", people=[ops])
    save_steps(version, written("Author", accountable="Chief"), by=ops, new_roles=["Chief"])
    with pytest.raises(InvalidInput, match="Nobody plays the role Chief of “Write”"):
        submit_for_approval(version, by=ops)


def test_what_writes_steps_itself_cannot_name_a_missing_role(ops):
    version = draft(author=ops)
    with pytest.raises(InvalidInput, match="Auther is no role in processes; choose one of the list"):
        write_flow(version, written())


def test_a_revision_takes_a_renamed_role_along(ops):
    version = effective(flow=steps("One"), author=ops)
    ProcessRole.objects.update(name="Campaign lead")
    following = write_draft(version.process, by=ops)
    assert flow_of(following).steps[0].role == "Campaign lead"
    assert ProcessRole.objects.count() == 1


def test_a_role_renamed_while_a_draft_is_written_is_approved_under_its_name(ops):
    version, approver = draft(author=ops, flow=steps("One")), person_with(Role.APPROVER)
    ProcessRole.objects.update(name="Campaign lead")
    submit_for_approval(version, by=ops)
    version.refresh_from_db()
    assert (flow_of(version).steps[0].role, version.digest) == ("Campaign lead", live_digest(version))
    approve(ApprovalRequest.objects.get(object_id=version.pk, content_type__model="sopversion"), by=approver)
    assert SOPVersion.objects.get(pk=version.pk).state == "effective"


def test_the_list_says_who_plays_each_role(client, ops):
    ProcessRoleFactory(name="Author", people=[ops, UserFactory(full_name="Gone", is_active=False)])
    ProcessRoleFactory(name="Editor", team=TeamFactory(name="Content"))
    page = client.get(reverse("admin:processes_processrole_changelist"))
    rows = {row.name: page.context["cl"].model_admin.played_by(row) for row in page.context["cl"].result_list}
    assert rows == {"Author": str(ops), "Editor": "team Content"}
    ProcessRoleFactory(name="Chief")
    again = client.get(reverse("admin:processes_processrole_changelist")).content.decode()
    assert "nobody yet" in again
