"""What files bring into the leads, thousands at a time."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar

from apps.core import access
from apps.core.errors import InvalidInput
from apps.core.exchange import values
from apps.core.exchange.registry import Changes, Column, Importer, Outcome, Row, register_importer
from apps.leads import phones
from apps.leads.domain.bulk import KEY, Refusal, Refused, Written, judge_and_write
from apps.leads.domain.rows import count_of
from apps.leads.domain.taken_back import TakenBack
from apps.leads.models import Lead

FROM_FILES = "file"
_NOTHING = (None, "")


def _at_most(name: str) -> Callable[[str], str]:
    """Return a parser for a text that has to fit its column."""
    longest = getattr(Lead._meta.get_field(name), "max_length", None) or 0

    def read(cell: str) -> str:
        text = " ".join(cell.split())
        if len(text) > longest:
            raise InvalidInput(f"{values.quoted(text)} is too long: {len(text)} characters, at most {longest} fit.")
        return text

    return read


def _address(cell: str) -> str:
    return values.email(_at_most("email")(cell)).lower()


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
    batch_size = 5_000
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
        _text("product_interest", "Product interest", "product", "interest", example="Analytics"),
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

    _taken_back: TakenBack | None = None

    def for_walk(self, *, dry: bool) -> "LeadImporter":
        """Remember through a preview whose addresses and phones its portions, taken back, would have changed."""
        if not dry:
            return self
        walking = type(self)()
        walking._taken_back = TakenBack()
        return walking

    @cached_property
    def _titles(self) -> dict[str, str]:
        """What a report calls the fields; those of the key are never among what changed."""
        return {column.name: column.title for column in self.columns if column.name not in KEY}

    def key_of(self, row: Row) -> str:
        """Return system and number, which together name a lead."""
        return f"{row.values.get('record_source') or FROM_FILES} · {row.values['external_id']}"

    def apply(self, rows: Sequence[Row], *, by: Any) -> Sequence[Outcome]:
        """Refuse what may not go in, write the rest in one statement, and say what became of each row."""
        full = {row.line: {"record_source": FROM_FILES, **row.values} for row in rows}
        refused = {line: problem for line, given in full.items() if (problem := _phone_problem(given))}
        staged = [(line, given) for line, given in full.items() if line not in refused]
        visible = access.visible(by, Lead, verb="change")
        judged, written = judge_and_write(
            staged, lambda leads: set(visible.filter(pk__in=leads).values_list("pk", flat=True)), self._taken_back
        )
        kept = {each.kept for each in judged.values() if each.kept is not None}
        named = access.visible(by, Lead).in_bulk(kept) if kept else {}
        refused |= {line: _sentence(each, full[line], named) for line, each in judged.items()}
        done = {each.line: each for each in written}
        return [
            Outcome.refused(row, refused[row.line]) if row.line in refused else self._outcome(row, done[row.line])
            for row in rows
        ]

    def _outcome(self, row: Row, written: Written) -> Outcome:
        if written.before is None:
            return Outcome.created(row, object_id=written.lead_id, changes=self._told(row, {}))
        if not written.is_changed:
            return Outcome.unchanged(row, object_id=written.lead_id)
        return Outcome.updated(row, object_id=written.lead_id, changes=self._told(row, written.before))

    def _told(self, row: Row, before: dict[str, Any]) -> Changes:
        titles = self._titles
        if not before:
            return _Given(titles, row.values)
        return {
            titles[name]: (values.shown(before.get(name)), values.shown(value))
            for name, value in row.values.items()
            if name in titles and _given(before.get(name)) != _given(value)
        }


class _Given(Mapping[str, tuple[str, str]]):
    """What a new lead was given, put together where it is asked for: a preview shows it, a report names the fields."""

    __slots__ = ("fields", "given", "titles")

    def __init__(self, titles: Mapping[str, str], given: Mapping[str, Any]) -> None:
        self.titles, self.given = titles, given
        self.fields = [titles[name] for name, value in given.items() if value not in _NOTHING and name in titles]

    def __iter__(self) -> Iterator[str]:
        return iter(self.fields)

    def __len__(self) -> int:
        return len(self.fields)

    def __getitem__(self, title: str) -> tuple[str, str]:
        for name, value in self.given.items():
            if self.titles.get(name) == title and value not in _NOTHING:
                return "", values.shown(value)
        raise KeyError(title)


def _sentence(refused: Refused, given: dict[str, Any], named: Mapping[int, Lead]) -> str:
    """Return why a row stays out; `named` are the leads that the person sees."""
    into = named.get(refused.kept or 0, "another lead")
    number, email = values.quoted(given["external_id"]), values.quoted(given.get("email") or "")
    return {
        Refusal.BARRED: f"There is already a lead {number}, and you may not change it.",
        Refusal.MERGED: f"Lead {number} was merged into {into}; change that one.",
        Refusal.ARCHIVED: f"Lead {number} is archived; restore it first if it is in use again.",
        Refusal.EMAIL_TWICE: f"{email} stands on another row of this file already.",
        Refusal.EMAIL_TAKEN: f"{email} belongs to another lead already.",
        Refusal.PHONE_TAKEN: f"The phone {given.get('phone')} belongs to another lead already.",
        Refusal.PHONE_TWICE: f"The phone {given.get('phone')} stands on another row of this file already.",
        Refusal.EMAIL_MERGED: f"{email} belongs to a lead that was merged into {into}; change that one.",
        Refusal.PHONE_MERGED: f"The phone {given.get('phone')} belongs to a lead that was merged into {into}; change "
        "that one.",
    }[refused.why]


def _phone_problem(given: dict[str, Any]) -> str | None:
    """Bring the phone of a row to E.164; returns why it cannot be used."""
    if not given.get("phone"):
        return None
    country = given.get("country") or ""
    try:
        given["phone"], refused = phones.e164_of(given["phone"], country=country)
    except InvalidInput as refusal:
        return refusal.message
    return refused


def _given(value: Any) -> Any:
    return None if value == "" else value
