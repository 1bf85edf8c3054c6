"""The words for tickets."""

from django.db import models


class Tier(models.TextChoices):
    """How much help a kind of wish needs."""

    SELF_SERVICE = "self_service", "Self-service"
    STANDARD = "standard", "Standard request"
    PROJECT = "project", "Project"


class TicketState(models.TextChoices):
    """Where a ticket stands."""

    NEW = "new", "New"
    OPEN = "open", "Open"
    WAITING_REQUESTER = "waiting_requester", "Waiting for requester"
    WAITING_VENDOR = "waiting_vendor", "Waiting for vendor"
    ON_HOLD = "on_hold", "On hold"
    RESOLVED = "resolved", "Resolved"
    CLOSED = "closed", "Closed"


ACTIVE = (
    *(TicketState.NEW, TicketState.OPEN),
    *(TicketState.WAITING_REQUESTER, TicketState.WAITING_VENDOR, TicketState.ON_HOLD),
)
WAITING = (TicketState.WAITING_REQUESTER, TicketState.WAITING_VENDOR, TicketState.ON_HOLD)
DONE = (TicketState.RESOLVED, TicketState.CLOSED)
_ANYWHERE = {TicketState.OPEN, *WAITING, TicketState.RESOLVED, TicketState.CLOSED}
MOVES: dict[TicketState, set[TicketState]] = {
    **{state: _ANYWHERE - {state} for state in ACTIVE},
    TicketState.RESOLVED: {TicketState.OPEN, TicketState.CLOSED},
    TicketState.CLOSED: {TicketState.OPEN},
}


class Level(models.IntegerChoices):
    """How much a ticket touches, or how soon it matters."""

    LOW = 1, "Low"
    MEDIUM = 2, "Medium"
    HIGH = 3, "High"


class Priority(models.IntegerChoices):
    """What impact and urgency make together; 1 comes first."""

    CRITICAL = 1, "P1 critical"
    HIGH = 2, "P2 high"
    NORMAL = 3, "P3 normal"
    LOW = 4, "P4 low"


def priority_of(impact: int, urgency: int) -> Priority:
    """Return the priority of an impact and an urgency: high with high is P1, a step less on either side one lower."""
    return Priority(min(4, 7 - impact - urgency))


class Resolution(models.TextChoices):
    """How a ticket ended."""

    SOLVED = "solved", "Solved"
    WORKAROUND = "workaround", "Solved by a workaround"
    ANSWERED = "answered", "Question answered"
    DECLINED = "declined", "Declined"
    WITHDRAWN = "withdrawn", "Withdrawn by the requester"
    DUPLICATE = "duplicate", "Duplicate of another ticket"
    NO_ANSWER = "no_answer", "No answer from the requester"


class Intake(models.TextChoices):
    """Through which door a ticket or a message came."""

    DESK = "desk", "Desk"
    PORTAL = "portal", "Portal"
    MAIL = "mail", "Mail"
    API = "api", "API"
    IMPORT = "import", "Import"


class MessageKind(models.TextChoices):
    """Who reads a message."""

    PUBLIC = "public", "Answer to the requester"
    REQUESTER = "requester", "From the requester"
    INTERNAL = "internal", "Internal note"


class EventKind(models.TextChoices):
    """What happened to a ticket besides what was said."""

    OPENED = "opened", "Opened"
    STATE = "state", "State"
    ASSIGNED = "assigned", "Assigned"
    QUEUE = "queue", "Queue"
    PRIORITY = "priority", "Priority"
    REOPENED = "reopened", "Reopened"
    MERGED = "merged", "Merged"
    LINKED = "linked", "Linked"
    CHECKLIST = "checklist", "Checklist"
    ESCALATED = "escalated", "Escalated"
    FACTS = "facts", "Facts"


class LinkKind(models.TextChoices):
    """How two tickets belong together."""

    PARENT = "parent", "is the parent of"
    RELATED = "related", "is related to"
    DUPLICATE = "duplicate", "is a duplicate of"


class AgreementState(models.TextChoices):
    """Where an agreement stands."""

    DRAFT = "draft", "Draft"
    IN_APPROVAL = "in_approval", "Waits for signatures"
    SIGNED = "signed", "Signed"
    RETIRED = "retired", "Retired"


class MailSecurity(models.TextChoices):
    """How the way to a mail server is kept private."""

    TLS = "tls", "TLS"
    STARTTLS = "starttls", "STARTTLS"
    NONE = "none", "None (same machine only)"


class MailOutcome(models.TextChoices):
    """What became of a mail that was fetched."""

    OPENED = "opened", "Opened a ticket"
    ANSWERED = "answered", "Went on a ticket"
    NOTED = "noted", "Kept as a note"
    DUPLICATE = "duplicate", "Came twice"
    REJECTED = "rejected", "Refused"
    FAILED = "failed", "Could not be read"


class SentState(models.TextChoices):
    """How far an answer by mail has come."""

    QUEUED = "queued", "Waits"
    SENDING = "sending", "Is being sent"
    SENT = "sent", "Sent"
    DEAD = "dead", "Given up"


class ProblemState(models.TextChoices):
    """Where a problem stands."""

    OPEN = "open", "Under investigation"
    KNOWN = "known", "Known error"
    SOLVED = "solved", "Solved"


class FollowUpOutcome(models.TextChoices):
    """What a follow-up found."""

    HOLDS = "holds", "The solution holds"
    MENDED = "mended", "Something small was mended"
    REOPENED = "reopened", "Not solved: reopened"
    NO_ANSWER = "no_answer", "No answer"
    NOT_NEEDED = "not_needed", "No longer needed"


class TemplateState(models.TextChoices):
    """Where a version of a reply template stands."""

    DRAFT = "draft", "Draft"
    IN_REVIEW = "in_review", "In review"
    IN_FORCE = "in_force", "In force"
    RETIRED = "retired", "Retired"


class Audience(models.TextChoices):
    """Who is offered an article."""

    EVERYBODY = "everybody", "Everybody who is signed in"
    READERS = "readers", "Only people who may see the process"


class ReadFrom(models.TextChoices):
    """From where an article was opened."""

    PORTAL = "portal", "Help page"
    ASKING = "asking", "While asking"
    DESK = "desk", "A ticket"
