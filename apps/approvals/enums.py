"""The words of approvals: what can become of a request, and what an approver can say."""

from django.db import models


class RequestState(models.TextChoices):
    """Where a request stands."""

    IN_REVIEW = "in_review", "In review"
    APPROVED = "approved", "Approved"
    CHANGES_REQUESTED = "changes_requested", "Changes requested"
    REJECTED = "rejected", "Rejected"
    WITHDRAWN = "withdrawn", "Withdrawn"


class Verdict(models.TextChoices):
    """What an approver says."""

    APPROVE = "approve", "Approved"
    REQUEST_CHANGES = "request_changes", "Requested changes"
    REJECT = "reject", "Rejected"


# What a refusing verdict makes of the request.
OUTCOME = {
    Verdict.REQUEST_CHANGES: RequestState.CHANGES_REQUESTED,
    Verdict.REJECT: RequestState.REJECTED,
}
