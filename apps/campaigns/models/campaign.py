"""Campaigns: what is planned, for whom, when, for how much, and what counts as success."""

import datetime as dt
from typing import Any

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower, Trim

from apps.accounts.models import OwnedModel
from apps.campaigns.enums import EDITABLE, MOVES, NOT_YET_LIVE, RUNNING, VOIDABLE, CampaignState, Channel
from apps.core import clock
from apps.core.governed import GovernedModel, GovernedQuerySet
from apps.core.money import MoneyField
from apps.core.transitions import guarded_columns, refusal

# What is approved: a change of one of these after the approval voids it.
MATERIAL = (
    *("name", "objective", "audience", "main_channel", "starts_on", "ends_on", "budget", "currency", "success_metrics"),
    *("product", "region"),
)
MONEY_ENTERED = "Money is entered in the currency of this campaign; take it back before you change the currency."
_MATERIAL_DIFFERS = " OR ".join(f'OLD."{name}" IS DISTINCT FROM NEW."{name}"' for name in MATERIAL)
_FREE = "'planning', 'in_creative'"
_VOIDABLE = ", ".join(f"'{state.value}'" for state in VOIDABLE)
_EDGES = ", ".join(f"'{one.value}>{two.value}'" for one, ways in MOVES.items() for two in ways)
_WRITE_CHANGE = """
    INSERT INTO campaigns_statechange (campaign_id, was, state, at, actor_label, reason)
    SELECT NEW.id, {was}, NEW.state, NEW.state_since, ctx ->> 'actor', left(coalesce(ctx ->> 'reason', ''), 500)
    FROM (SELECT coalesce(nullif(current_setting('mops.ctx', true), ''), '{{}}')::jsonb AS ctx) said;
    RETURN NULL;
"""


class CampaignQuerySet(GovernedQuerySet):
    """Filters over campaigns."""

    def late_to_launch(self, today: dt.date) -> "CampaignQuerySet":
        """Campaigns that should have started."""
        return self.filter(archived_at__isnull=True, state__in=NOT_YET_LIVE, starts_on__lt=today)

    def past_their_end(self, today: dt.date) -> "CampaignQuerySet":
        """Campaigns that are live beyond their last day."""
        return self.filter(archived_at__isnull=True, state__in=RUNNING, ends_on__lt=today)

    def without_owner(self) -> "CampaignQuerySet":
        """Campaigns that nobody answers for."""
        return self.filter(archived_at__isnull=True, owner_person__isnull=True, owner_team__isnull=True)


class Campaign(OwnedModel, GovernedModel):
    """One campaign, from its plan to its closure."""

    name = models.CharField(max_length=150, unique=True)
    objective = models.TextField(blank=True, help_text="What it is to achieve, and for which business goal.")
    audience = models.TextField(blank=True, help_text="Whom it addresses: segments, regions, exclusions.")
    main_channel = models.CharField(max_length=20, choices=Channel.choices, default=Channel.EMAIL)
    product = models.CharField(max_length=100, blank=True, help_text="What it is about.")
    region = models.CharField(max_length=100, blank=True, help_text="Where it runs, for instance DACH.")
    starts_on = models.DateField("starts", null=True, blank=True)
    ends_on = models.DateField("ends", null=True, blank=True, help_text="The last day.")
    budget = MoneyField(
        max_digits=12,
        decimal_places=2,
        null=True,
        blank=True,
        help_text="All costs together; 0 where there are none.",
    )
    currency = models.CharField(max_length=3, default="EUR", help_text="Three letters, for instance EUR.")
    success_metrics = models.TextField(
        blank=True, help_text="How it will be judged, with figures: 300 MQL, cost per lead below 40 EUR."
    )
    state = models.CharField(
        max_length=15, choices=CampaignState.choices, default=CampaignState.PLANNING, editable=False
    )
    state_since = models.DateTimeField("in this state since", default=clock.now, editable=False)
    launch_at = models.DateTimeField(
        "goes live", null=True, blank=True, editable=False, help_text="The moment it launches by itself."
    )
    scheduled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, editable=False, related_name="+"
    )
    launched_at = models.DateTimeField("launched", null=True, blank=True, editable=False)
    ended_at = models.DateTimeField("ended", null=True, blank=True, editable=False)
    results = models.TextField(blank=True, editable=False, help_text="What came out, against the success metrics.")

    objects = CampaignQuerySet.as_manager()  # type: ignore[misc]  # knows more filters than the one it replaces

    class Meta(GovernedModel.Meta):
        ordering = ("-starts_on", "name")
        constraints = [
            models.CheckConstraint(
                condition=Q(starts_on__isnull=True) | Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
                name="campaign_ends_after_start",
                violation_error_message="A campaign cannot end before it starts; look at the two dates.",
            ),
            models.CheckConstraint(
                condition=Q(budget__isnull=True) | Q(budget__gte=0),
                name="campaign_budget_not_negative",
                violation_error_message="A budget cannot be less than nothing.",
            ),
            models.CheckConstraint(
                condition=Q(currency__regex=r"^[A-Z]{3}$"),
                name="campaign_currency_is_a_code",
                violation_error_message="A currency is three capital letters, for instance EUR.",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=RUNNING) | Q(launched_at__isnull=False), name="campaign_live_since"
            ),
            models.CheckConstraint(
                condition=Q(state=CampaignState.SCHEDULED, launch_at__isnull=False, scheduled_by__isnull=False)
                | (~Q(state=CampaignState.SCHEDULED) & Q(launch_at__isnull=True)),
                name="campaign_scheduled_when",
                violation_error_message="A scheduled campaign has its moment and who chose it; others have none.",
            ),
            models.CheckConstraint(
                condition=~Q(state=CampaignState.CLOSED) | ~Q(results=""), name="campaign_closed_with_results"
            ),
        ]
        indexes = [
            models.Index(fields=("state", "starts_on"), name="campaign_by_state"),
            models.Index(fields=("-starts_on", "name"), name="campaign_by_start"),
            models.Index(fields=("ends_on",), name="campaign_by_end"),
            models.Index(fields=("launch_at",), condition=Q(state=CampaignState.SCHEDULED), name="campaign_to_launch"),
            # how a role limited to a territory asks (apps/core/territorial.py), in the order of the list
            models.Index(Lower(Trim("region")), F("starts_on").desc(), "name", name="campaign_by_territory"),
        ]
        triggers = [
            *GovernedModel.Meta.triggers,
            *guarded_columns(
                *("state", "state_since", "launch_at", "scheduled_by_id", "launched_at", "ended_at", "results"),
                starts={"state": CampaignState.PLANNING.value},
                sentence="A campaign moves by the buttons on its page, not by an edit.",
            ),
            pgtrigger.Trigger(
                name="plan_as_approved",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(f"OLD.state NOT IN ({_FREE}) AND ({_MATERIAL_DIFFERS})"),
                func=f"""
                    IF OLD.state IN ({_VOIDABLE}) THEN
                        NEW.state := 'planning'; NEW.state_since := clock_timestamp(); NEW.launch_at := NULL;
                        NEW.scheduled_by_id := NULL;
                        RETURN NEW;
                    END IF;
                    {refusal("The plan is fixed from the moment it is sent for approval; withdraw it to change it.")}
                """,
            ),
            pgtrigger.Trigger(
                name="currency_of_its_money",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition("OLD.currency IS DISTINCT FROM NEW.currency"),
                func=f"""
                    IF EXISTS (SELECT FROM campaigns_budgetentry
                               WHERE campaign_id = OLD.id AND retired_at IS NULL AND archived_at IS NULL) THEN
                        {refusal(MONEY_ENTERED)}
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="only_these_moves",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    f"OLD.state IS DISTINCT FROM NEW.state AND OLD.state || '>' || NEW.state NOT IN ({_EDGES})"
                ),
                func=refusal(
                    "A campaign does not go from the one state to the other; its page shows the ways there are."
                ),
            ),
            pgtrigger.Trigger(
                name="state_changes_stay",
                when=pgtrigger.After,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition("OLD.state IS DISTINCT FROM NEW.state"),
                func=_WRITE_CHANGE.format(was="OLD.state"),
            ),
            pgtrigger.Trigger(
                name="state_begins",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                func=_WRITE_CHANGE.format(was="''"),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def live_parts(self, name: str) -> list[Any]:
        """Return the rows of one kind that hang on it and are not archived, read once where they were prefetched."""
        return [each for each in getattr(self, name).all() if each.archived_at is None]

    @property
    def is_editable(self) -> bool:
        """Whether its plan can be changed: while it is planned, and (voiding the approval) until it is launched."""
        return self.state in EDITABLE
