"""The inbox: what waits for a person, what they sent, and who may decide about one request."""

from collections.abc import Container

from apps.accounts.models import User
from apps.approvals.domain.definition import tokens_in_words
from apps.approvals.domain.eligibility import Case, case_of
from apps.approvals.domain.own_work import OwnWork
from apps.approvals.domain.routing import Answer
from apps.approvals.domain.seats import holders_of, requests_waiting_for
from apps.approvals.models import ApprovalRequest, Decision
from apps.core.access import visible

SHOWN = 8
LISTED = 25


def waiting_for(person: User) -> list[ApprovalRequest]:
    """Return what `person` may decide, oldest first."""
    rows = requests_waiting_for(person) & visible(person, ApprovalRequest)
    return list(rows.select_related("requester", "content_type").order_by("submitted_at")[: SHOWN + 1])


def sent_by(person: User) -> list[ApprovalRequest]:
    """Return what `person` sent and still waits for, oldest first."""
    rows = visible(person, ApprovalRequest).filter(state="in_review", requester=person)
    return list(rows.select_related("content_type").order_by("submitted_at")[: SHOWN + 1])


def has_decided(person: User) -> bool:
    """Whether `person` has ever decided about something: who has looks for what waits, who never may does not."""
    return Decision.objects.filter(approver=person).exists()


def who_may_decide(request: ApprovalRequest, *, case: Case | None = None) -> list[Answer]:
    """Return whom the stage being decided names today, each with the reason that keeps them from deciding, if any."""
    case = case or case_of(request)
    if case.stage is None:
        return []
    holders = holders_of(case.stage.named)
    voted = {each.principal: each for each in case.said}
    stand_ins = {each.from_person_id: each.to_person for each in case.delegations if case.spec.allow_delegates}
    answers = []
    for person in User.objects.filter(pk__in=holders).order_by("full_name")[:LISTED]:
        refused = _refused(person.pk, case.own, voted)
        via = tokens_in_words(holders[person.pk])
        stand_in = stand_ins.get(person.pk) if refused is None else None
        able = stand_in is not None and stand_in.pk not in case.own
        answers.append(Answer(person, refused, via, stand_in if able else None))
    return sorted(answers, key=lambda answer: answer.refused is not None)


def _refused(person: int, own: dict[int, OwnWork], voted: Container[int]) -> str | None:
    if person in own:
        return own[person].about_them
    return "Has decided already." if person in voted else None
