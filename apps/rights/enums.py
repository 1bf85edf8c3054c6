"""The words of sharing."""

from django.db import models


class Verb(models.TextChoices):
    """What a grant lets somebody do with one record."""

    VIEW = "view", "View"
    CHANGE = "change", "View and change"


class Asked(models.TextChoices):
    """What became of a role, or of access to a record, that somebody asked for."""

    DRAFT = "draft", "Draft"
    IN_REVIEW = "in_review", "In review"
    GRANTED = "granted", "Granted"
    REFUSED = "refused", "Not granted"


class AccessKind(models.TextChoices):
    """What is written down although it changes nothing."""

    EXPORT = "export", "Export"
    VIEW_AS = "view_as", "Looking on as somebody else"
    PERSONAL_DATA = "personal_data", "Personal data read by an auditor"


class Effect(models.TextChoices):
    """What a rule does when a role or a shared record would bring both duties together."""

    BLOCK = "block", "Refuse it"
    REPORT = "report", "Let it through and alert"


class Risk(models.TextChoices):
    """How much harm one person with both duties could do."""

    LOW = "low", "Low"
    MEDIUM = "medium", "Medium"
    HIGH = "high", "High"


class ReviewScope(models.TextChoices):
    """Which grants a review lists."""

    ALL = "all", "Everything"
    TEAM = "team", "One team"
    ROLE = "role", "One role"
    APP = "app", "One area"


class Assignment(models.TextChoices):
    """Who reviews."""

    REVIEWER = "reviewer", "The reviewer named here"
    MANAGER = "manager", "Each person's manager; the reviewer where there is none"


class Source(models.TextChoices):
    """Where a grant comes from."""

    ROLE = "role", "Role in a team"
    SHARED = "shared", "Shared record"
    OWNER = "owner", "Ownership"
    DIRECT = "direct", "Right given directly"
    SUPERUSER = "superuser", "Superuser"
    STAFF = "staff", "Account that may sign in"
    SERVICE = "service", "Service account"


class ReviewDecision(models.TextChoices):
    """What a reviewer decides about one grant."""

    KEEP = "keep", "Keep"
    REDUCE = "reduce", "Reduce"
    REVOKE = "revoke", "Revoke"


class Flag(models.TextChoices):
    """What a reviewer should notice."""

    PRIVILEGED = "privileged", "Privileged"
    CONFLICT = "conflict", "Two duties"
    DORMANT = "dormant", "Dormant"
    EXCESSIVE = "excessive", "Excessive"
    ORPHANED = "orphaned", "Orphaned"
    NEW = "new", "New"
