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
