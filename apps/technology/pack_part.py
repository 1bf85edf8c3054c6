"""What technology tells in the governance pack: what the stack costs, which tools cost most, and where they stand."""

import datetime as dt

from django.db.models import Count

from apps.core.money import money
from apps.core.pack_parts import Line, Part, Span, register_part
from apps.technology.domain.stack import AsOf, stack_cost
from apps.technology.enums import Lifecycle
from apps.technology.models import Tool

COSTLIEST = 10


def tell_cost(span: Span) -> Part:
    """What the tools cost in a year at the prices of the last day, the costliest first, and how many there are."""
    cost = stack_cost(AsOf.of(min(span.last, span.now.date()), known=span.now))
    before = stack_cost(AsOf.of(span.first - dt.timedelta(days=1), known=span.now))
    currency = cost.as_of.into
    change = cost.total - before.total
    sign = "+" if change > 0 else ""
    counted = (
        f"{len(cost.tools)} tools with a cost; {sign}{money(change, currency)} against the day before the quarter."
    )
    lines = [Line("The stack, a year", money(cost.total, currency), " ".join([counted, *cost.problems()]))]
    costliest = sorted(cost.tools.items(), key=lambda each: (-each[1], each[0]))[:COSTLIEST]
    names = Tool.objects.in_bulk([key for key, _ in costliest])
    for key, yearly in costliest:
        share = f"{100 * yearly / cost.total:.0f} % of the stack" if cost.total else ""
        lines.append(Line(f"  {names[key]}", money(yearly, currency), share))
    states = dict(Tool.objects.live().order_by().values_list("lifecycle").annotate(Count("pk")))
    lines += [Line(f"Tools: {each.label.lower()}", str(states[each])) for each in Lifecycle if each in states]
    return Part("cost", "Cost of technology", ("What", "A year, or number", "Remark"), tuple(lines))


def register() -> None:
    """Make it known."""
    register_part("cost", tell_cost, position=20)
