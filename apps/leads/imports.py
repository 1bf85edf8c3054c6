"""What files bring into the leads, thousands at a time."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from apps.core import access
from apps.core.errors import InvalidInput
from apps.core.exchange import values
from apps.core.exchange.registry import Changes, Column, Importer, Outcome, Row, register_importer
from apps.leads import phones
from apps.leads.domain.bulk import Written, addresses_taken, phones_taken, upsert_leads
from apps.leads.domain.rows import count_of
from apps.leads.models import Lead

FROM_FILES = "file"


def _at_most(name: str) -> Callable[[str], str]:
    """Return a parser for a text that has to fit its column."""
    longest = getattr(Lead._meta.get_field(name), "max_length", None) or 0

    def read(cell: str) -> str:
        text = values.one_line(cell)
        if len(text) > longest:
            raise InvalidInput(f"{values.quoted(text)} is too long: {len(text)} characters, at most {longest} fit.")
        return text

    return read


def _address(cell: str) -> str:
    return values.email(cell).lower()


def _text(name: str, label: str, *aliases: str, example: str = "") -> Column:
    return Column(name, label, aliases=aliases, parse=_at_most(name), example=example, empty="")


@register_importer
class LeadImporter(Importer):
    """Leads, by their number in the system they come from."""

    key = "leads.leads"
    title = "Leads"
    model = Lead
    natural_key: ClassVar[tuple[str, ...]] = ("external_id",)
    ignore_case = False
    help = "An export of your CRM or of your forms: one lead a row, told apart by its number in that system."
    columns = (
        Column(
            "external_id",
            "Lead number",
            required=True,
            aliases=("lead_id", "number", "id", "prospect id"),
            parse=_at_most("external_id"),
            example="660737",
        ),
        Column("record_source", "System", aliases=("crm",), parse=_at_most("record_source"), empty=FROM_FILES),
        _text("name", "Name", "full name", "lead name"),
        Column("email", "E-mail", aliases=("email address",), parse=_address, example="ann@example.com"),
        Column(
            "phone",
            "Phone",
            aliases=("telephone", "mobile", "phone number"),
            parse=_at_most("phone"),
            empty="",
            example="+49 30 901820",
        ),
        _text("job_title", "Job title", "title", "position"),
        _text("company", "Company", "account"),
        _text("country", "Country"),
        _text("territory", "Territory", "region"),
        _text("origin", "Lead origin", "origin"),
        _text("source", "Lead source", "source"),
        Column("total_visits", "Total visits", aliases=("TotalVisits", "visits"), parse=count_of, example="5"),
        Column(
            "seconds_on_site",
            "Total time spent on website",
            aliases=("seconds on the website",),
            parse=count_of,
            example="674",
        ),
        _text("last_activity", "Last activity"),
        _text("last_notable_activity", "Last notable activity"),
        _text("quality", "Lead quality", "quality"),
        Column("converted", "Converted", aliases=("ToBeConverted",), parse=values.boolean, example="yes"),
    )

    def key_of(self, row: Row) -> str:
        """Return system and number, which together name a lead."""
        return f"{row.values.get('record_source') or FROM_FILES} · {row.values['external_id']}"

    def apply(self, rows: Sequence[Row], *, by: Any) -> Sequence[Outcome]:
        """Refuse what may not go in, write the rest in one statement, and say what became of each row."""
        full = {row.line: {"record_source": FROM_FILES, **row.values} for row in rows}
        refused = self._refusals(rows, full, by)
        written = upsert_leads([(line, given) for line, given in full.items() if line not in refused])
        done = {each.line: each for each in written}
        return [
            Outcome.refused(row, refused[row.line]) if row.line in refused else self._outcome(row, done[row.line])
            for row in rows
        ]

    def _refusals(self, rows: Sequence[Row], full: dict[int, dict[str, Any]], by: Any) -> dict[int, str]:
        numbers = [given["external_id"] for given in full.values()]
        stored = Lead.objects.filter(external_id__in=numbers)
        known = {(lead.record_source, lead.external_id): lead for lead in stored}
        mine = set(access.visible(by, Lead, verb="change").filter(external_id__in=numbers).values_list("pk", flat=True))
        merged = {lead.merged_into_id for lead in known.values() if lead.merged_into_id is not None}
        kept = access.visible(by, Lead).in_bulk(merged) if merged else {}
        wanted: dict[str, tuple[str, str]] = {}
        refused: dict[int, str] = {}
        for row in rows:
            given = full[row.line]
            key, email = (given["record_source"], given["external_id"]), given.get("email")
            lead = known.get(key)
            if lead is not None and lead.pk not in mine:
                refused[row.line] = f"There is already a lead {values.quoted(key[1])}, and you may not change it."
            elif lead is not None and lead.merged_into_id is not None:
                into = kept.get(lead.merged_into_id, "another lead")
                refused[row.line] = f"Lead {values.quoted(key[1])} was merged into {into}; change that one."
            elif lead is not None and lead.is_archived:
                refused[row.line] = f"Lead {values.quoted(key[1])} is archived; restore it first if it is in use again."
            elif problem := _phone_problem(given):
                refused[row.line] = problem
            elif email and wanted.setdefault(email, key) != key:
                refused[row.line] = f"{values.quoted(email)} stands on another row of this file already."
        taken = addresses_taken(wanted)
        for row in rows:
            if full[row.line].get("email") in taken and row.line not in refused:
                refused[row.line] = f"{values.quoted(full[row.line]['email'])} belongs to another lead already."
        numbers_given = {
            line: given["phone"] for line, given in full.items() if given.get("phone") and line not in refused
        }
        keys = {line: (full[line]["record_source"], full[line]["external_id"]) for line in numbers_given}
        return refused | phones_taken(numbers_given, keys)

    def _outcome(self, row: Row, written: Written) -> Outcome:
        if written.before is None:
            return Outcome.created(row, object_id=written.lead_id, changes=self._told(row, {}))
        if not written.is_changed:
            return Outcome.unchanged(row, object_id=written.lead_id)
        return Outcome.updated(row, object_id=written.lead_id, changes=self._told(row, written.before))

    def _told(self, row: Row, before: dict[str, Any]) -> Changes:
        return {
            self.column(name).title: (values.shown(before.get(name)), values.shown(value))
            for name, value in row.values.items()
            if name not in ("external_id", "record_source") and _given(before.get(name)) != _given(value)
        }


def _phone_problem(given: dict[str, Any]) -> str | None:
    """Bring the phone of a row to E.164; returns why it cannot be used."""
    if not given.get("phone"):
        return None
    country = given.get("country") or ""
    try:
        given["phone"] = phones.e164(given["phone"], country=country)
    except InvalidInput as refusal:
        return refusal.message
    return phones.refuse_elsewhere(given["phone"], country=country)


def _given(value: Any) -> Any:
    return None if value == "" else value
