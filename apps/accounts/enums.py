"""The words for people: roles and shipped job titles."""

from django.db import models


class Role(models.TextChoices):
    """What a person is here to do; each role is a group whose permissions are kept in code."""

    OPS = "ops_staff", "Ops staff"
    APPROVER = "approver", "Approver"
    AUDITOR = "auditor", "Auditor"
    SALES = "sales", "Sales"
    EXECUTIVE = "executive", "Executive"
    ADMINISTRATOR = "administrator", "Administrator"


SHIPPED_TITLES = (
    "Marketing Operations Director",
    "Marketing Operations Manager",
    "Marketing Automation Specialist",
    "Data Analyst",
    "Technology Administrator",
)


class InvitationState(models.TextChoices):
    """How an invitation stands."""

    OPEN = "open", "Open"
    EXPIRED = "expired", "Expired"
    ACCEPTED = "accepted", "Accepted"
    REVOKED = "revoked", "Revoked"


# People with these roles open everything or everybody: they need a second factor, see `needs_mfa`
PRIVILEGED_ROLES = frozenset({Role.ADMINISTRATOR, Role.AUDITOR})

ROLE_WORDS: dict[Role, str] = {
    Role.OPS: "Writes SOPs, runs campaigns, looks after leads, tickets and tools.",
    Role.APPROVER: "Decides on what others ask approval for; never on their own work.",
    Role.AUDITOR: "Sees everything, the ledger included, and changes nothing.",
    Role.SALES: "Works the leads that are theirs.",
    Role.EXECUTIVE: "Reads goals, results and what is under way.",
    Role.ADMINISTRATOR: "Lets people in and out, grants roles, keeps jobs and calendars running.",
}
