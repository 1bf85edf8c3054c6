"""The words of the technology inventory: lifecycle, criticality, data classes, and what is simply not known."""

from django.db import models


class Lifecycle(models.TextChoices):
    """Where a tool stands between an idea and the scrap heap."""

    PROPOSED = "proposed", "Proposed"
    EVALUATING = "evaluating", "Evaluating"
    APPROVED = "approved", "Approved"
    IMPLEMENTING = "implementing", "Implementing"
    ACTIVE = "active", "Active"
    SUNSETTING = "sunsetting", "Sunsetting"
    RETIRED = "retired", "Retired"


# From where a tool may go where. Read it aloud: a proposed tool is evaluated or dropped, …
MOVES: dict[Lifecycle, tuple[Lifecycle, ...]] = {
    Lifecycle.PROPOSED: (Lifecycle.EVALUATING, Lifecycle.RETIRED),
    Lifecycle.EVALUATING: (Lifecycle.APPROVED, Lifecycle.RETIRED),
    Lifecycle.APPROVED: (Lifecycle.IMPLEMENTING, Lifecycle.RETIRED),
    Lifecycle.IMPLEMENTING: (Lifecycle.ACTIVE, Lifecycle.RETIRED),
    Lifecycle.ACTIVE: (Lifecycle.SUNSETTING,),
    Lifecycle.SUNSETTING: (Lifecycle.ACTIVE, Lifecycle.RETIRED),
    Lifecycle.RETIRED: (),
}
IN_USE = (Lifecycle.IMPLEMENTING, Lifecycle.ACTIVE, Lifecycle.SUNSETTING)


class Known(models.TextChoices):
    """Yes, no, or nobody has said: an empty cell is never taken for a no."""

    YES = "yes", "Yes"
    NO = "no", "No"
    UNKNOWN = "unknown", "Unknown"


class Criticality(models.TextChoices):
    """How much stands still when the tool does."""

    TIER_1_BUSINESS = "tier_1_business", "Tier 1 · business"
    TIER_1_PRODUCT = "tier_1_product", "Tier 1 · product"
    TIER_2_CORE = "tier_2_core", "Tier 2 · core"
    TIER_2_SUPPORT = "tier_2_support", "Tier 2 · support"
    TIER_2 = "tier_2", "Tier 2 · kind not given"
    TIER_3 = "tier_3", "Tier 3 · non-critical"
    UNKNOWN = "unknown", "Unknown"


class DataClass(models.TextChoices):
    """How sensitive the data is that the tool holds, from public (green) to the most restricted (red)."""

    GREEN = "green", "Green · public"
    YELLOW = "yellow", "Yellow · internal"
    ORANGE = "orange", "Orange · confidential"
    RED = "red", "Red · restricted"
    UNKNOWN = "unknown", "Unknown"


class Audience(models.TextChoices):
    """Who works with the tool."""

    EMPLOYEES = "employees", "Employees"
    CUSTOMERS = "customers", "Customers"
    BOTH = "both", "Employees and customers"
    PARTNERS = "partners", "Partners"
    UNKNOWN = "unknown", "Unknown"


class Health(models.TextChoices):
    """How a vendor stands: can we rely on it for another term?"""

    GOOD = "good", "Good"
    WATCH = "watch", "Watch"
    POOR = "poor", "Poor"
    UNKNOWN = "unknown", "Unknown"


class CostType(models.TextChoices):
    """What the money is for."""

    LICENCE = "licence", "Licence"
    IMPLEMENTATION = "implementation", "Implementation"
    PEOPLE = "people", "People"
    EXIT = "exit", "Exit"


class Basis(models.TextChoices):
    """What the amount is per."""

    FLAT = "flat", "Flat"
    SEAT = "seat", "Per seat"
    USAGE = "usage", "Per unit of use"


class Period(models.TextChoices):
    """How often the amount falls due."""

    MONTH = "month", "a month"
    QUARTER = "quarter", "a quarter"
    YEAR = "year", "a year"
    ONCE = "once", "once"


# how often a year each period falls due; what is paid once never recurs
A_YEAR: dict[str, int] = {Period.MONTH: 12, Period.QUARTER: 4, Period.YEAR: 1, Period.ONCE: 0}
# how many months one period has
MONTHS: dict[str, int] = {Period.MONTH: 1, Period.QUARTER: 3, Period.YEAR: 12}


class NoticeUnit(models.TextChoices):
    """In what a notice period is counted."""

    DAYS = "days", "days"
    MONTHS = "months", "months"


class CaseState(models.TextChoices):
    """How far a request, a waiver or a renewal decision has come."""

    DRAFT = "draft", "Draft"
    IN_APPROVAL = "in_approval", "In approval"
    APPROVED = "approved", "Approved"
    REFUSED = "refused", "Refused"
    REVOKED = "revoked", "Revoked"


class WaiverKind(models.TextChoices):
    """Why a tool may go without an approved request."""

    EXCEPTION = "exception", "Exception"
    INVENTORY = "inventory", "In use before mops"


class Metric(models.TextChoices):
    """How a licence counts."""

    SEAT = "seat", "Per seat"
    SITE = "site", "Site: everybody at a place"
    UNLIMITED = "unlimited", "Unlimited"


class UseMetric(models.TextChoices):
    """What a utilisation sample compares: the upper figure against the lower one."""

    ACTIVE_USERS = "active_users", "Active users of licensed seats"
    FEATURES = "features", "Features used of features paid"
    QUOTA = "quota", "Quota used of quota paid"
    OTHER = "other", "Something else"


class ReclaimState(models.TextChoices):
    """What became of the wish to take back an inactive seat."""

    OPEN = "open", "Open"
    RECLAIMED = "reclaimed", "Reclaimed"
    KEPT = "kept", "Kept"


class Renewal(models.TextChoices):
    """What is to become of a contract when its term ends."""

    RENEW = "renew", "Renew"
    RENEGOTIATE = "renegotiate", "Renegotiate"
    DROP = "drop", "Drop"


class Verdict(models.TextChoices):
    """What a review proposes for a tool."""

    KEEP = "keep", "Keep"
    OPTIMISE = "optimise", "Optimise"
    CONSOLIDATE = "consolidate", "Consolidate"
    RETIRE = "retire", "Retire"


class ActionState(models.TextChoices):
    """How far an action of a review has come."""

    OPEN = "open", "Open"
    DONE = "done", "Done"
    DROPPED = "dropped", "Dropped"


class CriteriaState(models.TextChoices):
    """Whether a set of criteria can still be edited, decides today, or has been replaced."""

    DRAFT = "draft", "Draft"
    ACTIVE = "active", "In force"
    RETIRED = "retired", "Retired"


class EvaluationState(models.TextChoices):
    """How far an evaluation has come."""

    DRAFT = "draft", "Draft"
    SCORING = "scoring", "Scoring"
    SCORED = "scored", "Scored"
    DECIDED = "decided", "Decided"
    DROPPED = "dropped", "Dropped"


class Gate(models.TextChoices):
    """What must be shown, one after the other, before a tool that is implemented becomes active."""

    PHASED = "phased", "Phased"
    TESTED = "tested", "Tested"
    TRAINED = "trained", "Trained"
    MONITORED = "monitored", "Monitored"


class Direction(models.TextChoices):
    """Which way data goes."""

    ONE_WAY = "one_way", "Source to target"
    BOTH = "both", "Both ways"


class Method(models.TextChoices):
    """How data gets over."""

    NATIVE = "native", "Connector of a vendor"
    API = "api", "API"
    WEBHOOK = "webhook", "Webhook"
    PLATFORM = "platform", "Integration platform"
    FILE = "file", "File"
    MANUAL = "manual", "By hand"


class Frequency(models.TextChoices):
    """How often data goes over."""

    LIVE = "live", "At once"
    MINUTES = "minutes", "Every few minutes"
    HOURLY = "hourly", "Every hour"
    DAILY = "daily", "Every day"
    WEEKLY = "weekly", "Every week"
    MONTHLY = "monthly", "Every month"
    ON_DEMAND = "on_demand", "When somebody starts it"


# how many minutes may pass before the next transfer is late: twice the time between two; None: no clock
LATE_AFTER: dict[str, int | None] = {
    Frequency.LIVE: 60,
    Frequency.MINUTES: 60,
    Frequency.HOURLY: 120,
    Frequency.DAILY: 2 * 24 * 60,
    Frequency.WEEKLY: 14 * 24 * 60,
    Frequency.MONTHLY: 62 * 24 * 60,
    Frequency.ON_DEMAND: None,
}


class AuthKind(models.TextChoices):
    """How the two sides recognise each other; the secret itself is kept elsewhere."""

    OAUTH = "oauth", "OAuth 2.0"
    API_KEY = "api_key", "API key"
    SERVICE_ACCOUNT = "service_account", "Service account"
    BASIC = "basic", "Name and password"
    KEY_PAIR = "key_pair", "Key pair"
    NONE = "none", "None"
    UNKNOWN = "unknown", "Unknown"


class IntegrationState(models.TextChoices):
    """Whether data flows."""

    PLANNED = "planned", "Planned"
    LIVE = "live", "Live"
    PAUSED = "paused", "Paused"
    ENDED = "ended", "Ended"


class FlowHealth(models.TextChoices):
    """How an integration does by its last transfers."""

    GOOD = "good", "Good"
    LATE = "late", "Late"
    FAILING = "failing", "Failing"
    UNKNOWN = "unknown", "Unknown"


class FieldType(models.TextChoices):
    """What a field holds."""

    TEXT = "text", "Text"
    NUMBER = "number", "Number"
    MONEY = "money", "Money"
    DATE = "date", "Date"
    MOMENT = "moment", "Date and time"
    YES_NO = "yes_no", "Yes or no"
    CHOICE = "choice", "One of a list"
    REFERENCE = "reference", "Reference to another entity"


class Duty(models.TextChoices):
    """What whoever answers for a tool does again and again."""

    HEALTH = "health", "Health check"
    TRAINING = "training", "User training"
    VENDOR = "vendor", "Vendor review"
    BACKUP = "backup", "Backup and restore"
    PERMISSIONS = "permissions", "Review of permissions"


# how many months after one time the next is due
DUTY_MONTHS: dict[str, int] = {
    Duty.HEALTH: 1,
    Duty.TRAINING: 6,
    Duty.VENDOR: 6,
    Duty.BACKUP: 3,
    Duty.PERMISSIONS: 3,
}


class Standard(models.TextChoices):
    """What a standard of administration is about."""

    NAMING = "naming", "Naming"
    FOLDERS = "folders", "Folders"
    PERMISSIONS = "permissions", "Permissions"
    BACKUPS = "backups", "Backups"
