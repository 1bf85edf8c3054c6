"""The words of content: kinds, channels, states, and which state follows which."""

from django.db import models


class Kind(models.TextChoices):
    """What a piece of content is."""

    EMAIL = "email", "E-mail"
    LANDING_PAGE = "landing_page", "Landing page"
    SOCIAL_POST = "social_post", "Social post"
    ADVERTISEMENT = "advertisement", "Advertisement"
    ENABLEMENT = "enablement", "Sales enablement"
    COMPETITIVE = "competitive", "Competitive material"
    ASSET = "asset", "Other asset"


class Channel(models.TextChoices):
    """Through what it reaches people."""

    EMAIL = "email", "E-mail"
    WEB = "web", "Website"
    PAID_SEARCH = "paid_search", "Paid search"
    PAID_SOCIAL = "paid_social", "Paid social"
    ORGANIC_SOCIAL = "organic_social", "Organic social"
    EVENT = "event", "Event"
    PARTNER = "partner", "Partner"
    SALES = "sales", "Sales conversations"


class Region(models.TextChoices):
    """Where it is shown: what has to be said depends on it."""

    GLOBAL = "global", "Everywhere"
    DACH = "dach", "Germany, Austria, Switzerland"
    UK = "uk", "United Kingdom and Ireland"
    EU = "eu", "Rest of the European Union"
    NORTH_AMERICA = "na", "North America"
    LATIN_AMERICA = "latam", "Latin America"
    APAC = "apac", "Asia-Pacific"
    MEA = "mea", "Middle East and Africa"


class Stage(models.TextChoices):
    """Where a piece of content stands: a brief until somebody writes it, then as its newest version."""

    BRIEF = "brief", "Brief"
    DRAFT = "draft", "Draft"
    QA = "qa", "In quality checks"
    IN_REVIEW = "in_review", "In review"
    APPROVED = "approved", "Approved"
    PUBLISHED = "published", "Published"
    EXPIRED = "expired", "Expired"
    ARCHIVED = "archived", "Put away"


class VersionState(models.TextChoices):
    """Where a version stands."""

    DRAFT = "draft", "Draft"
    QA = "qa", "In quality checks"
    IN_REVIEW = "in_review", "In review"
    APPROVED = "approved", "Approved"
    PUBLISHED = "published", "Published"
    EXPIRED = "expired", "Expired"
    ARCHIVED = "archived", "Put away"


# From which state a version may go where. Read it aloud: a draft goes into checks or is put away, …
MOVES: dict[VersionState, tuple[VersionState, ...]] = {
    VersionState.DRAFT: (VersionState.QA, VersionState.ARCHIVED),
    VersionState.QA: (VersionState.DRAFT, VersionState.IN_REVIEW),
    VersionState.IN_REVIEW: (VersionState.DRAFT, VersionState.APPROVED),
    VersionState.APPROVED: (
        VersionState.DRAFT,
        VersionState.PUBLISHED,
        VersionState.EXPIRED,
        VersionState.ARCHIVED,
    ),
    VersionState.PUBLISHED: (VersionState.EXPIRED, VersionState.ARCHIVED),
    VersionState.EXPIRED: (VersionState.ARCHIVED,),
    VersionState.ARCHIVED: (),
}
UNDER_WAY = (VersionState.DRAFT, VersionState.QA, VersionState.IN_REVIEW)
USABLE = (VersionState.APPROVED, VersionState.PUBLISHED)


class Level(models.TextChoices):
    """The checks in their order: what a machine can see, what the brand wants, what the law wants."""

    TECHNICAL = "technical", "Technical"
    BRAND = "brand", "Brand"
    LEGAL = "legal", "Legal"


LEVELS = tuple(Level)


class Severity(models.TextChoices):
    """What a finding does: it holds the content back, or only tells."""

    BLOCK = "block", "Blocks"
    WARN = "warn", "Warns"


class CheckKind(models.TextChoices):
    """What a rule of a pack looks for."""

    FORBIDDEN = "forbidden", "Words that must not appear"
    SPELLING = "spelling", "Names spelt exactly so"
    REQUIRED = "required", "A text that must appear"
    CLAIM = "claim", "Claims that need substantiation"
    LINKS = "links", "Links: form and allowed hosts"
    UTM = "utm", "Links carry valid UTM parameters"
    ALT_TEXT = "alt_text", "Pictures have an alternative text"
    SUBJECT = "subject", "Length of the subject"
    UNSUBSCRIBE = "unsubscribe", "A way to unsubscribe"
    CONTRAST = "contrast", "Contrast of colours"
    MERGE_FIELDS = "merge_fields", "Merge fields stand in the data dictionary"
    MARKUP = "markup", "Well-formed and harmless HTML"
    CONSISTENCY = "consistency", "Figures agree with the other channels"


class ExceptionState(models.TextChoices):
    """Where a waiver or a claim stands."""

    DRAFT = "draft", "Draft"
    IN_REVIEW = "in_review", "In review"
    APPROVED = "approved", "Approved"
    REFUSED = "refused", "Refused"


class DistributionState(models.TextChoices):
    """Where a distribution stands."""

    PLANNED = "planned", "Planned"
    PUBLISHED = "published", "Published"
    TAKEN_DOWN = "taken_down", "Taken down"


SALES_KINDS = (Kind.ENABLEMENT, Kind.COMPETITIVE)

# How the value of a UTM parameter is written, in texts and in plans alike.
UTM_VALUE = r"^[a-z0-9][a-z0-9._-]*$"
