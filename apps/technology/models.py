"""The inventory of tools: what each is for, who answers for it, what it holds and what it costs."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower

from apps.accounts.models import OwnedModel
from apps.core.governed import GovernedModel, GovernedQuerySet
from apps.core.transitions import guarded_columns
from apps.technology.enums import IN_USE, Audience, Criticality, DataClass, Known, Lifecycle


def _names(label: str, help_text: str) -> "ArrayField[Any, Any]":
    return ArrayField(
        models.CharField(max_length=100), verbose_name=label, default=list, blank=True, help_text=help_text
    )


class ToolQuerySet(GovernedQuerySet):
    """Filters over the inventory."""

    def in_use(self) -> "ToolQuerySet":
        """Tools that somebody works with today."""
        return self.filter(archived_at__isnull=True, lifecycle__in=IN_USE)

    def without_owner(self) -> "ToolQuerySet":
        """Tools for which neither a person nor a team of mops answers."""
        return self.filter(owner_person__isnull=True, owner_team__isnull=True)

    def without_backup(self) -> "ToolQuerySet":
        """Tools with nobody to stand in."""
        return self.filter(backup_person__isnull=True, backup_team__isnull=True)

    def sensitive_without_purpose(self) -> "ToolQuerySet":
        """Tools that hold confidential data and say nothing about which."""
        return self.filter(data_classification__in=(DataClass.ORANGE, DataClass.RED), collected_data="")


class Tool(OwnedModel, GovernedModel):
    """One tool of the marketing technology stack."""

    name = models.CharField(max_length=150)
    function = models.CharField(max_length=100, blank=True, help_text="What it is for in a few words: CRM, analytics.")
    description = models.TextField(blank=True, help_text="What we do with it. Markdown.")
    vendor_name = models.CharField("vendor", max_length=150, blank=True)
    lifecycle = models.CharField(max_length=15, choices=Lifecycle.choices, default=Lifecycle.PROPOSED, editable=False)
    business_owner_names = _names("business owners", "As the inventory names them, separated by commas.")
    technical_owner_names = _names("technical owners", "As the inventory names them, separated by commas.")
    department = models.CharField(max_length=150, blank=True, help_text="The group that answers for the tool.")
    support_channel = models.CharField(max_length=150, blank=True, help_text="Where users ask, for instance #mktgops.")
    criticality = models.CharField(max_length=20, choices=Criticality.choices, default=Criticality.UNKNOWN)
    data_classification = models.CharField(max_length=10, choices=DataClass.choices, default=DataClass.UNKNOWN)
    collected_data = models.TextField(blank=True, help_text="Which data about people or business it collects.")
    personal_data = models.CharField(
        max_length=10, choices=Known.choices, default=Known.UNKNOWN, help_text="Does it hold data about people?"
    )
    customer_data = models.CharField(
        max_length=10, choices=Known.choices, default=Known.UNKNOWN, help_text="Does it process data of customers?"
    )
    sub_processor = models.CharField(
        "sub-processor",
        max_length=10,
        choices=Known.choices,
        default=Known.UNKNOWN,
        help_text="Does the vendor process personal data for us?",
    )
    compliance_scope = models.CharField(
        max_length=100, blank=True, help_text="SOX, SOC2 …; none where it is in no scope; empty where nobody has said."
    )
    integration_method = models.CharField(
        max_length=200, blank=True, help_text="How people sign in or data flows: SAML, API, …; empty: unknown."
    )
    software_as_a_service = models.CharField(
        "software as a service", max_length=10, choices=Known.choices, default=Known.UNKNOWN
    )
    everyone_has_it = models.CharField(
        "everyone has it",
        max_length=10,
        choices=Known.choices,
        default=Known.UNKNOWN,
        help_text="Does every colleague get it on the first day?",
    )
    audience = models.CharField(max_length=10, choices=Audience.choices, default=Audience.UNKNOWN)
    access_to = models.TextField("who has access", blank=True)
    handbook_link = models.TextField(blank=True, help_text="Where its use is described.")
    external_link = models.CharField(max_length=300, blank=True)
    annual_cost = models.DecimalField(
        max_digits=12, decimal_places=2, null=True, blank=True, help_text="What a year costs; empty: unknown."
    )
    currency = models.CharField(max_length=3, blank=True, help_text="Three letters, for instance EUR.")
    notes = models.TextField(blank=True)

    objects = ToolQuerySet.as_manager()  # type: ignore[misc]  # knows more filters than the one it replaces

    class Meta(GovernedModel.Meta):
        ordering = ("name",)
        constraints = [
            models.UniqueConstraint(
                Lower("name"), name="tool_name_once", violation_error_message="There is already a tool of this name."
            ),
            models.CheckConstraint(
                condition=models.Q(annual_cost__isnull=True) | models.Q(annual_cost__gte=0),
                name="tool_cost_not_negative",
                violation_error_message="A year cannot cost less than nothing; a refund is a note.",
            ),
            models.CheckConstraint(
                condition=models.Q(currency="") | models.Q(currency__regex=r"^[A-Z]{3}$"),
                name="tool_currency_is_a_code",
                violation_error_message="A currency is three capital letters, for instance EUR.",
            ),
            models.CheckConstraint(
                condition=models.Q(annual_cost__isnull=True) | ~models.Q(currency=""),
                name="tool_cost_has_currency",
                violation_error_message="A cost needs its currency.",
            ),
        ]
        indexes = [models.Index(fields=("lifecycle", "name"), name="tool_by_lifecycle")]
        triggers = [
            *GovernedModel.Meta.triggers,
            *guarded_columns(
                "lifecycle",
                starts={"lifecycle": Lifecycle.PROPOSED.value},
                sentence="A tool moves through its lifecycle by the buttons on its page, not by an edit.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_in_use(self) -> bool:
        """Whether somebody works with it today."""
        return self.lifecycle in IN_USE
