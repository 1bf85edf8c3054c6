"""What files bring in about subscriptions and usage: one company and day a row."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, ClassVar

from apps.core import access
from apps.core.errors import InvalidInput
from apps.core.exchange import values
from apps.core.exchange.registry import Column, Importer, Outcome, Row, register_importer
from apps.leads.domain.rows import count_of, fitting
from apps.leads.domain.usage import LATEST, OLDEST, day_that_can_be
from apps.leads.enums import SubscriptionStatus
from apps.leads.models import Company, CompanySnapshot

MOST = 10**10  # what the column holds before the point


def _amount(cell: str) -> Decimal:
    amount = values.decimal_number(cell)
    if not 0 <= amount < MOST or amount != round(amount, 2):
        raise InvalidInput(f"{values.quoted(cell)} is no amount that can be: 0 or more, with two decimals at most.")
    return amount


def _renewal(cell: str) -> dt.date:
    day = values.date(cell)
    if not OLDEST <= day <= LATEST:
        raise InvalidInput(f"{day.isoformat()} is no day to renew on; it lies between {OLDEST.year} and {LATEST.year}.")
    return day


@register_importer
class SnapshotImporter(Importer):
    """Subscriptions and usage, by company, source and day."""

    key = "leads.snapshots"
    title = "Subscriptions and usage"
    model = CompanySnapshot
    natural_key: ClassVar[tuple[str, ...]] = ("domain", "source", "taken_on")
    help = (
        "An export of billing or of the product: one company and day a row, told apart by the domain of the company. "
        "The same day again changes that row; another day is a row of its own."
    )
    columns = (
        Column("domain", "Domain of the company", required=True, aliases=("domain",), example="example.com"),
        Column("source", "System", required=True, parse=fitting(40), example="billing"),
        Column(
            "taken_on",
            "As of",
            required=True,
            aliases=("date", "day"),
            parse=lambda cell: day_that_can_be(values.date(cell)),
            example="2026-03-31",
        ),
        Column("plan", "Plan", parse=fitting(80), empty=""),
        Column(
            "status",
            "Subscription",
            aliases=("status",),
            parse=values.choice(SubscriptionStatus),
            empty="",
            example="Active",
        ),
        Column("seats", "Seats", parse=count_of),
        Column("active_users", "Active users", parse=count_of),
        Column("actions", "Actions", aliases=("events",), parse=count_of),
        Column("monthly_value", "Value a month", aliases=("mrr",), parse=_amount, example="1200.00"),
        Column("renews_on", "Renews", parse=_renewal, example="2027-03-31"),
    )

    def apply(self, rows: Sequence[Row], *, by: Any) -> Sequence[Outcome]:
        """Write each row that says something new; who is no company of ours is refused."""
        domains = {row.values["domain"].strip().lower() for row in rows}
        found = access.visible(by, Company).filter(domain__in=domains, archived_at=None)
        companies = {company.domain: company for company in found}
        known = {
            (each.company_id, each.source, each.taken_on): each
            for each in CompanySnapshot.objects.filter(company__in=companies.values())
        }
        return [self._one(row, companies.get(row.values["domain"].strip().lower()), known) for row in rows]

    def _one(self, row: Row, company: Company | None, known: dict[Any, CompanySnapshot]) -> Outcome:
        if company is None:
            return Outcome.refused(row, f"There is no company with the domain {values.quoted(row.values['domain'])}.")
        given = {name: value for name, value in row.values.items() if name != "domain"}
        stood = known.get((company.pk, given["source"], given["taken_on"]))
        thing = stood or CompanySnapshot(company=company)
        changes = {
            self.column(name).title: (values.shown(getattr(thing, name)), values.shown(value))
            for name, value in given.items()
            if getattr(thing, name) != value
        }
        if stood is not None and not changes:
            return Outcome.unchanged(row, object_id=thing.pk)
        if stood is not None and stood.is_archived:
            return Outcome.refused(row, "That row is archived; restore it first.")
        for name, value in given.items():
            setattr(thing, name, value)
        thing.full_clean()
        thing.save()
        made = Outcome.updated if stood is not None else Outcome.created
        return made(row, object_id=thing.pk, changes=changes)
