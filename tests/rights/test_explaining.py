import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.domain.memberships import grant_role
from apps.accounts.enums import Role
from apps.approvals.models import ApprovalRequest
from apps.core import access
from apps.core.errors import InvalidInput
from apps.leads.models import Lead
from apps.processes.models import Process
from apps.rights.domain.explaining import explain
from apps.rights.domain.granting import grant_access
from apps.technology.models import Tool
from tests.admin_pages import page_of
from tests.factories.accounts import TeamFactory, UserFactory, administrator, person_with
from tests.factories.processes import in_review
from tests.factories.technology import ToolFactory

pytestmark = pytest.mark.django_db


def told(explanation):
    return explanation.allowed, explanation.answer, [(step.holds, step.sentence) for step in explanation.steps]


def test_role_is_named_with_who_granted_it():
    admin, person, team = administrator(full_name="Ada"), UserFactory(full_name="Pia"), TeamFactory(name="Stack")
    membership = grant_role(person, team, Role.OPS, by=admin, reason="New")
    day = f"{membership.created_at:%-d %B %Y}"
    tool = ToolFactory(name="Marketo")
    assert told(explain(person, "change", tool)) == (
        True,
        "Pia can change Marketo.",
        [
            (True, f"Pia is Ops staff in Stack since {day}, granted by {admin.email}."),
            (True, "The role Ops staff gives the right to change tools."),
        ],
    )
    assert explain(person, "add", Tool).allowed


def test_first_missing_condition_is_named():
    person = person_with(Role.SALES, full_name="Sam")
    tool = ToolFactory(name="Marketo")
    missing = "No role of Sam gives the right to see tools (Sales)."
    assert told(explain(person, "view", Tool)) == (False, "Sam cannot see tools.", [(False, missing)])
    assert told(explain(person, "view", tool)) == (
        False,
        "Sam cannot see Marketo.",
        [(False, missing), (False, "No grant lets Sam see Marketo.")],
    )


def test_grant_is_named_with_grantor_reason_and_end():
    owner, person = person_with(Role.OPS, full_name="Olga"), person_with(full_name="Nils")
    tool = ToolFactory(name="Marketo", owner_person=owner)
    end = dt.datetime(2099, 1, 2, tzinfo=dt.UTC)
    grant = grant_access(tool, to=person, verb="change", by=owner, reason="Joint campaign", expires_at=end)
    day = f"{grant.created_at:%-d %B %Y}"
    sentence = f"Shared with Nils (view and change) by Olga on {day} until 2 January 2099: Joint campaign"
    assert told(explain(person, "view", tool)) == (True, "Nils can see Marketo.", [(True, sentence)])


def test_scope_is_named():
    person = person_with(Role.SALES, full_name="Sam")
    mine, other = Lead.objects.create(name="Mine", owner_person=person), Lead.objects.create(name="Other")
    assert explain(person, "view", mine).steps[-1].sentence == (
        "Leads are narrowed for each person to those in their scope; Mine is among them."
    )
    assert explain(person, "view", other).steps[-1].sentence == (
        "Leads are narrowed for each person to those in their scope; Other is not among them."
    )


def test_deactivated_and_archived():
    person = person_with(Role.OPS, full_name="Gone", is_active=False)
    tool = ToolFactory(name="Marketo")
    assert told(explain(person, "view", tool))[2] == [(False, "The account of Gone is deactivated.")]
    Tool.objects.update(archived_at=dt.datetime.now(dt.UTC))
    tool.refresh_from_db()
    ops = person_with(Role.OPS)
    assert explain(ops, "view", tool).allowed
    assert explain(ops, "change", tool).steps[-1].sentence == "Marketo is archived, and read-only until restored."


def test_approval_is_explained_by_the_approvals_own_refusal():
    request = in_review()
    author, approver, ops = request.requester, person_with(Role.APPROVER), person_with(Role.OPS)
    assert explain(approver, "approve", request).allowed
    assert not explain(author, "approve", request).allowed
    assert not explain(ops, "approve", request).allowed
    version = request.content_type.get_object_for_this_type(pk=request.object_id)
    assert explain(approver, "approve", version).allowed
    with pytest.raises(InvalidInput, match="Nothing waits for approval here"):
        explain(approver, "approve", Process)


def test_explanation_never_contradicts_access():
    owner = person_with(Role.OPS)
    tool, lead = ToolFactory(owner_person=owner), Lead.objects.create(name="L", owner_person=owner)
    in_review()
    people = [owner, person_with(), *(person_with(role) for role in Role)]
    grant_access(tool, to=people[1], verb="view", by=owner, reason="Looks")
    for person in people:
        for thing in (tool, lead, ApprovalRequest.objects.get(), Process.objects.get()):
            for verb in ("view", "change"):
                found = explain(person, verb, thing)
                assert found.allowed == bool(access.can(person, verb, thing)), (person, verb, thing)
                assert found.steps
                assert all(step.holds for step in found.steps) == found.allowed


def ask(client, **question):
    return client.get(reverse("rights-explain"), question)


def test_page_answers_about_oneself(client):
    person = person_with(Role.OPS, full_name="Pia")
    tool = ToolFactory(name="Marketo")
    client.force_login(person)
    link = f"{reverse('rights-explain')}?verb=view&amp;kind=technology.tool&amp;record={tool.pk}"
    assert link in client.get(page_of(tool)).content.decode()
    page = ask(client, verb="view", kind="technology.tool", record=tool.pk).content.decode()
    assert "Pia can see Marketo." in page
    assert client.get(reverse("rights-explain")).status_code == 200
    assert client.post(reverse("rights-explain")).status_code == 405


def test_page_names_nothing_the_asker_does_not_see(client):
    person = person_with(Role.SALES, full_name="Sam")
    hidden = Lead.objects.create(name="Hidden Harry")
    client.force_login(person)
    there = ask(client, kind="leads.lead", record=hidden.pk).content.decode()
    absent = ask(client, kind="leads.lead", record=hidden.pk + 1000).content.decode()
    assert "Hidden Harry" not in there
    assert "No record of this number is among the leads that Sam sees." in there
    assert there.split("rights-answer")[-1] == absent.split("rights-answer")[-1]


def test_page_about_others_is_for_administrators_and_auditors(client):
    other = person_with(Role.SALES, full_name="Sam")
    tool = ToolFactory(name="Marketo")
    for role, answered in ((Role.OPS, False), (Role.ADMINISTRATOR, True), (Role.AUDITOR, True)):
        client.force_login(person_with(role))
        page = ask(client, person=other.pk, kind="technology.tool", record=tool.pk).content.decode()
        assert ("Sam cannot see Marketo." in page) == answered


def test_nonsense_is_refused_in_the_form(client):
    client.force_login(administrator())
    for question in (
        {"kind": "no.such"},
        {"kind": "technology.tool", "record": "abc"},
        {"kind": "technology.tool", "verb": "x"},
    ):
        answer = ask(client, **question)
        assert answer.status_code == 200
        assert answer.context["form"].errors
    page = ask(client, kind="technology.tool", verb="approve").content.decode()
    assert "Nothing waits for approval here" in page


def test_asks_little():
    person, tool = person_with(Role.OPS), ToolFactory()
    with CaptureQueriesContext(connection) as asked:
        explain(person, "view", tool)
    assert len(asked) <= 8
