"""The money of a campaign: planned, committed and actual by channel and month, and proposals to move some of it."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from apps.campaigns.enums import Channel, Money, ShiftState
from apps.campaigns.models.campaign import Campaign
from apps.core import clock
from apps.core.governed import GovernedModel, GovernedQuerySet
from apps.core.money import MoneyField, money
from apps.core.transitions import guarded_columns, written_once

MOST = 100_000_000
STAYS = "What stands in the budget stays; a mistake is taken back by the button on its page and entered anew."


class BudgetEntryQuerySet(GovernedQuerySet):
    """Entries of budgets."""

    def counting(self) -> "BudgetEntryQuerySet":
        """Those that were not taken back."""
        return self.filter(retired_at__isnull=True)


class BudgetEntry(GovernedModel):
    """One amount: never overwritten; what was wrong is taken back and entered anew."""

    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="budget_entries")
    kind = models.CharField(max_length=10, choices=Money.choices)
    spent_on = models.CharField("channel", max_length=20, choices=Channel.choices)
    month = models.DateField(help_text="The first day of the month.")
    amount = MoneyField(max_digits=14, decimal_places=4, help_text="Before tax.")
    currency = models.CharField(max_length=3, help_text="That of the campaign.")
    reference = models.CharField(
        max_length=100,
        blank=True,
        help_text="Number of the order or invoice; an invoice with that of an order pays it.",
    )
    note = models.CharField(max_length=250, blank=True)
    shift = models.ForeignKey(
        "BudgetShift", models.PROTECT, null=True, blank=True, editable=False, related_name="entries"
    )
    recorded_at = models.DateTimeField(default=clock.now, editable=False)
    retired_at = models.DateTimeField("taken back", null=True, blank=True, editable=False)

    objects = BudgetEntryQuerySet.as_manager()  # type: ignore[misc]  # knows more filters than the one it replaces

    class Meta(GovernedModel.Meta):
        ordering = ("campaign", "month", "spent_on", "kind", "pk")
        verbose_name_plural = "budget entries"
        constraints = [
            models.CheckConstraint(
                condition=Q(amount__gt=0)
                | Q(kind=Money.ACTUAL, amount__lt=0)
                | (Q(shift__isnull=False) & ~Q(amount=0)),
                name="budget_entry_amount",
                violation_error_message="An amount is more than nothing; only an actual one may be a credit.",
            ),
            models.CheckConstraint(
                condition=Q(amount__gte=-MOST, amount__lte=MOST),
                name="budget_entry_not_absurd",
                violation_error_message="More than 100,000,000 is a slip of the keyboard; look at the decimal point.",
            ),
            models.CheckConstraint(
                condition=Q(month__day=1),
                name="budget_entry_month",
                violation_error_message="A month is told by its first day.",
            ),
            models.CheckConstraint(
                condition=~Q(kind=Money.COMMITTED) | ~Q(reference=""),
                name="budget_entry_order",
                violation_error_message="What is committed has the number of its order.",
            ),
            models.UniqueConstraint(
                fields=("campaign", "kind", "spent_on", "month", "reference"),
                condition=Q(retired_at__isnull=True) & ~Q(reference=""),
                name="budget_entry_once",
                violation_error_message="This order or invoice is entered already for this channel and month.",
            ),
        ]
        indexes = [models.Index(fields=("campaign", "month"), name="budget_by_month")]
        triggers = [
            *GovernedModel.Meta.triggers,
            *guarded_columns("retired_at", sentence=STAYS),
            *written_once(
                (
                    *("campaign_id", "kind", "spent_on", "month", "amount", "currency", "reference", "shift_id"),
                    "recorded_at",
                ),
                STAYS,
            ),
            pgtrigger.Trigger(
                name="one_currency",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                declare=[("counted", "text")],
                func="""
                    SELECT currency INTO counted FROM campaigns_campaign WHERE id = NEW.campaign_id;
                    IF counted <> NEW.currency THEN
                        RAISE EXCEPTION USING ERRCODE = 'P0001', MESSAGE = 'This campaign is counted in ' || counted
                            || '; an amount in ' || NEW.currency || ' is converted before it is entered.';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {money(self.amount, self.currency)}, {self.month:%B %Y}"


class BudgetShift(GovernedModel):
    """A proposal to move planned money from one channel and month to another; it counts once approved."""

    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="budget_shifts")
    amount = MoneyField(currency="campaign__currency", max_digits=14, decimal_places=4)
    from_channel = models.CharField("from channel", max_length=20, choices=Channel.choices)
    from_month = models.DateField("from month", help_text="The first day of the month.")
    to_channel = models.CharField("to channel", max_length=20, choices=Channel.choices)
    to_month = models.DateField("to month", help_text="The first day of the month.")
    reason = models.TextField(help_text="Why it does more there.")
    evidence = models.TextField(help_text="The figures that show it, and where they come from.")
    requester = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, editable=False, related_name="+"
    )
    state = models.CharField(max_length=15, choices=ShiftState.choices, default=ShiftState.DRAFT, editable=False)

    class Meta(GovernedModel.Meta):
        ordering = ("-pk",)
        verbose_name = "budget shift"
        constraints = [
            models.CheckConstraint(
                condition=Q(amount__gt=0, amount__lte=MOST),
                name="budget_shift_amount",
                violation_error_message="What is moved is more than nothing.",
            ),
            models.CheckConstraint(
                condition=Q(from_month__day=1, to_month__day=1),
                name="budget_shift_months",
                violation_error_message="A month is told by its first day.",
            ),
            models.CheckConstraint(
                condition=~Q(from_channel=F("to_channel")) | ~Q(from_month=F("to_month")),
                name="budget_shift_moves",
                violation_error_message="From and to are the same; nothing would move.",
            ),
        ]
        triggers = [
            *GovernedModel.Meta.triggers,
            *guarded_columns(
                *("state", "requester_id"),
                starts={"state": ShiftState.DRAFT.value},
                sentence="A proposal moves by the buttons on its page.",
            ),
        ]

    def __str__(self) -> str:
        return (
            f"{money(self.amount, self.campaign.currency)} from {self.get_from_channel_display()} "
            f"{self.from_month:%b %Y} to {self.get_to_channel_display()} {self.to_month:%b %Y}"
        )

    @property
    def is_editable(self) -> bool:
        """Whether it can still be worked on."""
        return self.state in (ShiftState.DRAFT, ShiftState.REFUSED)
