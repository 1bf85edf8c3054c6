"""The pages of what came in and what leads did, of companies, and of scoring runs."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db import models
from django.db.models import Count
from django.http import HttpRequest
from unfold.decorators import display

from apps.core.admin_kit.base import ARCHIVE_BUTTONS, MopsAdmin, ReadOnlyAdmin
from apps.core.admin_kit.bulk import for_many
from apps.core.admin_kit.buttons import Button, ReasonForm
from apps.core.admin_kit.consistency import Check
from apps.core.admin_kit.links import link_to
from apps.core.words import NOTHING
from apps.leads.admin.forms import DeliveryForm
from apps.leads.admin.lines import as_lines, one_a_line
from apps.leads.admin.panels import run_panel
from apps.leads.admin.source_panel import SourceForm, called, source_panel
from apps.leads.admin.usage import usage_panel
from apps.leads.domain.contracts import pairs_as_lines
from apps.leads.domain.intake import REJECTED_AGAIN, receive_by_button, refuse_delivery, refuse_replay, replay
from apps.leads.domain.machines import call_machine, call_person, refuse_machine, refuse_person
from apps.leads.enums import IntakeState
from apps.leads.models import Company, Consent, Intake, IntakeSource, ScoreOverride, ScoreRun, Touchpoint

# what of a contract is written one a line, and how who may only look reads it
READ = {"fields": "brings", "required": "must_bring", "origins": "sites", "asks": "asks_for"}


@admin.register(Company)
class CompanyAdmin(MopsAdmin):
    """Companies."""

    list_display = (
        *("name", "domain", "industry", "employees", "country", "account_manager", "people", "is_competitor"),
        "updated_at",
    )
    list_filter = ("industry", "territory", "is_competitor", ("account_manager", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("account_manager",)
    search_fields = ("name", "domain")
    fields = (
        *("name", "domain", ("industry", "employees"), ("country", "territory")),
        *("account_manager", "is_competitor"),
    )
    autocomplete_fields = ("account_manager",)
    buttons = ARCHIVE_BUTTONS
    in_palette = True
    empty_state = "No company yet. Add the first one: leads with its mail domain find it by themselves."
    consistency_checks = (
        Check("Nobody knows how large it is", lambda rows: rows.filter(employees__isnull=True)),
        Check("Nobody knows what it does", lambda rows: rows.filter(industry="")),
    )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Count the leads with the rows."""
        counted: models.QuerySet[Any] = super().get_queryset(request).annotate(number=Count("leads"))
        return counted

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show what it subscribes to, and how it uses it."""
        company, extra = self.get_object(request, object_id), dict(extra_context or {})
        if company is not None and request.method == "GET" and self.has_view_permission(request, company):
            extra["row_panels"] = [*extra.get("row_panels", []), usage_panel(request, company)]
        return super().change_view(request, object_id, form_url, extra)

    @display(description="Leads", ordering="number")
    def people(self, company: Any) -> int:
        """How many leads work there."""
        return int(company.number)


@admin.register(IntakeSource)
class IntakeSourceAdmin(MopsAdmin):
    """Sources of leads and their contracts."""

    form = SourceForm
    list_display = ("title", "key", "wants", "precedence", "touch_type", "is_web_form", "takes_visits", "is_open")
    list_filter = ("is_open", "is_web_form", "takes_visits")
    search_fields = ("title", "key")
    fieldsets = (
        (None, {"fields": ("title", "key", "fields", "required", ("precedence", "touch_type"), "is_open")}),
        (
            "On the internet",
            {
                "fields": (
                    ("is_web_form", "takes_visits"),
                    "origins",
                    ("per_minute", "honeypot"),
                    ("consent_field", "consent_wording"),
                    "thanks",
                )
            },
        ),
        ("What a form asks next", {"fields": ("asks", ("asks_at_once", "asks_again_after"))}),
    )
    buttons = (
        Button(
            "deliver",
            "Take in a delivery",
            receive_by_button,
            refuse_delivery,
            form=DeliveryForm,
            confirm="It is kept as it came and judged by this contract, as one the source sent.",
        ),
        *ARCHIVE_BUTTONS,
    )
    empty_state = "No source yet. Add one per form, tool or list that brings leads, with the fields it must bring."

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Who may only look reads the contract as it is written, one a line."""
        sets: Any = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return sets
        return [
            (title, {**options, "fields": [READ.get(each, each) for each in options["fields"]]})
            for title, options in sets
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """A key is chosen once: programs use it."""
        return (*super().get_readonly_fields(request, obj), *READ.values(), *(("key",) if obj is not None else ()))

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show what came lately, and the addresses it takes forms and visits at."""
        source, extra = self.get_object(request, object_id), dict(extra_context or {})
        if source is not None and request.method == "GET" and self.has_view_permission(request, source):
            extra["row_panels"] = [*extra.get("row_panels", []), source_panel(request, source)]
        return super().change_view(request, object_id, form_url, extra)

    @display(description="Must bring", ordering="required")
    def wants(self, source: IntakeSource) -> str:
        """What every delivery has to say."""
        return ", ".join(called(name) for name in source.required) or NOTHING

    @display(description="Fields it brings")
    def brings(self, source: IntakeSource) -> str:
        """Their names there, and ours."""
        return as_lines(pairs_as_lines)(source.fields) or NOTHING

    @display(description="Fields it must bring")
    def must_bring(self, source: IntakeSource) -> str:
        """Ours."""
        return one_a_line(source.required) or NOTHING

    @display(description="Sites that may send")
    def sites(self, source: IntakeSource) -> str:
        """Where its forms may stand."""
        return one_a_line(source.origins) or "Every site"

    @display(description="Asks next")
    def asks_for(self, source: IntakeSource) -> str:
        """What a form asks for, in its order."""
        return one_a_line(source.asks) or NOTHING


_REPLAY = Button(
    "replay",
    "Judge again",
    replay,
    refuse_replay,
    confirm="It is judged by the contract of its source as it is now.",
    style="primary",
)


def _judged_again(said: list[str]) -> str:
    """Return what became of deliveries that were judged again, in a sentence."""
    taken = sum(not each.startswith(REJECTED_AGAIN) for each in said)
    return f"Judged again: {taken:,} taken in, {len(said) - taken:,} rejected again."


@admin.register(Intake)
class IntakeAdmin(ReadOnlyAdmin):
    """Deliveries as they came, and what became of them."""

    list_display = ("idempotency_key", "source", "outcome", "reason", "of_lead", "received_at", "attempts")
    list_filter = ("state", "source", "received_at")
    search_fields = ("lead__name", "lead__email", "idempotency_key", "reason")
    fields = (
        "source",
        "idempotency_key",
        "state",
        "reason",
        "lead",
        "payload",
        "received_at",
        "decided_at",
        "attempts",
    )
    empty_state = "Nothing came in yet. Deliveries of forms and tools stand here, the rejected ones with their reason."
    buttons = (_REPLAY,)
    actions = (for_many(_REPLAY, in_words=_judged_again),)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load source and lead with the rows."""
        return super().get_queryset(request).select_related("source", "lead")

    @display(
        description="Outcome",
        ordering="state",
        label={
            IntakeState.ACCEPTED.label: "success",
            IntakeState.DUPLICATE.label: "info",
            IntakeState.REJECTED.label: "danger",
        },
    )
    def outcome(self, intake: Intake) -> str:
        """What became of it."""
        return IntakeState(intake.state).label

    @display(description="Lead", ordering="lead")
    def of_lead(self, intake: Intake) -> str:
        """Whom it is about."""
        return link_to(intake.lead)


_MACHINE = Button(
    "machine",
    "A machine did it",
    call_machine,
    refuse_machine,
    form=ReasonForm,
    confirm="The touch stays and counts nothing; the score of the lead is counted anew.",
)


@admin.register(Touchpoint)
class TouchpointAdmin(ReadOnlyAdmin):
    """Everything leads did."""

    list_display = ("occurred_at", "type", "of_lead", "value", "channel", "campaign", "done_by", "source")
    list_filter = ("type", "channel", "is_machine")
    search_fields = ("value", "source_event_id")
    ordering = ("-occurred_at", "-id")
    allowed_lookups = ("lead",)
    fields = (
        ("type", "channel"),
        "lead",
        ("campaign", "content_version"),
        ("occurred_at", "received_at"),
        ("source", "source_event_id"),
        "value",
        "utm",
        ("is_machine", "machine_reason"),
    )
    empty_state = "No touch yet. They come from forms, the website and the tools that send for us."
    buttons = (
        _MACHINE,
        Button(
            "person",
            "The person did it",
            call_person,
            refuse_person,
            confirm="The touch counts again; the score of the lead is counted anew.",
        ),
    )
    actions = (for_many(_MACHINE),)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load lead, campaign and content with the rows."""
        return super().get_queryset(request).select_related("lead", "campaign", "content_version__asset")

    @display(description="Lead", ordering="lead")
    def of_lead(self, touch: Touchpoint) -> str:
        """Whose it is."""
        return link_to(touch.lead)

    @display(description="Done by", ordering="is_machine", label={"Machine": "warning", "Person": "info"})
    def done_by(self, touch: Touchpoint) -> str:
        """Whether it counts."""
        return "Machine" if touch.is_machine else "Person"


@admin.register(Consent)
class ConsentAdmin(ReadOnlyAdmin):
    """What leads agreed to."""

    list_display = ("of_lead", "purpose", "is_given", "given_at", "source", "evidence", "recorded_by")
    list_filter = ("purpose", "is_given")
    search_fields = ("lead__name", "lead__email", "evidence")
    empty_state = "No consent is recorded yet. Record one on the page of its lead."

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load lead and person with the rows."""
        return super().get_queryset(request).select_related("lead", "recorded_by")

    @display(description="Lead", ordering="lead")
    def of_lead(self, consent: Consent) -> str:
        """Who agreed."""
        return str(consent.lead)


@admin.register(ScoreRun)
class ScoreRunAdmin(ReadOnlyAdmin):
    """When many leads were scored, and what that changed."""

    list_display = ("as_of", "kind", "version", "leads", "changed", "became_ready", "stopped_being_ready")
    list_filter = ("kind",)
    empty_state = "No run yet. Activate rules of scoring: every lead is scored by them, and what changed is kept here."

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load the versions with the rows."""
        return super().get_queryset(request).select_related("version__document")

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show who moved most, as far as the person sees them."""
        run, extra = self.get_object(request, object_id), dict(extra_context or {})
        if run is not None and self.has_view_permission(request, run):
            extra["row_panels"] = [*extra.get("row_panels", []), run_panel(request, run)]
        return super().change_view(request, object_id, form_url, extra)


@admin.register(ScoreOverride)
class ScoreOverrideAdmin(ReadOnlyAdmin):
    """Scores set by hand."""

    list_display = ("of_lead", "value", "reason", "set_by", "set_at", "until", "ended_at")
    fields = ("lead", "value", "reason", ("set_by", "set_at"), ("until", "ended_at"))
    readonly_fields = ("until",)
    list_filter: ClassVar[tuple[Any, ...]] = ("expires_at",)
    search_fields = ("lead__name", "lead__email", "reason")
    kits = ("notes",)  # a file, a field of one's own: those belong to the lead
    empty_state = "No score is set by hand. It is done on the page of a lead, with a reason and an end."

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load lead and person with the rows."""
        return super().get_queryset(request).select_related("lead", "set_by")

    @display(description="Lead", ordering="lead")
    def of_lead(self, override: ScoreOverride) -> str:
        """Whose score it is."""
        return str(override.lead)

    @display(description="Until", ordering="expires_at")
    def until(self, override: ScoreOverride) -> str:
        """The last day on which it holds."""
        return f"{override.last_day:%-d %b %Y}"
