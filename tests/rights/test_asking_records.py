"""Access to one record is asked for by its number and granted by approval; what is not seen is not given away."""

import datetime as dt

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import DatabaseError, transaction
from django.urls import reverse

from apps.accounts.enums import Role
from apps.accounts.models import Membership
from apps.approvals.domain.asking import withdraw
from apps.approvals.domain.decisions import approve, reject
from apps.approvals.domain.policies import ensure_policy
from apps.approvals.enums import RequestState
from apps.approvals.models import ApprovalRequest
from apps.core import access, clock
from apps.core.errors import DomainError, InvalidInput, NotAllowed, WrongState
from apps.leads.models import Lead
from apps.rights.domain.asking_records import ask_access
from apps.rights.domain.granting import grant_access, sweep_grants
from apps.rights.models import AccessGrant, RecordRequest, SodRule
from apps.technology.models import Tool
from tests.admin_pages import assert_same_queries, list_of, page_of
from tests.factories.accounts import TeamFactory, administrator, person_with, sign_in
from tests.factories.technology import ToolFactory

pytestmark = pytest.mark.django_db
WHY = "Checks the integrations before the renewal"
NOTHING = 987_654_321


@pytest.fixture
def boss():
    ensure_policy("rights.recordrequest", "Access asked for")
    return administrator()


def request_about(row):
    return ApprovalRequest.objects.filter(object_id=row.pk, content_type__model="recordrequest").latest("pk")


def test_exactly_this_record_is_shared_once_until_the_day_asked_for(boss):
    person, tool, other = person_with(Role.SALES, time_zone="Asia/Tokyo"), ToolFactory(), ToolFactory()
    last = clock.today() + dt.timedelta(days=9)
    row = ask_access(Tool, tool.pk, verb="view", by=person, reason=WHY, until=last)
    with pytest.raises(DomainError):
        approve(request_about(row), by=person)
    assert not access.can(person, "view", tool)
    approve(request_about(row), by=boss)
    row.refresh_from_db()
    assert (row.state, row.grant.thing, row.grant.person) == ("granted", tool, person)
    assert (row.grant.verb, row.grant.granted_by, row.grant.reason) == ("view", boss, WHY)
    assert row.grant.expires_at.isoformat() == f"{last}T15:00:00+00:00"  # midnight in Tokyo
    assert [bool(access.can(person, verb, tool)) for verb in ("view", "change")] == [True, False]
    assert not access.can(person, "view", other)
    with pytest.raises(WrongState):
        approve(request_about(row), by=administrator())
    assert AccessGrant.objects.count() == 1


def test_what_was_granted_ends_by_itself(boss, monkeypatch):
    person, tool = person_with(Role.SALES), ToolFactory()
    row = ask_access(Tool, tool.pk, verb="view", by=person, reason=WHY, until=clock.today())
    approve(request_about(row), by=boss)
    assert access.can(person, "view", tool)
    later = clock.now() + dt.timedelta(days=2)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert not access.can(person, "view", tool)
    assert sweep_grants(by=boss)["expired"] == 1


@pytest.mark.parametrize("deed", ["reject", "withdraw"])
def test_what_is_not_approved_shares_nothing_and_can_be_asked_again(boss, deed):
    person, tool = person_with(Role.SALES), ToolFactory()
    row = ask_access(Tool, tool.pk, verb="view", by=person, reason=WHY)
    if deed == "reject":
        reject(request_about(row), by=boss, reason="The list of tools is enough")
    else:
        withdraw(request_about(row), by=person)
    row.refresh_from_db()
    assert (row.state, row.grant, AccessGrant.objects.count()) == ("refused", None, 0)
    ask_access(Tool, tool.pk, verb="view", by=person, reason=WHY)


def test_a_number_without_a_record_goes_the_same_way_until_somebody_decides(boss, client):
    person, tool = person_with(Role.SALES), ToolFactory(name="Confidential")
    sign_in(client, person)
    told = []
    for number in (tool.pk, NOTHING):
        given = {"kind": "technology.tool", "record": str(number), "verb": "view", "reason": WHY, "until": ""}
        answers = [
            client.get(reverse("admin:technology_tool_change", args=(number,))),
            client.post(f"{list_of(RecordRequest)}add/", given, follow=True),
            client.post(f"{list_of(RecordRequest)}add/", given),
        ]
        row = RecordRequest.objects.get(number=number)
        request = request_about(row)
        answers += [client.get(page_of(row)), client.get(page_of(request))]
        names = [stage.resolved for stage in request.stages.all()]
        told.append(([each.status_code for each in answers], names, request.state, request.rule))
        assert all("Confidential" not in each.content.decode() for each in answers)
    assert told[0] == told[1]
    with pytest.raises(WrongState, match=f"There is no tool of the number {NOTHING}. Reject the request"):
        approve(request, by=boss)
    assert request_about(row).state == RequestState.IN_REVIEW


def test_what_cannot_be_asked_is_refused_in_words(boss):
    person, tool = person_with(Role.SALES), ToolFactory()
    asked = {"verb": "view", "by": person, "reason": WHY}
    with pytest.raises(InvalidInput, match="Say what the access is for"):
        ask_access(Tool, tool.pk, verb="view", by=person, reason="  ")
    with pytest.raises(InvalidInput, match="The reason is too long: 501 characters"):
        ask_access(Tool, tool.pk, verb="view", by=person, reason="a" * 501)
    with pytest.raises(NotAllowed, match="Your role does not ask for access to records"):
        ask_access(Tool, tool.pk, verb="view", by=person_with(Role.AUDITOR), reason=WHY)
    with pytest.raises(InvalidInput, match="Single leads are not shared; ask for a role instead"):
        ask_access(Lead, 1, **asked)
    with pytest.raises(InvalidInput, match="A record has a whole number above 0"):
        ask_access(Tool, 2**63, **asked)
    with pytest.raises(InvalidInput, match="there is nothing else to grant"):
        ask_access(Tool, tool.pk, verb="delete", by=person, reason=WHY)
    with pytest.raises(InvalidInput, match="That day is over"):
        ask_access(Tool, tool.pk, until=clock.today() - dt.timedelta(days=1), **asked)
    row = ask_access(Tool, tool.pk, **asked)
    with pytest.raises(WrongState, match="You have asked for this already; it waits for a decision"):
        ask_access(Tool, tool.pk, **asked)
    with pytest.raises(DatabaseError, match="decided by its approval, not by an edit"), transaction.atomic():
        RecordRequest.objects.filter(pk=row.pk).update(state="granted")
    with pytest.raises(DatabaseError, match="withdraw the request and ask anew"), transaction.atomic():
        RecordRequest.objects.filter(pk=row.pk).update(number=tool.pk + 1)


def test_to_change_is_decided_by_the_owner_of_what_one_sees(boss):
    owner, person = person_with(Role.OPS), person_with(Role.SALES)
    tool = ToolFactory(owner_person=owner)
    asked = {"verb": "change", "by": person, "reason": WHY}
    for number in (tool.pk, NOTHING):
        with pytest.raises(WrongState, match="Ask to view it first: what you see, you can ask to change"):
            ask_access(Tool, number, **asked)
    grant_access(tool, to=person, verb="view", by=boss, reason=WHY)
    row = ask_access(Tool, tool.pk, **asked)
    assert row.owner == owner
    with pytest.raises(NotAllowed):
        approve(request_about(row), by=boss)
    with pytest.raises(NotAllowed):
        approve(request_about(row), by=person_with(Role.OPS))
    approve(request_about(row), by=owner)
    row.refresh_from_db()
    assert (row.grant.verb, row.grant.granted_by, bool(access.can(person, "change", tool))) == ("change", owner, True)


def test_the_first_of_a_team_who_may_change_it_decides(boss):
    team, person, second = TeamFactory(), person_with(Role.SALES), person_with(Role.OPS)
    for member in (person_with(Role.SALES), second, person_with(Role.OPS)):
        Membership.objects.create(team=team, person=member, role=Role.EXECUTIVE)
    tool = ToolFactory(owner_person=None, owner_team=team)
    grant_access(tool, to=person, verb="view", by=boss, reason=WHY)
    assert ask_access(Tool, tool.pk, verb="change", by=person, reason=WHY).owner == second


def test_what_one_has_already_is_said_about_what_one_sees_alone(boss):
    owner, person = person_with(Role.OPS), person_with(Role.SALES)
    tools = [ToolFactory(name=name, owner_person=owner) for name in ("Mine", "Seen", "Old", "Vacant")]
    mine, seen, old, vacant = tools
    for tool in tools:
        grant_access(tool, to=person, verb="view", by=owner, reason=WHY)
    grant_access(mine, to=person, verb="change", by=owner, reason=WHY)
    old.archived_at = clock.now()
    vacant.owner_person = None
    old.save()
    vacant.save()
    for thing, verb, said in (
        (seen, "view", "You see Seen already"),
        (mine, "change", "You may change Mine already"),
        (old, "change", "Old is archived; restore it first"),
        (vacant, "change", "Nobody answers for Vacant who may change it; ask an administrator to name an owner"),
    ):
        with pytest.raises(WrongState, match=said):
            ask_access(Tool, thing.pk, verb=verb, by=person, reason=WHY)
    assert not RecordRequest.objects.exists()


def test_a_rule_of_separation_refuses_when_it_is_asked_for(boss):
    person = person_with(Role.SALES)
    SodRule.objects.create(
        name="Sales and tools",
        first=f"role:{Role.SALES}",
        second="right:technology.view_tool",
        why="Who sells does not buy.",
        effect="block",
        risk="high",
    )
    with pytest.raises(WrongState, match="Refused by the rule “Sales and tools”"):
        ask_access(Tool, NOTHING, verb="view", by=person, reason=WHY)


def test_who_approves_must_be_able_to_share_it(boss):
    person, tool = person_with(Role.SALES), ToolFactory()
    row = ask_access(Tool, tool.pk, verb="view", by=person, reason=WHY)
    tool.archived_at = clock.now()
    tool.save()
    with pytest.raises(WrongState, match="is archived; restore it first"):
        approve(request_about(row), by=boss)
    row.refresh_from_db()
    assert (row.state, AccessGrant.objects.count()) == ("in_review", 0)


def test_what_was_shared_meanwhile_is_not_shared_twice(boss):
    person, tool = person_with(Role.SALES), ToolFactory()
    row = ask_access(Tool, tool.pk, verb="view", by=person, reason=WHY)
    grant_access(tool, to=person, verb="view", by=boss, reason="At once")
    with pytest.raises(WrongState, match="granted the same on"):
        approve(request_about(row), by=boss)
    assert AccessGrant.objects.count() == 1


def test_the_door_stands_where_a_record_does_not_open(client, boss):
    person, tool = person_with(Role.SALES), ToolFactory(name="Confidential")
    sign_in(client, person)
    door = f"{list_of(RecordRequest)}add/?kind=technology.tool&amp;record={{}}&amp;verb=view"
    for number in (tool.pk, NOTHING):
        page = client.get(reverse("admin:technology_tool_change", args=(number,)), follow=True).content.decode()
        assert door.format(number) in page
    grant_access(ToolFactory(), to=person, verb="view", by=boss, reason=WHY)  # now the list opens, this one does not
    said = []
    for number in (tool.pk, NOTHING):
        page = client.get(reverse("admin:technology_tool_change", args=(number,)), follow=True).content.decode()
        assert door.format(number) in page
        said.append(f"There is no tool “{number}”, or your roles do not show it." in page)
    assert said == [True, True]
    page = client.get(page_of(boss), follow=True).content.decode()
    assert "Ask for access to" not in page


def test_a_read_only_record_says_how_to_ask_to_change_it(client, boss):
    person, tool = person_with(Role.SALES), ToolFactory()
    grant_access(tool, to=person, verb="view", by=boss, reason=WHY)
    sign_in(client, person)
    page = client.get(page_of(tool)).content.decode()
    door = f"{list_of(RecordRequest)}add/?kind=technology.tool&amp;record={tool.pk}&amp;verb=change"
    assert f'<a class="mops-link" href="{door}">Ask to change it</a>' in page
    form = client.get(door.replace("&amp;", "&")).content.decode()
    assert '<option value="change" selected>' in form
    sign_in(client, person_with(Role.OPS))
    assert "Ask to change it" not in client.get(page_of(tool)).content.decode()


def test_one_pastes_the_address_of_the_page(client, boss):
    person, tool = person_with(Role.SALES), ToolFactory()
    sign_in(client, person)
    add = f"{list_of(RecordRequest)}add/"
    given = {"kind": "processes.process", "verb": "view", "reason": WHY, "until": ""}
    for wrong in ("/nowhere/17/", "https://example.com/x", "seventeen", "-3", "0", list_of(Tool)):
        page = client.post(add, given | {"record": wrong}).content.decode()
        assert "Write the number of the record, or paste the address of its page." in page
        assert WHY in page
    client.post(add, given | {"record": f"https://mops.example.com{page_of(tool)}?_changelist_filters=x"})
    row = RecordRequest.objects.get()
    assert (row.kind, row.number) == ("technology.tool", tool.pk)


def test_the_record_is_named_to_who_sees_it_alone(client, boss):
    person, tool = person_with(Role.SALES), ToolFactory(name="Confidential")
    row = ask_access(Tool, tool.pk, verb="view", by=person, reason=WHY)
    for who, named in ((person, False), (boss, True)):
        sign_in(client, who)
        assert ("Confidential" in client.get(page_of(row)).content.decode()) is named
    sign_in(client, person_with(Role.SALES))
    assert client.get(page_of(row)).status_code in (302, 403)
    sign_in(client, person_with(Role.AUDITOR))
    assert client.get(f"{list_of(RecordRequest)}add/").status_code == 403
    approve(request_about(row), by=boss)
    assert ContentType.objects.get_for_model(Tool) == AccessGrant.objects.get().content_type


def test_the_list_costs_the_same_at_one_and_three_rows(client, boss):
    def more():
        for _ in range(2):
            ask_access(Tool, NOTHING, verb="view", by=person_with(Role.SALES), reason=WHY)

    ask_access(Tool, NOTHING, verb="view", by=person_with(Role.SALES), reason=WHY)
    sign_in(client, boss)
    assert_same_queries(client, list_of(RecordRequest), more)
