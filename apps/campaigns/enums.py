"""The words of campaigns: channels, states, and which state follows which."""

from django.db import models


class Channel(models.TextChoices):
    """Where the campaign meets its audience."""

    EMAIL = "email", "E-mail"
    PAID_SEARCH = "paid_search", "Paid search"
    PAID_SOCIAL = "paid_social", "Paid social"
    ORGANIC_SOCIAL = "organic_social", "Organic social"
    CONTENT = "content", "Content and SEO"
    WEBINAR = "webinar", "Webinar"
    EVENT = "event", "Event"
    PARTNER = "partner", "Partner"
    MULTI = "multi", "Several channels"


class CampaignState(models.TextChoices):
    """Where a campaign stands."""

    PLANNING = "planning", "Planning"
    IN_CREATIVE = "in_creative", "In creative"
    IN_APPROVAL = "in_approval", "In approval"
    APPROVED = "approved", "Approved"
    SCHEDULED = "scheduled", "Scheduled"
    LIVE = "live", "Live"
    PAUSED = "paused", "Paused"
    COMPLETED = "completed", "Completed"
    CLOSED = "closed", "Closed"
    CANCELLED = "cancelled", "Cancelled"


_S = CampaignState
# From which state a campaign may go where. Read it aloud: what is planned goes into creative work, is sent for
# approval or cancelled, … The database holds to the same table.
MOVES: dict[CampaignState, tuple[CampaignState, ...]] = {
    _S.PLANNING: (_S.IN_CREATIVE, _S.IN_APPROVAL, _S.CANCELLED),
    _S.IN_CREATIVE: (_S.PLANNING, _S.IN_APPROVAL, _S.CANCELLED),
    _S.IN_APPROVAL: (_S.PLANNING, _S.APPROVED),
    _S.APPROVED: (_S.PLANNING, _S.SCHEDULED, _S.LIVE, _S.CANCELLED),
    _S.SCHEDULED: (_S.PLANNING, _S.APPROVED, _S.LIVE, _S.CANCELLED),
    _S.LIVE: (_S.PAUSED, _S.COMPLETED, _S.CANCELLED),
    _S.PAUSED: (_S.LIVE, _S.COMPLETED, _S.CANCELLED),
    _S.COMPLETED: (_S.CLOSED,),
    _S.CLOSED: (),
    _S.CANCELLED: (),
}
# What is approved and not yet live: a change of the plan voids the approval.
VOIDABLE = (CampaignState.APPROVED, CampaignState.SCHEDULED)
EDITABLE = (CampaignState.PLANNING, CampaignState.IN_CREATIVE, *VOIDABLE)
NOT_YET_LIVE = (*EDITABLE, CampaignState.IN_APPROVAL)
RUNNING = (CampaignState.LIVE, CampaignState.PAUSED)
OVER = (CampaignState.COMPLETED, CampaignState.CLOSED, CampaignState.CANCELLED)


class CheckKind(models.TextChoices):
    """What a line of the launch checklist is about."""

    CREATIVE = "creative", "Creative review"
    LEGAL = "legal", "Legal compliance"
    UTM = "utm", "UTM tagging"
    AUDIENCE = "audience", "Audience verification"
    MONITORING = "monitoring", "Post-launch monitoring"
    OTHER = "other", "Other"


class CheckState(models.TextChoices):
    """Where a line of the checklist stands."""

    OPEN = "open", "Open"
    DONE = "done", "Done"
    NOT_NEEDED = "not_needed", "Not needed"


class RequestStage(models.TextChoices):
    """Where a request for a campaign stands."""

    ASKED = "asked", "Asked"
    INCOMPLETE = "incomplete", "Needs information"
    ACCEPTED = "accepted", "Accepted"
    DECLINED = "declined", "Declined"
    WITHDRAWN = "withdrawn", "Withdrawn"


WAITING = (RequestStage.ASKED, RequestStage.INCOMPLETE)


class Money(models.TextChoices):
    """What an amount in the budget of a campaign means."""

    PLANNED = "planned", "Planned"
    COMMITTED = "committed", "Committed"
    ACTUAL = "actual", "Actual"


class ShiftState(models.TextChoices):
    """How far a proposal to move budget has come."""

    DRAFT = "draft", "Draft"
    IN_APPROVAL = "in_approval", "In approval"
    APPROVED = "approved", "Approved"
    REFUSED = "refused", "Refused"
