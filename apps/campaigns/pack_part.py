"""What campaigns tell in the governance pack: how many stand where, what was launched, and what is planned to cost."""

from typing import Any

from django.db.models import Count, F, Sum

from apps.campaigns.enums import CampaignState
from apps.campaigns.models import Campaign
from apps.core.money import money
from apps.core.pack_parts import Line, Part, Span, register_part


def tell_campaigns(span: Span) -> Part:
    """Campaigns by where they stand, what was launched in the quarter and on time, and the budgets of what is live."""
    rows: Any = Campaign.objects.live()
    states = dict(rows.order_by().values_list("state").annotate(Count("pk")))
    lines = [Line(each.label, str(states[each])) for each in CampaignState if each in states]
    launched = rows.filter(span.within("launched_at"))
    on_day = launched.filter(launched_at__date=F("starts_on")).count()
    number = launched.count()
    lines.append(Line("Launched in the quarter", str(number), f"{on_day} of {number} on their first day."))
    late = rows.late_to_launch(span.last).count()
    lines.append(Line("Should have been launched", str(late), "Their first day has passed and they are not live."))
    over = rows.past_their_end(span.last).count()
    lines.append(Line("Live beyond their last day", str(over)))
    live = rows.filter(state=CampaignState.LIVE, budget__isnull=False).order_by("currency")
    for currency, budget, many in live.values_list("currency").annotate(Sum("budget"), Count("pk")):
        lines.append(Line("Budgets of what is live", money(budget, currency), f"{many} with a budget."))
    return Part("campaigns", "Campaigns", ("What", "Number or amount", "Remark"), tuple(lines))


def register() -> None:
    """Make it known."""
    register_part("campaigns", tell_campaigns, position=30)
