"""How a lead stands now, for its page: score, stage, and the questions its buttons ask, in one query."""

import datetime as dt
from dataclasses import dataclass

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, OuterRef, Q, Subquery

from apps.core.asking import remember
from apps.core.rules.models import RuleVersion
from apps.leads.domain.lifecycle import OFFERED
from apps.leads.domain.routing.reassigning import IN_FORCE
from apps.leads.domain.scoring.overriding import OVERRIDDEN
from apps.leads.domain.stages import Stay
from apps.leads.enums import HandoffKind, HandoffState
from apps.leads.models import (
    Consent,
    Handoff,
    Lead,
    LeadScore,
    Opportunity,
    Prediction,
    ScoreOverride,
    ScoreQueue,
    StageInterval,
)
from apps.leads.routing_rules import DOCUMENT


@dataclass(frozen=True)
class Standing:
    """What is known of a lead now.

    Attributes:
        score: with the version that gave it; None where nothing scored the lead.
        prediction: the probability beside the points, if there is one.
        waits: whether its facts changed since it was scored.
        stay: the stage it is in and since when.
        has_deals: whether there are opportunities.
        has_consents: whether it said anything about consent.
    """

    score: LeadScore | None
    prediction: Prediction | None
    waits: bool
    stay: Stay | None
    has_deals: bool
    has_consents: bool


def standing_of(lead: Lead, *, now: dt.datetime) -> Standing:
    """Return how a lead stands at `now`; what its buttons would ask as well is remembered for them."""
    open_stay = StageInterval.objects.filter(lead=OuterRef("pk"), exited_at__isnull=True).order_by("-entered_at")
    by_hand = ScoreOverride.objects.filter(lead=OuterRef("pk"), ended_at__isnull=True, expires_at__gt=now)
    offers = Handoff.objects.filter(lead=OuterRef("pk"), state=HandoffState.OFFERED).order_by()
    row = (
        Lead.objects.filter(pk=lead.pk)
        .select_related("score__version__document", "prediction")
        .annotate(
            waits=Exists(ScoreQueue.objects.filter(pk=OuterRef("pk"))),
            offered=ArraySubquery(offers.values("kind")),
            deals=Exists(Opportunity.objects.filter(lead=OuterRef("pk"))),
            said=Exists(Consent.objects.filter(Q(lead=OuterRef("pk")) | Q(lead__merged_into=OuterRef("pk")))),
            routes=Exists(RuleVersion.objects.active().filter(document__key=DOCUMENT)),
            by_hand=Exists(by_hand),
            since=Subquery(open_stay.values("entered_at")[:1]),
            because=Subquery(open_stay.values("reason")[:1]),
        )
        .get()
    )
    for kind in HandoffKind:
        remember((OFFERED, lead.pk, kind), kind in row.offered)
    remember(IN_FORCE, row.routes)
    if not row.by_hand:
        remember((OVERRIDDEN, lead.pk), None)
    stay = None
    if row.since is not None:
        interval = StageInterval(lead=lead, stage=row.stage, reason=row.because, entered_at=row.since)
        stay = Stay(interval, (now - row.since).days)
    return Standing(getattr(row, "score", None), getattr(row, "prediction", None), row.waits, stay, row.deals, row.said)
