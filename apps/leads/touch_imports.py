"""What files bring in about leads besides themselves: what they did, and where they work."""

from collections.abc import Sequence
from typing import Any, ClassVar

from apps.accounts.models import User
from apps.campaigns.models import Campaign
from apps.content.models import ContentVersion
from apps.core import access, clock
from apps.core.errors import InvalidInput
from apps.core.exchange import values
from apps.core.exchange.model_importer import ModelImporter
from apps.core.exchange.registry import Column, Importer, Outcome, Row, register_importer
from apps.leads.domain.rows import count_of, fitting
from apps.leads.domain.touches import UTM, Touch, known_events, refusal_of, take_touches
from apps.leads.enums import TouchChannel, TouchType
from apps.leads.models import Company, Lead, Touchpoint

PAGE = "https://www.example.com/pricing"


@register_importer
class TouchImporter(Importer):
    """Touches, each by the number it has in the system that saw it."""

    key = "leads.touches"
    title = "Touches"
    model = Touchpoint
    natural_key: ClassVar[tuple[str, ...]] = ("source", "source_event_id")
    ignore_case = False
    help = (
        "What leads did, as your marketing hub or website recorded it: one touch a row. A touch that is known already "
        "is left as it is; the scores of the leads follow at once."
    )
    columns = (
        Column("source", "System", required=True, parse=fitting(40), example="hubspot"),
        Column(
            "source_event_id", "Event number", required=True, aliases=("event id",), parse=fitting(100), example="98"
        ),
        Column("email", "E-mail of the lead", required=True, aliases=("email",), parse=values.email),
        Column("type", "Touch", required=True, parse=values.choice(TouchType), example="Website visit"),
        Column("occurred_at", "When", required=True, parse=values.moment, example="2026-03-31 14:30"),
        Column("channel", "Channel", parse=values.choice(TouchChannel), empty=""),
        Column("value", "What", aliases=("page", "asset"), parse=fitting(200), empty="", example="Pricing"),
        Column("address", "Page address", aliases=("url", "page url"), parse=fitting(500), empty="", example=PAGE),
        Column("campaign", "Campaign", parse=fitting(150), empty="", help="Empty: the one whose tag stands in UTM."),
        Column(
            "content_version",
            "Content version",
            parse=count_of,
            help="The number in the address of its page; empty: what was published at the page address then.",
        ),
        *(Column(f"utm_{name}", f"UTM {name}", aliases=(f"utm_{name}",), parse=fitting(200), empty="") for name in UTM),
        Column("machine_reason", "Why a machine", parse=fitting(200), empty="", help="Empty: the person did it."),
    )

    def apply(self, rows: Sequence[Row], *, by: Any) -> Sequence[Outcome]:
        """Refuse what cannot be, take the rest in together, and say what was known."""
        now, touches, refused = clock.now(), {}, {}
        addresses = {row.values["email"].lower() for row in rows}
        leads = dict(
            access.visible(by, Lead, verb="change")
            .filter(email__in=addresses, archived_at=None)
            .values_list("email", "pk")
        )
        named = _Named(rows, by)
        for row in rows:
            touch, sentence = self._touch(row, leads.get(row.values["email"].lower()), named)
            if touch is None or (sentence := refusal_of(touch, now=now)):
                refused[row.line] = str(sentence)
            else:
                touches[row.line] = touch
        known = known_events(list(touches.values()))
        take_touches(list(touches.values()), by=by)
        return [
            Outcome.refused(row, refused[row.line])
            if row.line in refused
            else Outcome.unchanged(row)
            if (row.values["source"], row.values["source_event_id"]) in known
            else Outcome.created(row, changes={"Touch": ("", TouchType(row.values["type"]).label)})
            for row in rows
        ]

    def _touch(self, row: Row, lead: int | None, named: "_Named") -> tuple[Touch | None, str | None]:
        """Return the touch of a row, or why there is none."""
        if lead is None:
            return None, "There is no lead with this e-mail that you may change."
        given = {name: value for name, value in row.values.items() if name != "email" and value is not None}
        tags = {name: given.pop(f"utm_{name}", "") for name in UTM}
        campaign, version = given.pop("campaign", ""), given.pop("content_version", None)
        if campaign and campaign not in named.campaigns:
            return None, f"There is no campaign {values.quoted(campaign)} that you may see."
        if version and version not in named.versions:
            return None, f"There is no content version {version} that you may see."
        utm = {name: tag for name, tag in tags.items() if tag}
        return Touch(
            lead, **given, utm=utm, campaign_id=named.campaigns.get(campaign), content_version_id=version
        ), None


class _Named:
    """The campaigns and versions of content that rows name, as far as the person sees them: one query each."""

    def __init__(self, rows: Sequence[Row], by: Any) -> None:
        names = {name for row in rows if (name := row.values.get("campaign"))}
        numbers = {number for row in rows if (number := row.values.get("content_version"))}
        campaigns = access.visible(by, Campaign).filter(name__in=names) if names else Campaign.objects.none()
        versions = (
            access.visible(by, ContentVersion).filter(pk__in=numbers) if numbers else ContentVersion.objects.none()
        )
        self.campaigns: dict[str, int] = dict(campaigns.values_list("name", "pk"))
        self.versions: set[int] = set(versions.values_list("pk", flat=True))


def _colleague(cell: str) -> User:
    """Return the person of an address, who works here."""
    found = User.objects.working().filter(email__iexact=values.email(cell)).first()
    if found is None:
        raise InvalidInput(f"Nobody with the address {values.quoted(cell)} works here; use that of a colleague.")
    return found


@register_importer
class CompanyImporter(ModelImporter):
    """Companies, by their domain."""

    key, title, model, natural_key = "leads.companies", "Companies", Company, ("domain",)
    fields = ("domain", "name", "industry", "employees", "country", "territory", "account_manager", "is_competitor")
    columns = (
        Column(
            "account_manager",
            "Account manager",
            aliases=("named account", "account owner"),
            parse=_colleague,
            example="ann@example.com",
            help="By e-mail. Leads of this company go to them where the rules of routing say so.",
        ),
    )
    help = "An export of your CRM or enrichment service: one company a row, told apart by its domain."
