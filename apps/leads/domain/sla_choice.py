"""Which SLA holds for a lead: that of its territory, else the one for all others; asked in SQL, for many at once.

Of several, those with a condition are asked first, in their order; the first whose condition holds decides.
"""

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Case, IntegerField, Q, Value, When

from apps.core import clock
from apps.core.rules.catalog import catalog_of
from apps.core.rules.domain.applying import asked_of_row, is_narrowed, problem_of, tell_unreadable, tree_of
from apps.core.rules.domain.compiling import compile_q
from apps.leads.enums import SlaState
from apps.leads.models import Lead, LeadSla

if TYPE_CHECKING:
    from apps.accounts.models import User


def slas_in_force() -> list[LeadSla]:
    """Return the SLAs in force in the order they are asked: own territories first, conditions before the rest."""
    rows = LeadSla.objects.filter(state=SlaState.SIGNED, archived_at__isnull=True)
    found = rows.select_related("calendar", "sales_signatory", "owner_person", "owner_team")
    return sorted(found, key=_order)


def _order(sla: LeadSla) -> tuple[bool, str, bool, int, int]:
    return not sla.territory, sla.territory, not is_narrowed(sla.applies_to), sla.precedence, sla.pk


def under_sla(leads: "models.QuerySet[Any]", slas: Sequence[LeadSla], *, at: dt.datetime) -> "models.QuerySet[Any]":
    """Return those of `leads` that an SLA holds for, each with its key as `sla`.

    Args:
        leads: to be asked about.
        slas: as `slas_in_force` returns them.
        at: the moment relative dates count from.
    """
    cases = [When(condition, then=Value(sla.pk)) for sla, condition in _conditions(slas, at)]
    nothing = Value(None, output_field=IntegerField())
    chosen = Case(*cases, default=nothing, output_field=IntegerField()) if cases else nothing
    held: models.QuerySet[Any] = leads.annotate(sla=chosen).filter(sla__isnull=False)
    return held


def _conditions(slas: Sequence[LeadSla], at: dt.datetime) -> "list[tuple[LeadSla, Q]]":
    """Return each SLA with its condition; one whose condition can no longer be read holds for nobody."""
    catalog = catalog_of(Lead) if any(is_narrowed(each.applies_to) for each in slas) else None
    found = []
    for sla in slas:
        condition = Q(territory=sla.territory) if sla.territory else Q(pk__isnull=False)
        if catalog is not None and is_narrowed(sla.applies_to):
            tree, _ = tree_of(sla.applies_to, catalog)
            if tree is None:
                continue
            condition &= compile_q(tree, catalog, as_of=at)
        found.append((sla, condition))
    return found


def tell_unreadable_slas(slas: Sequence[LeadSla]) -> None:
    """Alert whoever answers for SLAs whose condition asks about what is no longer there."""
    for sla in slas:
        if wrong := problem_of(sla.applies_to, Lead):
            tell_unreadable(sla, wrong, of="lead")


def sla_of(lead: Lead, *, at: dt.datetime | None = None) -> LeadSla | None:
    """Return the SLA in force that holds for a lead, as the lead is now."""
    slas = slas_in_force()
    if not any(is_narrowed(each.applies_to) for each in slas):
        return next((each for each in slas if each.territory in (lead.territory, "")), None)
    row = under_sla(Lead.objects.filter(pk=lead.pk), slas, at=at or clock.now()).values_list("sla", flat=True).first()
    return next((each for each in slas if each.pk == row), None)


def why_under(lead: Lead, reader: "User") -> str:
    """Return which SLA holds for a lead and why, for `reader`; a sentence where none does."""
    sla = sla_of(lead)
    if sla is None:
        return "No SLA in force holds for this lead as it is now."
    side = f"the lead belongs to {sla.territory}" if sla.territory else "it is for all that have no SLA of their own"
    said = f"{sla} applies because {side}"
    if not is_narrowed(sla.applies_to):
        return f"{said}."
    answer = asked_of_row(sla.applies_to, lead, at=clock.now(), reader=reader)
    because = answer.why.replace(" ✓", "")  # all of it holds
    return f"{said}, and its condition holds: {because}."
