"""What files bring of use: when seats were last active, and how much tools are used."""

from collections.abc import Sequence
from typing import Any

from apps.core.actors import acting_as, current_actor
from apps.core.errors import InvalidInput
from apps.core.exchange import values
from apps.core.exchange.registry import Column, Importer, Outcome, Row, register_importer
from apps.technology.domain.seats import assign_seat, record_activity
from apps.technology.enums import UseMetric
from apps.technology.models import Licence, Seat, UtilisationSample
from apps.technology.money_imports import row_by_row, tool_of, tools_named


@register_importer
class SeatImporter(Importer):
    """Seats and when they were last active."""

    key = "technology.seats"
    title = "Seats and their activity"
    model = Seat
    natural_key = ("tool", "licence", "holder")
    help = (
        "The list of users a tool gives out, with the day each was last active. A seat that is new to mops is "
        "assigned; an earlier day than the one known changes nothing. Leave Licence empty where the tool has only one."
    )
    columns = (
        Column("tool", "Tool", aliases=("application", "product"), parse=values.one_line, required=True),
        Column("licence", "Licence", aliases=("license", "plan"), parse=values.one_line, empty=""),
        Column("holder", "User", aliases=("email", "e-mail", "holder"), parse=values.one_line, required=True),
        Column(
            "last_active_on",
            "Last active",
            aliases=("last seen", "last login", "last active on"),
            parse=values.unless(values.date, "never", "-", "n/a"),
            example="2026-10-31",
        ),
        Column("assigned_on", "Assigned on", aliases=("created", "invited on"), parse=values.date),
        Column("source", "Source", parse=values.one_line, empty="", example="Admin console"),
    )

    def required_columns(self) -> tuple[Column, ...]:
        """The licence may be missing: many tools have only one."""
        return tuple(column for column in super().required_columns() if column.name != "licence")

    def apply(self, rows: Sequence[Row], *, by: Any) -> Sequence[Outcome]:
        """Assign the seats that are new, and note when the others were last active."""
        tools = tools_named(rows)
        licences: dict[int, list[Licence]] = {}
        for licence in Licence.objects.live().filter(tool__in=tools.values()).select_related("tool"):
            licences.setdefault(licence.tool_id, []).append(licence)
        stored = Seat.objects.taken().filter(licence__tool__in=tools.values())
        known = {(seat.licence_id, seat.holder.casefold()): seat for seat in stored}

        def carry(row: Row) -> Outcome:
            given, tool = row.values, tool_of(row, tools)
            licence = _licence(str(tool), given.get("licence") or "", licences.get(tool.pk, []))
            seat, active = known.get((licence.pk, given["holder"].casefold())), given.get("last_active_on")
            if seat is None:
                more = {"assigned_on": given.get("assigned_on"), "last_active_on": active}
                made = assign_seat(licence, holder=given["holder"], by=by, **more)
                return Outcome.created(row, object_id=made.pk)
            before = values.shown(seat.last_active_on)
            if active is None or not record_activity(seat, active, source=given.get("source") or "", by=by):
                return Outcome.unchanged(row, object_id=seat.pk)
            return Outcome.updated(row, object_id=seat.pk, changes={"Last active": (before, values.shown(active))})

        return row_by_row(rows, carry)


def _licence(tool: str, name: str, there: list[Licence]) -> Licence:
    if not there:
        raise InvalidInput(f"{tool} has no licence yet; add it under Contracts and costs, Licences.")
    named = [each for each in there if each.name.casefold() == name.casefold()] if name else there
    if len(named) == 1:
        return named[0]
    names = ", ".join(each.name for each in there)
    if not name:
        raise InvalidInput(f"{tool} has {len(there)} licences; say which one is meant: {names}.")
    raise InvalidInput(f"{tool} has no licence called {values.quoted(name)}; it has {names}.")


@register_importer
class SampleImporter(Importer):
    """Measurements of how much tools are used."""

    key = "technology.samples"
    title = "Utilisation samples"
    model = UtilisationSample
    natural_key = ("tool", "metric", "period_to", "source")
    help = (
        "One measurement a row: how much was used of what there is, in a period, who says so. Measurements are never "
        "changed; one that differs from a known one is kept beside it, and the newest counts."
    )
    columns = (
        Column("tool", "Tool", parse=values.one_line, required=True),
        Column("metric", "Metric", parse=values.choice(UseMetric), empty=UseMetric.ACTIVE_USERS),
        Column("numerator", "Used", aliases=("active", "active users"), parse=values.decimal_number, required=True),
        Column("denominator", "Of", aliases=("total", "licensed"), parse=values.decimal_number, required=True),
        Column("period_from", "From", parse=values.date, required=True, example="2026-10-01"),
        Column("period_to", "To", parse=values.date, required=True, example="2026-10-31"),
        Column("source", "Source", parse=values.one_line, required=True, example="Admin console"),
        Column("method", "Method", parse=values.one_line, empty="", example="Signed in at least once"),
    )

    def required_columns(self) -> tuple[Column, ...]:
        """Without a metric, active users are meant."""
        return tuple(column for column in super().required_columns() if column.name != "metric")

    def apply(self, rows: Sequence[Row], *, by: Any) -> Sequence[Outcome]:
        """Add the measurements that are new."""
        tools = tools_named(rows)
        days = {row.values["period_to"] for row in rows}
        fields = ("tool_id", "metric", "period_from", "period_to", "source", "numerator", "denominator")
        known = set(UtilisationSample.objects.filter(tool__in=tools.values(), period_to__in=days).values_list(*fields))

        def carry(row: Row) -> Outcome:
            tool, given = tool_of(row, tools), {k: v for k, v in row.values.items() if k != "tool"}
            given.setdefault("metric", UseMetric.ACTIVE_USERS)
            if tuple({**given, "tool_id": tool.pk}[name] for name in fields) in known:
                return Outcome.unchanged(row)
            if refused := refuse_sample(given):
                raise InvalidInput(refused)
            with acting_as(by):
                made = UtilisationSample.objects.create(tool=tool, recorded_by=current_actor().label, **given)
            return Outcome.created(row, object_id=made.pk)

        return row_by_row(rows, carry)


def refuse_sample(given: dict[str, Any]) -> str | None:
    """Return what is wrong with a measurement, None when it can be kept."""
    if given["period_to"] < given["period_from"]:
        return "A period cannot end before it starts; look at the two dates."
    if given["numerator"] < 0 or given["denominator"] <= 0:
        return "Used is nothing or more, of something that is more than nothing."
    if given["numerator"] > 10 * given["denominator"]:
        return "More than ten times of what there is: are the two figures swapped?"
    return None
