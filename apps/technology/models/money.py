"""Contracts, what they cost, and the exchange rates that make one sum of several currencies."""

import uuid

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from apps.accounts.models import OwnedModel
from apps.core import clock
from apps.core.governed import GovernedModel, GovernedQuerySet
from apps.core.money import MoneyField
from apps.core.transitions import guarded_columns, written_once
from apps.technology.enums import Basis, CostType, NoticeUnit, Period
from apps.technology.models.triggers import case_before_cost, one_price_at_a_time, one_term_at_a_time

MOST = 100_000_000
_CODE = r"^[A-Z]{3}$"
_STAYS = "What a {} said stays; a change retires it and writes the next, by the buttons on its page."


class Contract(OwnedModel, GovernedModel):
    """One term of an agreement about a tool: from when to when, and until when it can be cancelled."""

    tool = models.ForeignKey("technology.Tool", models.PROTECT, related_name="contracts")
    vendor = models.ForeignKey("technology.Vendor", models.PROTECT, null=True, blank=True, related_name="contracts")
    name = models.CharField(max_length=150, help_text="What the agreement is called, for instance Subscription.")
    reference = models.CharField(max_length=100, blank=True, help_text="The number it has at the vendor, or with us.")
    starts_on = models.DateField("starts on")
    ends_on = models.DateField("ends on", help_text="The last day of the term.")
    auto_renew = models.BooleanField(
        "renews by itself", default=False, help_text="Whether it goes on when nobody cancels in time."
    )
    renewal_months = models.PositiveSmallIntegerField(
        "renews for (months)",
        default=12,
        validators=[MinValueValidator(1), MaxValueValidator(120)],
        help_text="How long the next term is.",
    )
    notice_length = models.PositiveSmallIntegerField(
        "notice period",
        default=90,
        validators=[MaxValueValidator(730)],
        help_text="How long before the end notice must have been given.",
    )
    notice_unit = models.CharField("counted in", max_length=10, choices=NoticeUnit.choices, default=NoticeUnit.DAYS)
    notes = models.TextField(blank=True)

    class Meta(GovernedModel.Meta):
        ordering = ("ends_on", "pk")
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__gte=models.F("starts_on")),
                name="contract_ends_after_start",
                violation_error_message="A contract cannot end before it starts; look at the two dates.",
            ),
        ]
        indexes = [models.Index(fields=("ends_on",), name="contract_by_end")]
        triggers = [*GovernedModel.Meta.triggers, one_term_at_a_time()]

    def __str__(self) -> str:
        return f"{self.name}, {self.starts_on:%-d %b %Y} to {self.ends_on:%-d %b %Y}"

    @property
    def called(self) -> str:
        """What it is called where its tool does not stand beside it; many are named after their tool."""
        tool = str(self.tool)
        return self.name if tool in self.name else f"{tool}, {self.name}"


class CurrentQuerySet(GovernedQuerySet):
    """Rows that are never overwritten: each was known from one moment until another one took its place."""

    def known(self) -> "CurrentQuerySet":
        """What is known now."""
        return self.filter(retired_at__isnull=True)


class CostLine(GovernedModel):
    """What one thing costs from one day to another, as it was known from one moment to another.

    Never overwritten: a new price closes the line and opens the next of its series, a correction retires it. So every
    figure can be told as of any day, and as of any moment at which somebody asked.
    """

    tool = models.ForeignKey("technology.Tool", models.PROTECT, related_name="cost_lines")
    contract = models.ForeignKey(Contract, models.PROTECT, null=True, blank=True, related_name="cost_lines")
    series = models.UUIDField(default=uuid.uuid4, editable=False)
    label = models.CharField(max_length=100, help_text="What is paid for, for instance Professional seats.")
    cost_type = models.CharField("type", max_length=15, choices=CostType.choices, default=CostType.LICENCE)
    basis = models.CharField(max_length=10, choices=Basis.choices, default=Basis.FLAT)
    amount = MoneyField(
        max_digits=14, decimal_places=4, help_text="Before tax; per seat or per unit where that is the basis."
    )
    quantity = models.DecimalField(
        max_digits=14,
        decimal_places=3,
        null=True,
        blank=True,
        help_text="How many seats, or units of use in a period; empty for a flat amount.",
    )
    currency = models.CharField(max_length=3, help_text="Three letters, for instance EUR.")
    period = models.CharField(max_length=10, choices=Period.choices, default=Period.YEAR)
    valid_from = models.DateField("from")
    valid_to = models.DateField("to", null=True, blank=True, help_text="The last day; empty: until further notice.")
    note = models.CharField(max_length=250, blank=True, help_text="Why it costs this, or why the price changed.")
    recorded_at = models.DateTimeField("known since", default=clock.now, editable=False)
    retired_at = models.DateTimeField("known until", null=True, blank=True, editable=False)

    objects = CurrentQuerySet.as_manager()  # type: ignore[misc]  # knows more filters than the one it replaces

    class Meta(GovernedModel.Meta):
        ordering = ("tool", "label", "-valid_from", "-pk")
        constraints = [
            models.CheckConstraint(
                condition=Q(amount__gte=0),
                name="cost_not_negative",
                violation_error_message="A cost cannot be less than nothing; a refund is a note, or a lower price.",
            ),
            models.CheckConstraint(
                condition=Q(amount__lte=MOST) & (Q(quantity__isnull=True) | Q(quantity__lte=MOST)),
                name="cost_not_absurd",
                violation_error_message="More than 100,000,000 is a slip of the keyboard; look at the decimal point.",
            ),
            models.CheckConstraint(
                condition=Q(valid_to__isnull=True) | Q(valid_to__gte=models.F("valid_from")),
                name="cost_ends_after_start",
                violation_error_message="A cost cannot end before it starts; look at the two dates.",
            ),
            models.CheckConstraint(
                condition=~Q(period=Period.ONCE) | Q(valid_to__isnull=True),
                name="cost_once_has_one_day",
                violation_error_message="What is paid once falls due on its first day; leave the last day empty.",
            ),
            models.CheckConstraint(
                condition=Q(basis=Basis.FLAT, quantity__isnull=True) | (~Q(basis=Basis.FLAT) & Q(quantity__gt=0)),
                name="cost_quantity_fits_basis",
                violation_error_message="A price per seat or unit needs how many; a flat amount has no quantity.",
            ),
            models.CheckConstraint(
                condition=Q(currency__regex=_CODE),
                name="cost_currency_is_a_code",
                violation_error_message="A currency is three capital letters, for instance EUR.",
            ),
        ]
        indexes = [
            models.Index(
                fields=("tool", "valid_from"), condition=Q(retired_at__isnull=True), name="cost_known_by_tool"
            ),
            models.Index(fields=("series", "valid_from"), name="cost_by_series"),
        ]
        triggers = [
            *GovernedModel.Meta.triggers,
            *guarded_columns("retired_at", sentence=_STAYS.format("cost")),
            written_once(
                (
                    *("tool_id", "contract_id", "series", "label", "cost_type", "basis", "amount", "quantity"),
                    *("currency", "period", "valid_from", "valid_to", "recorded_at"),
                ),
                _STAYS.format("cost"),
            )[0],
            case_before_cost(),
            one_price_at_a_time(),
        ]

    def __str__(self) -> str:
        return f"{self.label} of {self.tool}"


class ExchangeRate(GovernedModel):
    """What one unit of a currency was worth in another on a day; a correction retires the old row."""

    currency = models.CharField("from", max_length=3, help_text="The currency that is changed, for instance USD.")
    into = models.CharField("into", max_length=3, help_text="The currency it becomes, for instance EUR.")
    on = models.DateField("on")
    rate = models.DecimalField(
        max_digits=18, decimal_places=8, help_text="What one unit of the first currency is worth."
    )
    source = models.CharField(max_length=100, blank=True, help_text="Who said so, for instance ECB.")
    recorded_at = models.DateTimeField("known since", default=clock.now, editable=False)
    retired_at = models.DateTimeField("known until", null=True, blank=True, editable=False)

    objects = CurrentQuerySet.as_manager()  # type: ignore[misc]  # knows more filters than the one it replaces

    class Meta(GovernedModel.Meta):
        ordering = ("-on", "currency", "into", "-pk")
        constraints = [
            models.UniqueConstraint(
                fields=("currency", "into", "on"),
                condition=Q(retired_at__isnull=True),
                name="rate_once_a_day",
                violation_error_message="There is already a rate for this day; correct that one.",
            ),
            models.CheckConstraint(
                condition=Q(rate__gt=0),
                name="rate_positive",
                violation_error_message="An exchange rate is more than nothing.",
            ),
            models.CheckConstraint(
                condition=Q(currency__regex=_CODE) & Q(into__regex=_CODE) & ~Q(currency=models.F("into")),
                name="rate_between_two_currencies",
                violation_error_message="A rate leads from one currency to another; each is three capital letters.",
            ),
        ]
        triggers = [
            *GovernedModel.Meta.triggers,
            *guarded_columns("retired_at", sentence=_STAYS.format("rate")),
            *written_once(("currency", "into", "on", "rate", "source", "recorded_at"), _STAYS.format("rate")),
        ]

    def __str__(self) -> str:
        return f"{self.currency} in {self.into} on {self.on:%-d %b %Y}"
