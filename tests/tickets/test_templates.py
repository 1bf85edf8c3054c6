"""Reply templates: what is offered was approved by a second person, and places are filled in from the ticket."""

import pytest
from django.db import DatabaseError, connection, transaction

from apps.accounts.enums import Role
from apps.approvals.domain.decisions import approve, reject
from apps.approvals.models import ApprovalRequest
from apps.core.actors import acting_as
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.tickets.domain.conversation import reply
from apps.tickets.domain.templates import filled, submit_version, templates_for, write_version
from apps.tickets.models import ReplyTemplate, TemplateVersion
from tests.factories.accounts import person_with
from tests.factories.approvals import policy_for
from tests.factories.tickets import ReplyTemplateFactory, agent, colleague, ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def ops():
    return agent(full_name="Olga Ops")


@pytest.fixture
def approver():
    policy_for("tickets.templateversion")
    return person_with(Role.APPROVER)


@pytest.fixture
def template(ops):
    with acting_as(ops):
        return ReplyTemplate.objects.create(name="Thanks")


def sent(template, ops, body="Hello {requester}", **given):
    version = write_version(template, by=ops, body=body, **given)
    submit_version(version, by=ops)
    return version, ApprovalRequest.objects.open().get(object_id=version.pk, content_type__model="templateversion")


def test_a_template_is_offered_once_a_second_person_approved_it(ops, approver, template):
    made = ticket(by=colleague(full_name="Ada"))
    version, request = sent(template, ops)
    assert templates_for(made) == []
    with pytest.raises(NotAllowed):
        approve(request, by=ops)
    approve(request, by=approver)
    template.refresh_from_db(), version.refresh_from_db()
    assert (template.version, version.state, templates_for(made)) == (1, "in_force", [template])
    assert filled(template, made, agent=ops) == "Hello Ada"
    reply(made, body="x", by=ops, template=template)
    assert made.messages.last().template_version == 1


def test_the_next_version_replaces_the_one_before(ops, approver, template):
    approve(sent(template, ops)[1], by=approver)
    first = TemplateVersion.objects.get()
    template.refresh_from_db()
    approve(sent(template, ops, body="Hi {requester}", note="Shorter")[1], by=approver)
    first.refresh_from_db(), template.refresh_from_db()
    assert (first.state, template.body, template.version) == ("retired", "Hi {requester}", 2)


def test_a_refused_version_is_a_draft_again(ops, approver, template):
    version, request = sent(template, ops)
    reject(request, by=approver, reason="Too short")
    version.refresh_from_db()
    assert version.state == "draft"


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (" ", "There is nothing to approve yet"),
        ("Hello {name}", "Nothing is filled in for {name}; the places are {requester}, {ticket}"),
        ("a" * 20_001, "longer than 20,000 characters"),
    ],
)
def test_what_cannot_be_used_is_not_sent(ops, approver, template, body, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        submit_version(write_version(template, by=ops, body=body), by=ops)


def test_what_is_new_is_said(ops, approver):
    template = ReplyTemplateFactory()
    with pytest.raises(InvalidInput, match="Say what is new in this version"):
        submit_version(write_version(template, by=ops), by=ops)


def test_refusals(ops, approver, template):
    with pytest.raises(NotAllowed, match="You may not change Thanks"):
        write_version(template, by=person_with(Role.AUDITOR))
    version, _ = sent(template, ops)
    with pytest.raises(WrongState, match="Version 1 is in review already"):
        write_version(template, by=ops)
    with pytest.raises(WrongState, match="only drafts are sent"):
        submit_version(version, by=ops)
    for change in ({"body": "Else"}, {"state": "in_force"}):
        with pytest.raises(DatabaseError), transaction.atomic(), acting_as(ops):
            TemplateVersion.objects.filter(pk=version.pk).update(**change)
    with pytest.raises(DatabaseError), transaction.atomic(), acting_as(ops):
        ReplyTemplate.objects.filter(pk=template.pk).update(body="Unapproved")


def test_pages(client, ops, approver, template, django_assert_num_queries):
    from django.test.utils import CaptureQueriesContext

    client.force_login(ops)
    version = write_version(template, by=ops, body="Hello {name}")
    shown = client.get(f"/admin/tickets/replytemplate/{template.pk}/change/").content.decode()
    assert "Nothing yet: it is offered on tickets once a version has been approved." in shown
    shown = client.get(f"/admin/tickets/templateversion/{version.pk}/change/").content.decode()
    assert "Nothing is filled in for name." in shown
    client.get("/admin/tickets/templateversion/")
    with CaptureQueriesContext(connection) as first:
        assert client.get("/admin/tickets/templateversion/").status_code == 200
    for _ in range(2):
        write_version(ReplyTemplateFactory(), by=ops)
    with django_assert_num_queries(len(first)):
        client.get("/admin/tickets/templateversion/")
