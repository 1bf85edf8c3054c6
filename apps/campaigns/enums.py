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
    IN_APPROVAL = "in_approval", "In approval"
    APPROVED = "approved", "Approved"
    LIVE = "live", "Live"
    COMPLETED = "completed", "Completed"
    CLOSED = "closed", "Closed"
    CANCELLED = "cancelled", "Cancelled"


# From which state a campaign may go where. Read it aloud: what is planned is sent for approval or cancelled, …
MOVES: dict[CampaignState, tuple[CampaignState, ...]] = {
    CampaignState.PLANNING: (CampaignState.IN_APPROVAL, CampaignState.CANCELLED),
    CampaignState.IN_APPROVAL: (CampaignState.APPROVED, CampaignState.PLANNING),
    CampaignState.APPROVED: (CampaignState.LIVE, CampaignState.PLANNING, CampaignState.CANCELLED),
    CampaignState.LIVE: (CampaignState.COMPLETED, CampaignState.CANCELLED),
    CampaignState.COMPLETED: (CampaignState.CLOSED,),
    CampaignState.CLOSED: (),
    CampaignState.CANCELLED: (),
}
EDITABLE = (CampaignState.PLANNING, CampaignState.APPROVED)
NOT_YET_LIVE = (CampaignState.PLANNING, CampaignState.IN_APPROVAL, CampaignState.APPROVED)
