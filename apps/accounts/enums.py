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
