"""The words of leads: the six stages of the lifecycle."""

from django.db import models


class Stage(models.TextChoices):
    """Where a lead stands between a first visit and a customer who recommends us."""

    ANONYMOUS_VISITOR = "anonymous_visitor", "Anonymous visitor"
    KNOWN_LEAD = "known_lead", "Known lead"
    MQL = "mql", "Marketing qualified (MQL)"
    SQL = "sql", "Sales qualified (SQL)"
    CUSTOMER = "customer", "Customer"
    ADVOCATE = "advocate", "Advocate"
    RECYCLED = "recycled", "Recycled"
    DISQUALIFIED = "disqualified", "Disqualified"
    FORMER_CUSTOMER = "former_customer", "Former customer"


# With these somebody of sales works: they are routed, counted in a pool, and wait for an answer.
OPEN_STAGES = (Stage.KNOWN_LEAD, Stage.MQL, Stage.SQL)

# From which stage a lead may go where. Who is not ready is recycled and can qualify again; nobody is stuck for good.
MOVES: dict[Stage, tuple[Stage, ...]] = {
    Stage.ANONYMOUS_VISITOR: (Stage.KNOWN_LEAD, Stage.DISQUALIFIED),
    Stage.KNOWN_LEAD: (Stage.MQL, Stage.DISQUALIFIED),
    Stage.MQL: (Stage.SQL, Stage.RECYCLED, Stage.KNOWN_LEAD, Stage.DISQUALIFIED),
    Stage.SQL: (Stage.CUSTOMER, Stage.RECYCLED, Stage.KNOWN_LEAD, Stage.DISQUALIFIED),
    Stage.CUSTOMER: (Stage.ADVOCATE, Stage.FORMER_CUSTOMER),
    Stage.ADVOCATE: (Stage.FORMER_CUSTOMER,),
    Stage.RECYCLED: (Stage.MQL, Stage.DISQUALIFIED),
    Stage.DISQUALIFIED: (Stage.KNOWN_LEAD,),
    Stage.FORMER_CUSTOMER: (Stage.KNOWN_LEAD,),
}


class TouchType(models.TextChoices):
    """What a lead can do that rules count."""

    VISIT = "visit", "Website visit"
    DOWNLOAD = "download", "Download"
    EMAIL = "email", "E-mail opened or clicked"
    FORM = "form", "Form sent"
    WEBINAR = "webinar", "Webinar attended"
    DEMO = "demo", "Demo requested"
    TRIAL = "trial", "Trial used"
    UNSUBSCRIBE = "unsubscribe", "Unsubscribed"


class TouchChannel(models.TextChoices):
    """Through which channel a touch came."""

    WEBSITE = "website", "Website"
    EMAIL = "email", "E-mail"
    EVENT = "event", "Event"
    ADS = "ads", "Ads"
    SOCIAL = "social", "Social media"
    PARTNER = "partner", "Partner"
    PRODUCT = "product", "Product"
    OTHER = "other", "Other"


class IntakeState(models.TextChoices):
    """What became of something that came in."""

    ACCEPTED = "accepted", "Accepted"
    DUPLICATE = "duplicate", "Duplicate"
    REJECTED = "rejected", "Rejected"


class ConsentPurpose(models.TextChoices):
    """What a lead can agree to."""

    MARKETING_EMAIL = "marketing_email", "Marketing by e-mail"
    PHONE = "phone", "Calls"
    TRACKING = "tracking", "Tracking on the website"


class RunKind(models.TextChoices):
    """Why many leads were scored."""

    ACTIVATION = "activation", "New rules"
    NIGHTLY = "nightly", "Every night"
    REBUILD = "rebuild", "From the touches anew"


class HandoffState(models.TextChoices):
    """What became of an offer to sales."""

    OFFERED = "offered", "Offered"
    ACCEPTED = "accepted", "Accepted"
    REJECTED = "rejected", "Given back"
    EXPIRED = "expired", "Expired"
    WITHDRAWN = "withdrawn", "Withdrawn"


class RejectReason(models.TextChoices):
    """Why sales gives a lead back."""

    NO_FIT = "no_fit", "Does not fit"
    NO_NEED = "no_need", "No need"
    NO_BUDGET = "no_budget", "No budget"
    TOO_EARLY = "too_early", "Too early"
    UNREACHABLE = "unreachable", "Cannot be reached"
    WRONG_DATA = "wrong_data", "Wrong data"
    KNOWN = "known", "Known to sales already"


class SubscriptionStatus(models.TextChoices):
    """How the subscription of a company stands."""

    TRIAL = "trial", "Trial"
    ACTIVE = "active", "Active"
    PAST_DUE = "past_due", "Past due"
    CANCELLED = "cancelled", "Cancelled"


class PairState(models.TextChoices):
    """What became of two leads that look like one person."""

    OPEN = "open", "To be looked at"
    MERGED = "merged", "Merged"
    DISMISSED = "dismissed", "Two people"


class RoutedBy(models.TextChoices):
    """What gave a lead to somebody."""

    RULE = "rule", "Rule"
    FALLBACK = "fallback", "No rule: fallback queue"
    WAITING = "waiting", "Nobody free: fallback queue"
    HAND = "hand", "By hand"
    SLA = "sla", "Not answered in time"


class SlaState(models.TextChoices):
    """Where an SLA of leads stands."""

    DRAFT = "draft", "Draft"
    IN_REVIEW = "in_review", "Waits for signatures"
    SIGNED = "signed", "Signed"
    RETIRED = "retired", "Ended"


class ContactKind(models.TextChoices):
    """How sales was in touch."""

    CALL = "call", "Call"
    EMAIL = "email", "E-mail"
    MEETING = "meeting", "Meeting"
    MESSAGE = "message", "Message"


class OpportunityStage(models.TextChoices):
    """How far an opportunity is."""

    DISCOVERY = "discovery", "Discovery"
    PROPOSAL = "proposal", "Proposal"
    NEGOTIATION = "negotiation", "Negotiation"
    WON = "won", "Won"
    LOST = "lost", "Lost"


class LossReason(models.TextChoices):
    """Why an opportunity was lost."""

    PRICE = "price", "Price"
    COMPETITOR = "competitor", "Competitor"
    NO_DECISION = "no_decision", "No decision"
    NO_FIT = "no_fit", "Does not fit"
    TIMING = "timing", "Too early"


class HandoffKind(models.TextChoices):
    """To whom a lead or customer is handed over."""

    SALES = "sales", "Sales"
    SUCCESS = "success", "Customer success"
    EXPANSION = "expansion", "Expansion"
    REFERENCE = "reference", "Reference"


class ReviewState(models.TextChoices):
    """Whether a review of scoring is done."""

    OPEN = "open", "Open"
    CLOSED = "closed", "Concluded"


class TrialState(models.TextChoices):
    """Where a trial of scoring rules stands."""

    PLANNED = "planned", "Planned"
    RUNNING = "running", "Running"
    ENDED = "ended", "Ended"


class Verdict(models.TextChoices):
    """What a review of scoring ends with."""

    KEEP = "keep", "Keep the rules"
    CHANGE = "change", "Change the rules"


class ClientStage(models.TextChoices):
    """Where a client stands, derived from its subscription, its use and its signs."""

    TRIAL = "trial", "Trying it"
    ONBOARDING = "onboarding", "Getting started"
    ESTABLISHED = "established", "Established"
    AT_RISK = "at_risk", "At risk"
    LEFT = "left", "Has left"
