"""Resolving approvers again: who goes, who comes, who may, and what stays."""

import pytest
from django.db import DatabaseError, transaction
from django.urls import reverse

from apps.accounts.enums import Role
from apps.accounts.models import User
from apps.approvals.domain import watching
from apps.approvals.domain.decisions import approve, refuse_decision
from apps.approvals.domain.definition import Named
from apps.approvals.domain.eligibility import case_of
from apps.approvals.domain.reseating import NOTHING_TO_DO, refuse_reseating, renewals_of, reseat
from apps.approvals.domain.telling import able_now
from apps.approvals.enums import Mode, RequestState, Via
from apps.approvals.models import ApprovalRequest, StageInstance
from apps.audit.models import AuditEvent
from apps.campaigns.models import Campaign
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.transitions import transition
from tests.factories.accounts import administrator, person_with
from tests.factories.approvals import policy_with, stage
from tests.factories.campaigns import sent

pytestmark = pytest.mark.django_db
KIND, WHY = "campaigns.campaign", "She has left the company."


def fresh(request):
    return ApprovalRequest.objects.get(pk=request.pk)


def leaves(*people):
    User.objects.filter(pk__in=[each.pk for each in people]).update(is_active=False)


def test_the_manager_follows_who_left_and_the_rest_stays(client):
    """A person the policy names leaves: their manager comes, is told, and decides; all of it is written down."""
    head = person_with(Role.EXECUTIVE)
    author, gone = person_with(Role.OPS, manager=head), person_with(Role.APPROVER, manager=head)
    policy_with(stage(1, gone, person_with(Role.APPROVER), mode=Mode.ALL, name="Content"), kind=KIND)
    _, request = sent(author=author, approver=True)
    admin = administrator()
    assert refuse_reseating(admin, request) == NOTHING_TO_DO
    leaves(gone)
    (renewal,) = renewals_of(case_of(request))
    assert [list(renewal.gone), list(renewal.come)] == [[gone], [head]]
    client.force_login(admin)
    page = reverse(
        "admin:approvals_approvalrequest_button", kwargs={"object_id": request.pk, "name": "resolve-approvers"}
    )
    shown = client.get(page).content.decode()
    assert f"<strong>{gone}</strong>" in shown
    assert f"<strong>{head}</strong>" in shown
    assert f"{gone} has left; {head} is the next manager who may decide." in shown.replace("&#x27;", "'")
    answer = client.post(page, {"reason": WHY}, follow=True).content.decode()
    assert f"The approvers of {request} are resolved again." in answer
    assert f"{gone} goes, {head} comes. “{WHY}”" in answer
    row = StageInstance.objects.get(approval=request)
    entry = row.replaced[0]
    assert [entry["by"], entry["reason"], entry["tokens"]] == [
        admin.pk,
        WHY,
        {f"person:{gone.pk}": f"person:{head.pk}"},
    ]
    assert AuditEvent.objects.filter(table_name=row._meta.db_table, reason=WHY, actor=admin).exists()
    assert head.pk in able_now(fresh(request))
    assert gone.pk not in able_now(fresh(request))
    with pytest.raises(WrongState, match=NOTHING_TO_DO):
        reseat(request, by=admin, reason=WHY)
    approve(request, by=head)
    assert fresh(request).state == RequestState.IN_REVIEW
    with pytest.raises(DatabaseError, match="Whose seat passed"), transaction.atomic(), transition(StageInstance):
        StageInstance.objects.filter(pk=row.pk).update(replaced=[])


def test_a_field_is_looked_up_anew_in_stages_to_come_too():
    approver, old, new = person_with(Role.APPROVER), person_with(Role.EXECUTIVE), person_with(Role.EXECUTIVE)
    policy_with(stage(1, approver), stage(2, Named(Via.OWNER, "owner_person"), name="Owner"), kind=KIND)
    campaign, request = sent(author=person_with(Role.OPS), owner_person=old, approver=True)
    Campaign.objects.filter(pk=campaign.pk).update(owner_person=new)
    (renewal,) = renewals_of(case_of(request))
    assert [renewal.stage.position, renewal.gone, renewal.come] == [2, (old,), (new,)]
    assert renewal.exchanges[0].why == f"{new} is owner person now."
    reseat(request, by=administrator(), reason=WHY)
    approve(request, by=approver)
    assert refuse_decision(old, fresh(request)) == f"You are none of the approvers: {new} decide here."
    assert approve(request, by=new) == f"{request} is approved."


def test_who_has_decided_keeps_the_seat_and_what_was_decided_can_be_enough():
    """All of them: one has decided, the other is gone without a follower in the role; the request goes on."""
    stays, goes = person_with(Role.APPROVER), person_with(Role.APPROVER)
    policy_with(stage(1, Role.APPROVER, mode=Mode.ALL), kind=KIND)
    _, request = sent(author=person_with(Role.OPS), approver=True)
    approve(request, by=stays)
    leaves(goes)
    (renewal,) = renewals_of(case_of(fresh(request)))
    assert renewal.is_complete
    said = reseat(request, by=administrator(), reason=WHY)
    assert said.endswith(f"{request} is approved.")
    assert fresh(request).state == RequestState.APPROVED
    with pytest.raises(WrongState, match="nothing is left to decide"):
        reseat(request, by=administrator(), reason=WHY)


def test_a_stuck_stage_is_freed_and_its_alert_resolved():
    head = person_with(Role.EXECUTIVE)
    only = person_with(Role.OPS, manager=head)
    policy_with(stage(1, only), kind=KIND)
    _, request = sent(author=person_with(Role.OPS), approver=True)
    leaves(only)
    assert watching.watch_stages()["stuck"] == 1
    reseat(request, by=administrator(), reason=WHY)
    assert watching.watch_stages() == {"stuck": 0, "freed": 1}
    assert refuse_decision(head, fresh(request)) is None


def test_who_may_not():
    """No right, the requester, an editor, an approver before or after, nobody found, no reason."""
    head, admin = administrator(), administrator()
    author = person_with(Role.OPS, Role.ADMINISTRATOR, manager=head)
    gone = person_with(Role.APPROVER, manager=head)
    policy_with(stage(1, gone), kind=KIND)
    _, request = sent(author=author, approver=True)
    with pytest.raises(NotAllowed, match="by administrators"):
        reseat(request, by=person_with(Role.APPROVER), reason=WHY)
    leaves(gone)
    for person, sentence in (
        (author, "Sent it for approval: nobody chooses who decides about their own work."),
        (head, "You are or would be one of its approvers; an administrator who is not resolves them again."),
    ):
        with pytest.raises(NotAllowed) as refused:
            reseat(request, by=person, reason=WHY)
        assert refused.value.message == sentence
    with pytest.raises(InvalidInput, match="Say why its approvers are resolved again"):
        reseat(request, by=admin, reason=" ")
    User.objects.filter(pk=gone.pk).update(manager=author)
    User.objects.filter(pk=author.pk).update(manager=None)
    with pytest.raises(NotAllowed, match="Nobody is found who could take the seats of stage 1"):
        reseat(request, by=admin, reason=WHY)
    assert fresh(request).stages.get().replaced == []
