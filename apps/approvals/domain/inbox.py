"""The inbox: what waits for a person, what they sent, and who may decide about one request."""

from dataclasses import dataclass

from apps.accounts.models import User
from apps.approvals.domain.decisions import subject_row
from apps.approvals.domain.eligibility import Approvers, editors_of, own_work
from apps.approvals.models import ApprovalRequest
from apps.core.access import visible

SHOWN = 8
LISTED = 25


def waiting_for(person: User) -> list[ApprovalRequest]:
    """Return what `person` may decide, oldest first."""
    rows = ApprovalRequest.objects.waiting_for(person) & visible(person, ApprovalRequest)
    return list(rows.select_related("requester", "content_type").order_by("submitted_at")[: SHOWN + 1])


def sent_by(person: User) -> list[ApprovalRequest]:
    """Return what `person` sent and still waits for, oldest first."""
    rows = visible(person, ApprovalRequest).filter(state="in_review", requester=person)
    return list(rows.select_related("content_type").order_by("submitted_at")[: SHOWN + 1])


@dataclass(frozen=True)
class Answer:
    """Whether one person may decide, and if not, why."""

    person: User
    refused: str | None


def who_may_decide(request: ApprovalRequest) -> list[Answer]:
    """Return the people whom the policy names today, each with the reason that keeps them from deciding, if any."""
    people = list(Approvers.of_request(request).current().order_by("full_name")[:LISTED])
    thing = subject_row(request)
    editors = [*request.editors, *(editors_of(thing) if thing is not None else [])]
    decided = set(request.decisions.values_list("approver", flat=True))
    answers = []
    for person in people:
        own = own_work(person, request.requester_id, editors)
        refused = own.about_them if own else "Has decided already." if person.pk in decided else None
        answers.append(Answer(person, refused))
    return sorted(answers, key=lambda answer: answer.refused is not None)
