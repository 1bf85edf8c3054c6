"""What files bring in about the stages leads went through before mops knew them: one stage of one lead a row."""

from collections.abc import Sequence
from typing import Any, ClassVar

from apps.core import access, clock
from apps.core.exchange import values
from apps.core.exchange.registry import Column, Importer, Outcome, Row, register_importer
from apps.leads.domain.past import Told, first_stretches, known_stretches, refusal_of, tell_past
from apps.leads.domain.rows import fitting
from apps.leads.enums import Stage
from apps.leads.imports import FROM_FILES
from apps.leads.models import Lead


@register_importer
class PastStageImporter(Importer):
    """Stages of the past, by the number of the lead in the system that tells them."""

    key = "leads.past_stages"
    title = "Stages of the past"
    model = Lead
    natural_key: ClassVar[tuple[str, ...]] = ("external_id", "stage", "since")
    ignore_case = False
    batch_size = 5_000
    help = (
        "When leads came into their stages before they were kept here, as your CRM recorded it: one stage of one lead "
        "a row, the rows of a lead together. Each lasts until the next one. What is recorded here stays as it is, and "
        "so does the stage of the lead; how long leads stay, what became of a month, and the predictive score count it."
    )
    columns = (
        Column(
            "external_id",
            "Lead number",
            required=True,
            aliases=("lead_id", "number", "id"),
            parse=fitting(60),
            example="660737",
        ),
        Column("record_source", "System", aliases=("crm",), parse=fitting(40), empty=FROM_FILES),
        Column("stage", "Stage", required=True, parse=values.choice(Stage), example="Sales qualified (SQL)"),
        Column("since", "Since", required=True, aliases=("date", "entered"), parse=values.moment, example="2026-03-31"),
        Column("reason", "Why", aliases=("reason",), parse=fitting(500), empty=""),
    )

    def key_of(self, row: Row) -> str:
        """Return system and number, which name the lead, with stage and moment."""
        given = {"record_source": FROM_FILES, **row.values}
        return " · ".join(str(given[name]) for name in ("record_source", *self.natural_key))

    def apply(self, rows: Sequence[Row], *, by: Any) -> Sequence[Outcome]:
        """Refuse what cannot be, tell the rest together, and say what was known."""
        numbers = {row.values["external_id"] for row in rows}
        seen = access.visible(by, Lead, verb="change").filter(external_id__in=numbers, archived_at=None)
        leads = {
            (system, number): key for system, number, key in seen.values_list("record_source", "external_id", "pk")
        }
        firsts, known = first_stretches(leads.values()), known_stretches(leads.values())
        told: dict[int, Told] = {}
        outcomes = [self._one(row, leads, firsts, known, told) for row in rows]
        tell_past(list(told.values()), by=by)
        return outcomes

    def _one(self, row: Row, leads: Any, firsts: Any, known: Any, told: dict[int, Told]) -> Outcome:
        """Return what becomes of a row; what is to be told is put into `told`."""
        given = {"record_source": FROM_FILES, **row.values}
        lead = leads.get((given["record_source"], given["external_id"]))
        if lead is None:
            number = values.quoted(given["external_id"])
            return Outcome.refused(row, f"There is no lead {number} of this system that you may change.")
        if (lead, given["stage"], given["since"]) in known:
            return Outcome.unchanged(row, object_id=lead)
        each = Told(lead, given["stage"], given["since"], given.get("reason") or "")
        if refused := refusal_of(each, firsts[lead], now=clock.now()):
            return Outcome.refused(row, refused, object_id=lead)
        told[row.line] = each
        label = f"{Stage(each.stage).label} since {each.since:%-d %b %Y}"
        return Outcome.created(row, object_id=lead, changes={"Stage": ("", label)})
