import datetime as dt

import pytest
from django.contrib.auth.models import Group
from django.db import IntegrityError, connection, transaction
from django.test import Client
from guardian.shortcuts import assign_perm, get_objects_for_user

from apps.accounts.domain.memberships import grant_role, revoke_role
from apps.accounts.enums import Role
from apps.audit.models import AuditEvent
from apps.campaigns.models import Campaign
from apps.core import access
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.jobs.api import enqueue
from apps.core.jobs.testing import run_queued_jobs
from apps.processes.models import Process
from apps.rights.domain.granting import grant_access, revoke_access, sweep_grants
from apps.rights.models import SHAREABLE, AccessGrant, ToolToPerson
from apps.technology.models import Tool
from tests.admin_pages import assert_same_queries, button_of, list_of, page_of
from tests.factories.accounts import TeamFactory, administrator, person_with, sign_in
from tests.factories.campaigns import CampaignFactory
from tests.factories.processes import ProcessFactory
from tests.factories.technology import ToolFactory

pytestmark = pytest.mark.django_db
TOMORROW = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)


@pytest.fixture
def owner():
    return person_with(Role.OPS, full_name="Olga Owner")


@pytest.fixture
def nobody():
    return person_with(full_name="Nils Nobody")


@pytest.fixture
def tool(owner):
    return ToolFactory(name="Marketo", owner_person=owner)


def seen(person, verb="view", model=Tool):
    return set(access.visible(person, model, verb=verb))


def share(tool, to, by, verb="view", **given):
    return grant_access(tool, to=to, verb=verb, by=by, reason="Joint campaign", **given)


def mirrors():
    return sum(mirror.objects.count() for both in SHAREABLE.values() for mirror in both)


def test_owner_shares_one_record_with_a_person(tool, owner, nobody):
    ToolFactory()
    assert seen(nobody) == set()
    grant = share(tool, nobody, owner, "view")
    assert seen(nobody) == {tool}
    assert seen(nobody, "change") == set()
    assert access.can(nobody, "view", tool)
    event = AuditEvent.objects.filter(table_name="rights_accessgrant", action="insert").get()
    assert (event.actor_label, event.reason) == (owner.email, "Joint campaign")
    assert str(grant) == "Nils Nobody · view · Marketo"


def test_changing_implies_viewing(tool, owner, nobody):
    share(tool, nobody, owner, "change")
    assert seen(nobody) == seen(nobody, "change") == {tool}
    assert seen(nobody, "delete") == set()


def test_sops_are_shared_too(owner, nobody):
    sop = ProcessFactory(owner_person=owner)
    share(sop, nobody, owner)
    assert seen(nobody, model=Process) == {sop}
    assert seen(nobody) == set()


def test_campaigns_are_shared_too(owner, nobody):
    campaign = CampaignFactory(owner_person=owner)
    share(campaign, nobody, owner, "change")
    assert seen(nobody, "change", model=Campaign) == {campaign}


def test_team_grant_follows_memberships(tool, owner, nobody):
    admin, team = administrator(), TeamFactory(name="Events")
    share(tool, team, owner)
    assert seen(nobody) == set()
    membership = grant_role(nobody, team, Role.SALES, by=admin, reason="Helps")
    assert seen(nobody) == {tool}
    revoke_role(membership, by=admin, reason="Left")
    assert seen(nobody) == set()
    assert Group.objects.filter(name=f"team:{team.pk}").exists()


def test_team_grant_reaches_who_is_in_it_already(tool, owner):
    person = person_with(Role.SALES)
    share(tool, person.memberships.get().team, owner)
    assert seen(person) == {tool}


def test_role_grant_reaches_who_plays_it(tool, owner):
    person, other = person_with(Role.SALES), person_with(Role.SALES)
    share(tool, Role.SALES, owner)
    assert seen(person) == seen(other) == {tool}


def test_guardian_gives_the_same_rows(tool, owner, nobody):
    share(tool, nobody, owner)
    share(ToolFactory(owner_person=owner), TeamFactory(), owner)
    theirs = get_objects_for_user(nobody, "technology.view_tool", klass=Tool, accept_global_perms=False)
    assert set(theirs) == seen(nobody) == {tool}


def test_guardian_gives_nothing_past_the_operation(tool, owner, nobody):
    with pytest.raises(IntegrityError), transaction.atomic():
        assign_perm("technology.view_tool", nobody, tool)
    assert seen(nobody) == set()


def test_expired_grant_opens_nothing_even_before_the_sweep(tool, owner, nobody):
    import time_machine as machine

    share(tool, nobody, owner, expires_at=TOMORROW)
    assert seen(nobody) == {tool}
    with machine.travel(TOMORROW + dt.timedelta(seconds=1)):
        assert seen(nobody) == set()
        again = share(tool, nobody, owner)
        assert seen(nobody) == {tool}
    assert AccessGrant.objects.open().get() == again


def test_revoked_at_once_and_for_good(tool, owner, nobody):
    grant = share(tool, nobody, owner)
    assert revoke_access(grant, by=owner, reason="Over") == "Marketo is no longer shared with Nils Nobody."
    assert seen(nobody) == set()
    assert mirrors() == 0
    with pytest.raises(WrongState, match="This grant ended on"):
        revoke_access(grant, by=owner, reason="Again")


def refusal_of(tool, to, by, verb="view"):
    with pytest.raises(NotAllowed) as refused:
        share(tool, to, by, verb)
    assert not AccessGrant.objects.exists()
    return str(refused.value)


def test_refusals(tool, owner, nobody):
    ops, admin = person_with(Role.OPS), administrator()
    assert refusal_of(tool, owner, owner) == (
        "Nobody grants rights to themselves; ask another owner or an administrator."
    )
    assert refusal_of(tool, Role.OPS, owner).startswith(
        "You are Ops staff yourself, and nobody grants rights to a role"
    )
    team = owner.memberships.get().team
    assert refusal_of(tool, team, owner).startswith(
        f"You are in {team}, and nobody grants rights to a team of their own"
    )
    assert refusal_of(tool, nobody, ops) == (
        "Marketo is shared by its owner, where the owner may change it, or by an administrator; "
        "it belongs to Olga Owner."
    )
    assert refusal_of(tool, ops, nobody) == "You do not see this one of the tools, so you cannot share it."
    assert refusal_of(tool, nobody, admin, "change") == (
        "You may not change Marketo yourself, and nobody passes on more than they have."
    )
    auditor = person_with(Role.AUDITOR)
    looks = "Who audits only looks; share it for viewing."
    assert refusal_of(tool, auditor, owner, "change") == refusal_of(tool, Role.AUDITOR, owner, "change") == looks
    gone = person_with(full_name="Gone", is_active=False)
    assert refusal_of(tool, gone, owner) == "Gone is deactivated; reactivate the account first."
    assert refusal_of(team, nobody, admin) == "Single teams are not shared; a role opens them."


def test_input_is_refused(tool, owner, nobody):
    for given, sentence in (
        ({"verb": "delete", "reason": "x"}, "A grant lets somebody view or change; there is nothing else to grant."),
        ({"verb": "view", "reason": " "}, "Say why: whoever reviews the grant later must understand it."),
        (
            {"verb": "view", "reason": "x", "expires_at": TOMORROW - dt.timedelta(days=2)},
            "The grant would have ended already; choose a later day.",
        ),
    ):
        with pytest.raises(InvalidInput) as refused:
            grant_access(tool, to=nobody, by=owner, **given)
        assert str(refused.value) == sentence


def test_same_is_granted_once(tool, owner, nobody):
    share(tool, nobody, owner)
    with pytest.raises(WrongState, match=r"Olga Owner granted the same on .*; revoke that grant first\."):
        share(tool, nobody, owner)


def test_owner_without_the_right_to_change_shares_nothing(nobody):
    person = person_with(Role.APPROVER)
    assert "is shared by its owner, where the owner may change it" in refusal_of(
        ToolFactory(owner_person=person), nobody, person
    )


def test_administrator_shares_for_viewing(tool, nobody):
    share(tool, nobody, administrator())
    assert seen(nobody) == {tool}


def test_member_of_the_owning_team_shares(nobody):
    person = person_with(Role.OPS)
    tool = ToolFactory(owner_team=person.memberships.get().team)
    share(tool, nobody, person, "change")
    assert seen(nobody, "change") == {tool}


def test_archived_is_not_shared(tool, owner, nobody):
    Tool.objects.filter(pk=tool.pk).update(archived_at=TOMORROW)
    assert refusal_of(tool, nobody, owner) == "Marketo is archived; restore it first."


def test_who_has_a_grant_cannot_pass_it_on(tool, owner, nobody):
    share(tool, nobody, owner, "change")
    with pytest.raises(NotAllowed, match="is shared by its owner"):
        share(tool, person_with(), nobody)


def test_team_grant_lets_no_auditor_change(tool, owner):
    auditor = person_with(Role.AUDITOR)
    share(tool, auditor.memberships.get().team, owner, "change")
    assert seen(auditor, "change") == set()


def test_database_refuses_what_no_operation_does(tool, owner, nobody):
    grant = share(tool, nobody, owner)
    for change in ({"person": owner}, {"verb": "change"}, {"object_id": 0}, {"expires_at": TOMORROW}):
        with pytest.raises(Exception, match="A grant is never changed: revoke it and grant anew"), transaction.atomic():
            AccessGrant.objects.filter(pk=grant.pk).update(**change)
    revoke_access(grant, by=owner, reason="Over")
    with pytest.raises(Exception, match="What has ended stays so"), transaction.atomic():
        AccessGrant.objects.filter(pk=grant.pk).update(revoked_at=None, revoked_by=None, revoked_why="")
    kind = grant.content_type
    rest = {"verb": "view", "content_type": kind, "object_id": 1, "object_label": "x"}
    for wrong, name in (
        ({"granted_by": owner, "reason": "x"}, "grant_to_exactly_one"),
        ({"granted_by": owner, "reason": "x", "person": nobody, "role": "sales"}, "grant_to_exactly_one"),
        ({"granted_by": owner, "reason": "x", "person": owner}, "grant_never_to_oneself"),
        ({"granted_by": owner, "reason": "", "person": nobody}, "grant_has_reason"),
    ):
        with pytest.raises(IntegrityError, match=name), transaction.atomic():
            AccessGrant.objects.create(**rest, **wrong)


def test_who_may_revoke(tool, owner, nobody):
    grant = share(tool, nobody, owner)
    with pytest.raises(NotAllowed, match="A grant is revoked by Olga Owner, who gave it, by the record's owner or by"):
        revoke_access(grant, by=person_with(Role.OPS), reason="Mine")
    with pytest.raises(InvalidInput, match=r"Say why the grant ends\."):
        revoke_access(grant, by=owner, reason="")
    revoke_access(grant, by=administrator(), reason="Review")
    assert seen(nobody) == set()


def test_sweep_ends_what_is_over(tool, owner, nobody):
    import time_machine as machine

    gone, person = ToolFactory(owner_person=owner), person_with()
    share(tool, nobody, owner, expires_at=TOMORROW)
    share(gone, nobody, owner)
    closed = share(tool, person, owner)
    kept = share(tool, Role.SALES, owner)
    person.is_active = False
    person.save()
    with connection.cursor() as cursor:
        cursor.execute("delete from technology_tool where id = %s", [gone.pk])
    with machine.travel(TOMORROW + dt.timedelta(hours=1)):
        enqueue("rights.sweep_grants", by=owner)
        (run,) = run_queued_jobs()
    assert run.counts == {"expired": 1, "orphaned": 1, "account_closed": 1}
    assert list(AccessGrant.objects.open()) == [kept]
    assert mirrors() == 1
    closed.refresh_from_db()
    assert closed.revoked_why == f"The account of {person} is closed."
    assert sweep_grants(by=owner) == {"expired": 0, "orphaned": 0, "account_closed": 0}


def test_no_right_survives_its_record(tool, owner, nobody):
    share(tool, nobody, owner)
    pk = tool.pk
    with connection.cursor() as cursor:
        cursor.execute("delete from rights_tooltoperson; delete from technology_tool where id = %s", [pk])
    ToolToPerson.objects.all().delete()
    back = ToolFactory(pk=pk, name="Another of the same number")
    assert seen(nobody) == set()
    sweep_grants(by=owner)
    assert back.pk == pk
    assert mirrors() == 0


# the pages


def kit(thing, verb, item=""):
    return page_of(thing).replace("/change/", f"/kits/sharing/{verb}/{item + '/' if item else ''}")


def given(to, verb="view", reason="Joint campaign", until=""):
    kind, _, key = to.partition(":")
    return {kind: key, "verb": verb, "reason": reason, "until": until}


def test_owner_shares_and_revokes_on_the_page(client, tool, owner, nobody):
    sign_in(client, owner)
    assert "Shared with" in client.get(page_of(tool)).content.decode()
    assert "admin-autocomplete" in client.get(kit(tool, "grant")).content.decode()
    answer = client.post(kit(tool, "grant"), given(f"person:{nobody.pk}", until="2030-01-31"), follow=True)
    page = answer.content.decode()
    assert "Shared with Nils Nobody." in page
    assert "Joint campaign" in page
    grant = AccessGrant.objects.get()
    assert grant.expires_at.date() == dt.date(2030, 1, 31) or grant.expires_at.date() == dt.date(2030, 2, 1)
    assert "refused from the next request on" in client.get(kit(tool, "revoke", str(grant.pk))).content.decode()
    answer = client.post(kit(tool, "revoke", str(grant.pk)), {"reason": "Over"}, follow=True)
    assert "is no longer shared with Nils Nobody" in answer.content.decode()
    assert seen(nobody) == set()


def test_refusal_stands_in_the_form(client, tool, owner):
    sign_in(client, owner)
    team = owner.memberships.get().team
    page = client.post(kit(tool, "grant"), given(f"team:{team.pk}")).content.decode()
    assert "nobody grants rights to a team of their own" in page
    assert "Joint campaign" in page
    page = client.post(kit(tool, "grant"), given(f"person:{owner.pk}")).content.decode()
    assert "Select a valid choice" in page
    both = {**given(f"person:{person_with().pk}"), "role": "sales"}
    page = client.post(kit(tool, "grant"), both).content.decode()
    assert "Choose one person, one team or one role; make one grant for each." in page
    assert not AccessGrant.objects.exists()


@pytest.mark.parametrize("role", [Role.OPS, Role.AUDITOR, Role.SALES, Role.APPROVER, None])
def test_nobody_but_owner_and_administrator_grants_by_any_address(client, tool, role):
    """L6: the right to change a kind of record is no right to hand out rights."""
    person = person_with(*([role] if role else []))
    sign_in(client, person)
    for target in (f"person:{person.pk}", f"role:{role}", "role:sales"):
        client.post(kit(tool, "grant"), given(target, "change"))
    for address in ("permissions/", f"permissions/user-manage/{person.pk}/", "permissions/user-manage/"):
        answer = client.post(page_of(tool).replace("change/", address), {"permissions": ["change_tool", "delete_tool"]})
        assert answer.status_code in (302, 403, 404)
    client.post(list_of(AccessGrant) + "add/", {"person": person.pk, "verb": "change"})
    assert not AccessGrant.objects.exists()
    assert mirrors() == 0
    assert not person.has_perm("technology.delete_tool", tool)


def test_step_up_comes_first(client, tool, owner, nobody):
    client.force_login(owner)
    client.post(kit(tool, "grant"), given(f"person:{nobody.pk}"))
    assert not AccessGrant.objects.exists()


def test_person_without_role_sees_the_shared_row_alone_everywhere(client, tool, owner, nobody):
    hidden = ToolFactory(name="Marketo Secret")
    sign_in(client, nobody)
    assert client.get(list_of(Tool)).status_code == 403
    assert client.get("/admin/search/", {"s": "market", "extended": "1"}).content.decode().count("Marketo") == 0
    share(tool, nobody, owner)
    listed = client.get(list_of(Tool), {"q": "market"}).content.decode()
    assert "Marketo" in listed
    assert "Secret" not in listed
    assert client.get(list_of(Tool)).context["cl"].result_count == 1
    assert client.get(page_of(tool)).status_code == client.get(page_of(tool, "history")).status_code == 200
    for page in ("change", "history"):
        assert client.get(page_of(hidden, page)).status_code in (302, 403, 404)
    found = client.get("/admin/search/", {"s": "market", "extended": "1"}).content.decode()
    assert page_of(tool) in found
    assert "Secret" not in found
    answer = client.post(page_of(tool), {"name": "Mine now", "opened_version": tool.row_version})
    assert answer.status_code in (302, 403)
    tool.refresh_from_db()
    assert tool.name == "Marketo"
    page = client.get(page_of(tool)).content.decode()
    assert "Nils Nobody" in page
    assert "/kits/sharing/grant/" not in page


def test_list_of_grants_shows_state_and_revokes(client, tool, owner, nobody):
    grant = share(tool, nobody, owner)
    client.force_login(person_with(Role.AUDITOR))
    page = client.get(list_of(AccessGrant)).content.decode()
    assert "Nils Nobody" in page
    assert "in force" in page
    assert client.get(page_of(grant)).status_code == 200
    client.post(button_of(grant, "revoke"), {"reason": "x"})
    assert AccessGrant.objects.open().exists()
    sign_in(Client(), owner)
    admin_client = sign_in(Client(), administrator())
    admin_client.post(button_of(grant, "revoke"), {"reason": "Review"})
    assert not AccessGrant.objects.open().exists()


def test_lists_ask_the_same_with_more_rows(client, tool, owner, nobody):
    share(tool, nobody, owner)

    def more():
        for _ in range(2):
            share(ToolFactory(owner_person=owner), nobody, owner)

    client.force_login(administrator())
    assert_same_queries(client, list_of(AccessGrant), more)
    client.force_login(nobody)
    assert_same_queries(client, list_of(Tool), more)


def test_panel_asks_the_same_with_more_grants(client, tool, owner):
    share(tool, person_with(), owner)
    client.force_login(owner)
    assert_same_queries(client, page_of(tool), lambda: [share(tool, person_with(), owner) for _ in range(2)])
