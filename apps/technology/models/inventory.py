"""The inventory: tools, who sells them, what they can do, and what their owners have attested."""

from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.timezone import localtime

from apps.accounts.models import OwnedModel
from apps.core.governed import GovernedModel, GovernedQuerySet, append_only_triggers
from apps.core.money import MoneyField
from apps.core.transitions import guarded_columns
from apps.technology.enums import IN_USE, Audience, Criticality, DataClass, Health, Known, Lifecycle
from apps.technology.models.flow_triggers import nothing_flows_over_it
from apps.technology.models.gate_triggers import gates_before_active, gates_open
from apps.technology.models.triggers import (
    case_before_active,
    nothing_lives_on_it,
    stands_in_a_review,
    tree_without_loops,
)


def _names(label: str, help_text: str) -> "ArrayField[Any, Any]":
    return ArrayField(
        models.CharField(max_length=100), verbose_name=label, default=list, blank=True, help_text=help_text
    )


class Vendor(OwnedModel, GovernedModel):
    """Who sells or runs a tool."""

    name = models.CharField(max_length=150)
    website = models.URLField(blank=True)
    health = models.CharField(
        max_length=10, choices=Health.choices, default=Health.UNKNOWN, help_text="Can we rely on it for another term?"
    )
    health_note = models.TextField(
        "why", blank=True, help_text="Outages, support, finances, roadmap: what it rests on."
    )
    health_on = models.DateField("judged on", null=True, blank=True)
    processing_agreement = models.CharField(
        "data processing agreement",
        max_length=10,
        choices=Known.choices,
        default=Known.UNKNOWN,
        help_text="Is one signed? Attach it below.",
    )
    notes = models.TextField(blank=True)

    class Meta(GovernedModel.Meta):
        ordering = ("name",)
        constraints = [
            models.UniqueConstraint(
                Lower("name"), name="vendor_name_once", violation_error_message="There is already such a vendor."
            ),
        ]

    def __str__(self) -> str:
        return self.name


class VendorContact(GovernedModel):
    """Somebody at a vendor."""

    personal_fields = ("name", "email", "phone")

    vendor = models.ForeignKey(Vendor, models.PROTECT, related_name="contacts")
    name = models.CharField(max_length=150)
    role = models.CharField(max_length=100, blank=True, help_text="Account manager, support, data protection …")
    email = models.EmailField("e-mail", blank=True)
    phone = models.CharField(max_length=50, blank=True)

    class Meta(GovernedModel.Meta):
        ordering = ("vendor", "name")

    def __str__(self) -> str:
        return f"{self.name} at {self.vendor}"


class Capability(GovernedModel):
    """Something the stack must be able to do; capabilities form a tree."""

    name = models.CharField(max_length=100)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")
    description = models.TextField(blank=True)
    required = models.BooleanField(default=False, help_text="We need it: without a tool that fits, it is a gap.")

    class Meta(GovernedModel.Meta):
        ordering = ("name",)
        verbose_name_plural = "capabilities"
        constraints = [
            models.UniqueConstraint(
                Lower("name"),
                name="capability_name_once",
                violation_error_message="There is already a capability of this name.",
            ),
        ]
        triggers = [*GovernedModel.Meta.triggers, tree_without_loops()]

    def __str__(self) -> str:
        return self.name


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
    vendor = models.ForeignKey(Vendor, models.PROTECT, null=True, blank=True, related_name="tools")
    vendor_name = models.CharField(
        "vendor, as the inventory names it", max_length=150, blank=True, editable=False, help_text="From an import."
    )
    lifecycle = models.CharField(max_length=15, choices=Lifecycle.choices, default=Lifecycle.PROPOSED, editable=False)
    business_owner_names = _names("business owners", "As the inventory names them, separated by commas.")
    technical_owner_names = _names("technical owners", "As the inventory names them, separated by commas.")
    technical_owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Who runs it: health, access, integrations. The owner above answers for its purpose and money.",
    )
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
    single_sign_on = models.CharField(
        "single sign-on",
        max_length=10,
        choices=Known.choices,
        default=Known.UNKNOWN,
        db_default=Known.UNKNOWN,
        help_text="Do people sign in through the company's identity provider?",
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
    annual_cost = MoneyField(
        "stated annual cost",
        max_digits=12,
        decimal_places=2,
        null=True,
        blank=True,
        help_text="As the inventory states it; empty: unknown. What counts are the cost lines under Cost lines.",
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
            case_before_active(),
            gates_before_active(),
            gates_open(),
            nothing_lives_on_it(),
            nothing_flows_over_it(),
            stands_in_a_review(),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_in_use(self) -> bool:
        """Whether somebody works with it today."""
        return self.lifecycle in IN_USE


class ToolCapability(GovernedModel):
    """How well a tool does something."""

    tool = models.ForeignKey(Tool, models.PROTECT, related_name="fits")
    capability = models.ForeignKey(Capability, models.PROTECT, related_name="fits")
    fit = models.PositiveSmallIntegerField(
        validators=[MaxValueValidator(5, "Fit goes from 0 to 5.")],
        help_text="0 not at all, 3 well enough, 5 as if made for it.",
    )
    note = models.CharField(max_length=250, blank=True)

    class Meta(GovernedModel.Meta):
        ordering = ("capability", "-fit")
        verbose_name = "capability of a tool"
        verbose_name_plural = "capabilities of tools"
        constraints = [
            models.UniqueConstraint(
                fields=("tool", "capability"),
                name="tool_capability_once",
                violation_error_message="This tool is already rated for that capability.",
            ),
            models.CheckConstraint(
                condition=Q(fit__lte=5), name="fit_up_to_five", violation_error_message="Fit goes from 0 to 5."
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tool}: {self.capability}"


class Attestation(models.Model):
    """An owner's word that the record of a tool is right, on a day; evidence, append-only, never changed."""

    tool = models.ForeignKey(Tool, models.PROTECT, related_name="attestations")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    by_label = models.CharField(max_length=150)
    at = models.DateTimeField()
    statement = models.TextField()
    facts = models.JSONField()
    digest = models.CharField(max_length=64)

    class Meta:
        ordering = ("-at", "-pk")
        indexes = [models.Index(fields=("tool", "-at"), name="attestation_by_tool")]
        triggers = append_only_triggers("An attestation stays as it was given; attest again instead.")

    def __str__(self) -> str:
        return f"{self.tool} attested by {self.by_label} on {localtime(self.at):%-d %b %Y}"
