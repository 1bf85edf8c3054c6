"""The case for a tool: a request with its three-year cost, or a waiver that a second person confirmed."""

from typing import Any

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q

from apps.core.governed import GovernedModel, GovernedQuerySet
from apps.core.money import MoneyField
from apps.core.transitions import guarded_columns
from apps.technology.enums import CaseState, CostType, WaiverKind

YEARS = (1, 2, 3)
TCO_FIELDS = tuple(f"{kind.value}_{year}" for kind in CostType for year in YEARS)
_BY_BUTTON = "This moves on by the buttons on its page and by a decision, not by an edit."


def tco_field(kind: CostType, year: int) -> MoneyField:
    """Return the column for what one type of cost comes to in one of the three years; empty: not stated."""
    return MoneyField(
        f"{kind.label.lower()}, year {year}",
        max_digits=12,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0, "A cost cannot be less than nothing.")],
    )


class ThreeYears(models.Model):
    """What a tool must exchange with, and what three years of it cost in total."""

    integration_assessment = models.TextField(
        blank=True, help_text="What it must exchange with, how, who builds and runs that, and the risks. Markdown."
    )
    currency = models.CharField(max_length=3, default="EUR", help_text="Of the figures below. Three letters.")
    licence_1, licence_2, licence_3 = (tco_field(CostType.LICENCE, year) for year in YEARS)
    implementation_1, implementation_2, implementation_3 = (tco_field(CostType.IMPLEMENTATION, year) for year in YEARS)
    people_1, people_2, people_3 = (tco_field(CostType.PEOPLE, year) for year in YEARS)
    exit_1, exit_2, exit_3 = (tco_field(CostType.EXIT, year) for year in YEARS)

    class Meta:
        abstract = True


class ToolRequest(ThreeYears, GovernedModel):
    """Why a tool is to be bought: business case, integration assessment and what three years cost in total."""

    tool = models.ForeignKey("technology.Tool", models.PROTECT, related_name="requests")
    evaluation = models.OneToOneField(
        "technology.Evaluation",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="request",
        editable=False,
        help_text="The comparison that this request rests on.",
    )
    title = models.CharField(max_length=150, help_text="What is asked for, in a line.")
    requester = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False, null=True, verbose_name="asked by"
    )
    business_case = models.TextField(blank=True, help_text="The need, what it brings, what happens without. Markdown.")
    state = models.CharField(max_length=15, choices=CaseState.choices, default=CaseState.DRAFT, editable=False)
    decided_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta(GovernedModel.Meta):
        ordering = ("-pk",)
        constraints = [
            models.UniqueConstraint(
                fields=("tool",),
                condition=Q(state__in=(CaseState.DRAFT, CaseState.IN_APPROVAL), archived_at__isnull=True),
                name="request_one_open_per_tool",
                violation_error_message="There is an open request for this tool; work on that one.",
            ),
            models.CheckConstraint(
                condition=Q(currency__regex=r"^[A-Z]{3}$"),
                name="request_currency_is_a_code",
                violation_error_message="A currency is three capital letters, for instance EUR.",
            ),
        ]
        triggers = [
            *GovernedModel.Meta.triggers,
            *guarded_columns("state", "decided_at", starts={"state": CaseState.DRAFT.value}, sentence=_BY_BUTTON),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_editable(self) -> bool:
        """Whether it can still be worked on."""
        return self.state in (CaseState.DRAFT, CaseState.REFUSED)


class WaiverQuerySet(GovernedQuerySet):
    """Waivers by whether they count."""

    def in_force(self, today: Any) -> "WaiverQuerySet":
        """Waivers that stand on `today`."""
        return self.filter(state=CaseState.APPROVED, expires_on__gte=today)


class Waiver(GovernedModel):
    """Leave to use and pay a tool without an approved request: why, until when, confirmed by a second person."""

    tool = models.ForeignKey("technology.Tool", models.PROTECT, related_name="waivers")
    kind = models.CharField(max_length=10, choices=WaiverKind.choices, default=WaiverKind.EXCEPTION, editable=False)
    reason = models.TextField(help_text="Why it cannot wait for a request, or needs none.")
    expires_on = models.DateField("ends on", help_text="The last day it counts; by then a request must be approved.")
    requester = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False, null=True, verbose_name="asked by"
    )
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False, null=True, blank=True
    )
    confirmed_at = models.DateTimeField(null=True, blank=True, editable=False)
    state = models.CharField(max_length=15, choices=CaseState.choices, default=CaseState.DRAFT, editable=False)

    objects = WaiverQuerySet.as_manager()  # type: ignore[misc]  # knows more filters than the one it replaces

    class Meta(GovernedModel.Meta):
        ordering = ("-pk",)
        indexes = [models.Index(fields=("tool", "state", "expires_on"), name="waiver_by_tool")]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state=CaseState.APPROVED) | Q(confirmed_by__isnull=False) | Q(kind=WaiverKind.INVENTORY),
                name="waiver_has_a_second_person",
                violation_error_message="A waiver counts only once a second person has confirmed it.",
            ),
            models.CheckConstraint(
                condition=Q(confirmed_by__isnull=True) | ~Q(confirmed_by=models.F("requester")),
                name="waiver_not_confirmed_by_who_asked",
                violation_error_message="Who asks for a waiver cannot confirm it; a second person must.",
            ),
        ]
        triggers = [
            *GovernedModel.Meta.triggers,
            *guarded_columns(
                *("state", "confirmed_by_id", "confirmed_at", "kind"),
                starts={"state": CaseState.DRAFT.value, "kind": WaiverKind.EXCEPTION.value},
                sentence=_BY_BUTTON,
            ),
        ]

    def __str__(self) -> str:
        return f"Waiver for {self.tool} until {self.expires_on:%-d %b %Y}"

    @property
    def is_editable(self) -> bool:
        """Whether it can still be worked on."""
        return self.state in (CaseState.DRAFT, CaseState.REFUSED)
