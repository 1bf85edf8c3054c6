"""What files bring into the technology inventory: names, owners, tiers and data classes as people type them.

What a cell does not clearly say is stored as unknown and named in the report; nothing is guessed.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from apps.core.exchange import values
from apps.core.exchange.model_importer import ModelImporter
from apps.core.exchange.registry import Column, Outcome, Row, register_importer
from apps.core.transitions import transition
from apps.technology.domain.cases import waive_inventory
from apps.technology.domain.vendors import vendor_called
from apps.technology.enums import Audience, Criticality, DataClass, Known, Lifecycle
from apps.technology.models import Tool

OPEN = frozenset({"tbd", "tba", "n/a", "na", "?", "unknown", "-"})
NOTHING = frozenset({"none", "no", "false"})
_TIER = re.compile(r"tier\s*(\d)\s*/?\s*(.*)", re.IGNORECASE)
_TIERS = {
    ("1", "business"): Criticality.TIER_1_BUSINESS,
    ("1", "product"): Criticality.TIER_1_PRODUCT,
    ("2", "core"): Criticality.TIER_2_CORE,
    ("2", "support"): Criticality.TIER_2_SUPPORT,
    ("2", ""): Criticality.TIER_2,
    ("3", "non-critical"): Criticality.TIER_3,
    ("3", ""): Criticality.TIER_3,
}
_AUDIENCES = {
    "employee": Audience.EMPLOYEES,
    "employees": Audience.EMPLOYEES,
    "employee facing": Audience.EMPLOYEES,
    "customer": Audience.CUSTOMERS,
    "customers": Audience.CUSTOMERS,
    "customer facing": Audience.CUSTOMERS,
    "both": Audience.BOTH,
    "employee and customer": Audience.BOTH,
    "employees and customers": Audience.BOTH,
    "partner": Audience.PARTNERS,
    "partners": Audience.PARTNERS,
}


@dataclass(frozen=True)
class Odd:
    """A cell that does not clearly say something: what is stored, and what the report says."""

    value: Any
    remark: str


def known(cell: str) -> Known | Odd:
    """Read yes or no; everything else is unknown, and says so."""
    word = cell.casefold()
    if word in values.TRUE:
        return Known.YES
    if word in values.FALSE or word == "none":
        return Known.NO
    return Odd(Known.UNKNOWN, f"{values.quoted(cell)} is neither yes nor no, left as unknown")


def tier(cell: str) -> Criticality | Odd:
    """Read how critical a tool is: “Tier 1 Business”, “Tier 3 / Non-critical”."""
    if found := _TIER.match(values.one_line(cell)):
        number, kind = found.group(1), found.group(2).casefold()
        if (exact := _TIERS.get((number, kind))) is not None:
            return exact
        if number == "2":
            return Odd(Criticality.TIER_2, f"{values.quoted(cell)} is no kind of tier 2 we know, kept as tier 2")
    return Odd(Criticality.UNKNOWN, f"{values.quoted(cell)} names no tier, left as unknown")


def data_class(cell: str) -> DataClass | Odd:
    """Read a colour: green, yellow, orange, red."""
    if cell.casefold() in DataClass.values:
        return DataClass(cell.casefold())
    return Odd(DataClass.UNKNOWN, f"{values.quoted(cell)} is none of green, yellow, orange and red, left as unknown")


def audience(cell: str) -> Audience | Odd:
    """Read who works with it."""
    if (found := _AUDIENCES.get(values.one_line(cell).casefold())) is not None:
        return found
    return Odd(Audience.UNKNOWN, f"{values.quoted(cell)} names no audience we know, left as unknown")


def owners(cell: str) -> list[str]:
    """Read several names from one cell: parted by commas, semicolons, ampersands or new lines; each once."""
    names = (values.one_line(part) for part in re.split(r"[,;&\n]", cell))
    return list(dict.fromkeys(name for name in names if name))


def stated(cell: str) -> str | Odd:
    """Read a text; “TBD” is unknown, “no” and “none” are an answer."""
    text = values.one_line(cell)
    if text.casefold() in OPEN:
        return Odd("", f"{values.quoted(cell)} left as unknown")
    return "none" if text.casefold() in NOTHING else text


def _asked(
    name: str, label: str, *aliases: str, parse: Callable[[str], Any] = known, empty: Any = Known.UNKNOWN
) -> Column:
    return Column(name, label, aliases=aliases, parse=parse, empty=empty)


@register_importer
class ToolImporter(ModelImporter):
    """The technology inventory."""

    key = "technology.tools"
    title = "Tools"
    model = Tool
    natural_key = ("name",)
    help = (
        "The inventory you keep today, as a spreadsheet, CSV or YAML list. A tool that is new to mops comes in as "
        "active, since an inventory lists what is in use. Cells that do not clearly say something are left as unknown "
        "and named in the report."
    )
    fields: ClassVar[tuple[str, ...]] = ("function", "annual_cost", "currency", "notes")
    columns = (
        Column("name", "Name", aliases=("title", "tool", "application"), parse=values.one_line, example="HubSpot"),
        Column("vendor_name", "Vendor", aliases=("vendor", "supplier", "provider"), parse=values.one_line, empty=""),
        Column("description", "Description", empty=""),
        Column("business_owner_names", "Business owners", aliases=("business_owner",), parse=owners, empty=[]),
        Column("technical_owner_names", "Technical owners", aliases=("technical_owner",), parse=owners, empty=[]),
        Column("department", "Department", aliases=("group_owner",), parse=values.one_line, empty=""),
        Column("support_channel", aliases=("group_owner_slack_channel",), parse=values.one_line, empty=""),
        _asked("criticality", "Criticality", "critical_systems_tier", "tier", parse=tier, empty=Criticality.UNKNOWN),
        _asked("data_classification", "Data classification", parse=data_class, empty=DataClass.UNKNOWN),
        Column("collected_data", "Collected data", parse=stated, empty=""),
        _asked("personal_data", "Personal data"),
        _asked("customer_data", "Customer data", "processing_customer_data"),
        _asked("sub_processor", "Sub-processor", "subprocessor"),
        Column("compliance_scope", "Compliance scope", parse=stated, empty=""),
        Column("integration_method", "Integration method", parse=stated, empty=""),
        _asked("single_sign_on", "Single sign-on", "sso"),
        _asked("software_as_a_service", "Software as a service", "saas"),
        _asked("everyone_has_it", "Everyone has it", "team_member_baseline_entitlement"),
        _asked("audience", "Audience", "employee_or_customer_facing_app", parse=audience, empty=Audience.UNKNOWN),
        Column("access_to", "Who has access", aliases=("access_to",), empty=""),
        Column("handbook_link", "Handbook link", empty=""),
        Column("external_link", "External link", empty=""),
    )

    def prepare(self, row: Row) -> dict[str, Any]:
        """Store what an odd cell is taken for; a vendor that is new to mops is added."""
        data = super().prepare(row)
        plain = {name: value.value if isinstance(value, Odd) else value for name, value in data.items()}
        if name := plain.get("vendor_name"):
            plain["vendor"] = vendor_called(name)
        return plain

    def create(self, data: Mapping[str, Any], *, by: Any) -> Tool:
        """Add a tool as active: an inventory lists what is in use. A waiver says so, until its case is made."""
        tool: Tool = self.save(Tool(**data))
        waive_inventory([tool], by=by)
        tool.lifecycle = Lifecycle.ACTIVE
        with transition(Tool):
            tool.save(update_fields=["lifecycle"])
        return tool

    def apply(self, rows: Sequence[Row], *, by: Any) -> Sequence[Outcome]:
        """Carry the rows out and name the odd cells of each in its outcome."""
        outcomes = super().apply(rows, by=by)
        return [self._with_remarks(row, outcome) for row, outcome in zip(rows, outcomes, strict=True)]

    def _with_remarks(self, row: Row, outcome: Outcome) -> Outcome:
        remarks = [
            f"{self.column(name).title}: {value.remark}."
            for name, value in row.values.items()
            if isinstance(value, Odd)
        ]
        if not remarks or outcome.reason:
            return outcome
        return outcome._replace(reason=" ".join(remarks))
