"""The words of approvals: what can become of a request, of a stage and of a policy, and what an approver can say."""

from django.db import models


class RequestState(models.TextChoices):
    """Where a request stands. APPROVED means that the effect has been carried out."""

    IN_REVIEW = "in_review", "In review"
    WAITING = "waiting", "Approved, not in effect yet"
    APPROVED = "approved", "Approved"
    CHANGES_REQUESTED = "changes_requested", "Changes requested"
    REJECTED = "rejected", "Rejected"
    WITHDRAWN = "withdrawn", "Withdrawn"
    SUPERSEDED = "superseded", "Superseded"
    EXPIRED = "expired", "Expired"
    REVOKED = "revoked", "Approval revoked"
    VOID = "void", "Void, changed meanwhile"


# A request in one of these states can still have an effect; a subject has at most one of them.
UNSETTLED = (RequestState.IN_REVIEW, RequestState.WAITING)


class Verdict(models.TextChoices):
    """What an approver says."""

    APPROVE = "approve", "Approved"
    APPROVE_WITH_CONDITIONS = "conditions", "Approved with conditions"
    REQUEST_CHANGES = "request_changes", "Requested changes"
    REJECT = "reject", "Rejected"
    ABSTAIN = "abstain", "Abstained"


APPROVING = (Verdict.APPROVE, Verdict.APPROVE_WITH_CONDITIONS)

# What a refusing verdict makes of the request.
OUTCOME = {
    Verdict.REQUEST_CHANGES: RequestState.CHANGES_REQUESTED,
    Verdict.REJECT: RequestState.REJECTED,
}


class StageState(models.TextChoices):
    """Where one stage of a request stands; only the active one is decided."""

    PENDING = "pending", "Not begun"
    ACTIVE = "active", "Being decided"
    APPROVED = "approved", "Approved"
    REFUSED = "refused", "Refused"
    CLOSED = "closed", "Closed undecided"


class Mode(models.TextChoices):
    """How many of a stage's approvers must say yes."""

    ANY = "any", "Any one of them"
    ALL = "all", "All of them"
    SOME = "some", "A number of them"


class Via(models.TextChoices):
    """How a policy names approvers."""

    ROLE = "role", "Everybody with the role"
    TEAM = "team", "Everybody in the team"
    GROUP = "group", "Everybody in the group"
    PERSON = "person", "The person"
    OWNER = "owner", "Who is named in a field of the record"
    MANAGER = "manager", "The manager of who sends it"


class Part(models.TextChoices):
    """What the approval of somebody named in this way is worth."""

    COUNTS = "counts", "Counts"
    REQUIRED = "required", "Required: without one of them it is not approved"
    OPTIONAL = "optional", "Optional: is heard, does not count"


class PolicyState(models.TextChoices):
    """Where a version of a policy stands. Only the active one decides where new requests go."""

    DRAFT = "draft", "Draft"
    IN_REVIEW = "in_review", "In review"
    ACTIVE = "active", "Active"
    RETIRED = "retired", "Retired"


class Finding(models.TextChoices):
    """What the review of an emergency found."""

    JUSTIFIED = "justified", "Justified"
    NOT_JUSTIFIED = "not_justified", "Not justified"
