"""The pages of leads."""

from functools import partial
from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from unfold.decorators import display

from apps.audit.domain.personal import erase, refuse_erase
from apps.core import access, clock
from apps.core.admin_kit.archive import restore
from apps.core.admin_kit.base import ARCHIVE_BUTTONS, MopsAdmin
from apps.core.admin_kit.bulk import for_many
from apps.core.admin_kit.buttons import Button, NoteForm, ReasonForm
from apps.core.admin_kit.consistency import Check
from apps.core.admin_kit.counting import CappedPaginator
from apps.core.asking import asking_once
from apps.core.words import NOTHING
from apps.leads.admin import panels
from apps.leads.admin.answer_panels import answer_panels
from apps.leads.admin.deals import OpportunityForm
from apps.leads.admin.duplicates import LeadForm, duplicates_panel
from apps.leads.admin.filters import (
    LATEST_VALUES,
    AnswerFilter,
    LatestValuesFilter,
    ReadyFilter,
    SegmentFilter,
    StuckFilter,
)
from apps.leads.admin.forms import ConsentForm, ContactForm, HandOnForm, ReassignForm, ScoreForm
from apps.leads.admin.lead_boxes import boxes_of
from apps.leads.admin.quality import QualityFilter
from apps.leads.admin.routing import routing_panel
from apps.leads.domain.consent import record_consent, refuse_consent
from apps.leads.domain.duplicates.finding import refuse_search, search_by_button
from apps.leads.domain.duplicates.merging import refuse_restore_lead
from apps.leads.domain.handoff import hand_on, offer_by_button, refuse_offer
from apps.leads.domain.lifecycle import move_lead, refuse_stage
from apps.leads.domain.opportunities import open_by_button, refuse_open
from apps.leads.domain.routing.reassigning import reassign, refuse_reassign, refuse_routing, route_again
from apps.leads.domain.scoring.overriding import end_override, refuse_end, refuse_override, set_score
from apps.leads.domain.sla import record_contact, refuse_contact
from apps.leads.domain.timeline.standing import standing_of
from apps.leads.enums import HandoffKind, Stage
from apps.leads.models import Lead

if TYPE_CHECKING:
    from apps.accounts.models import User

SHORT = {Stage.MQL: "MQL", Stage.SQL: "SQL"}
_MOVE_LABELS = {
    Stage.MQL: "Qualify (MQL)",
    Stage.SQL: "Accept (SQL)",
    Stage.CUSTOMER: "Won: customer",
    Stage.ADVOCATE: "Make advocate",
    Stage.RECYCLED: "Recycle",
    Stage.FORMER_CUSTOMER: "Customer has left",
    Stage.KNOWN_LEAD: "Back to known leads",
    Stage.DISQUALIFIED: "Disqualify",
}
_STYLES = {
    Stage.KNOWN_LEAD: "default",
    Stage.RECYCLED: "default",
    Stage.FORMER_CUSTOMER: "default",
    Stage.DISQUALIFIED: "danger",
}


def _move_button(stage: Stage) -> Button:
    return Button(
        f"to-{stage.value.replace('_', '-')}",
        _MOVE_LABELS[stage],
        partial(move_lead, to=stage),
        partial(refuse_stage, to=stage),
        form=ReasonForm,
        confirm=f"The lead goes to the stage {stage.label}; the reason stays with it.",
        style=_STYLES.get(stage, "primary"),
    )


_HAND_ON = {
    HandoffKind.SUCCESS: ("Hand to customer success", "Who takes it looks after the customer from then on."),
    HandoffKind.EXPANSION: ("Offer for expansion", "Who takes it opens an opportunity for what it may buy."),
    HandoffKind.REFERENCE: ("Ask for a reference", "Who takes it makes the customer an advocate."),
}


def _hand_on_button(kind: HandoffKind) -> Button:
    label, confirm = _HAND_ON[kind]
    return Button(
        f"hand-on-{kind.value}",
        label,
        partial(hand_on, kind=kind),
        partial(refuse_offer, kind=kind),
        form=HandOnForm,
        confirm=f"They are told and have two days. {confirm}",
    )


_REASSIGN = Button(
    "reassign",
    "Give to somebody else",
    reassign,
    refuse_reassign,
    form=ReassignForm,
    confirm="They are told; why they got it stays with the lead.",
)
_ROUTE = Button(
    "route",
    "Let the rules route it",
    route_again,
    refuse_routing,
    form=ReasonForm,
    confirm="The rules in force decide anew who looks after it, whoever does now.",
)
_OFFER = Button(
    "offer",
    "Offer to sales",
    offer_by_button,
    refuse_offer,
    form=NoteForm,
    confirm="Its owner is told and has two days to take it or give it back; what is known now is kept.",
    style="primary",
)
_BULK = (
    for_many(_move_button(Stage.MQL)),
    for_many(_OFFER),
    for_many(_REASSIGN),
    for_many(_ROUTE, "Let the rules route them"),
    for_many(_move_button(Stage.RECYCLED)),
    for_many(_move_button(Stage.DISQUALIFIED)),
)


@admin.register(Lead)
class LeadAdmin(MopsAdmin):
    """Leads."""

    list_display = ("who", "company", "scored", "ready", "now_at", "owned_by", "place", "source")
    list_filter = (
        SegmentFilter,
        ReadyFilter,
        StuckFilter,
        QualityFilter,
        AnswerFilter,
        "stage",
        *((name, LatestValuesFilter) for name in LATEST_VALUES),
        "converted",
        "owner_team",
    )
    paginator = CappedPaginator
    form = LeadForm
    search_fields = ("name", "email", "phone", "company", "external_id")
    autocomplete_fields = ("account", "owner_person", "owner_team", "backup_person", "backup_team")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "name",
                    ("email", "phone"),
                    "is_phone_shared",
                    ("job_title", "company"),
                    "account",
                    ("country", "territory"),
                    "standing",
                )
            },
        ),
        ("Who looks after it", {"fields": (("owner_person", "owner_team"), ("backup_person", "backup_team"))}),
        (
            "Where it comes from",
            {"fields": (("origin", "source"), "product_interest", ("record_source", "external_id"))},
        ),
        (
            "What it did",
            {
                "fields": (
                    ("total_visits", "seconds_on_site"),
                    ("last_activity", "last_notable_activity"),
                    ("quality", "converted"),
                )
            },
        ),
    )
    readonly_fields = ("standing",)
    buttons = (
        *(_move_button(stage) for stage in _MOVE_LABELS),
        _OFFER,
        Button("duplicates", "Look for duplicates", search_by_button, refuse_search),
        Button(
            "contact",
            "Record a contact",
            record_contact,
            refuse_contact,
            form=ContactForm,
            confirm="Its clocks stop.",
        ),
        Button("opportunity", "Open an opportunity", open_by_button, refuse_open, form=OpportunityForm),
        *(_hand_on_button(kind) for kind in (HandoffKind.SUCCESS, HandoffKind.EXPANSION, HandoffKind.REFERENCE)),
        _REASSIGN,
        _ROUTE,
        Button("consent", "Record consent", record_consent, refuse_consent, form=ConsentForm),
        Button(
            "set-score",
            "Set score by hand",
            set_score,
            refuse_override,
            form=ScoreForm,
            confirm="The score stands in the place of the rules' until that day; what the rules say stays visible.",
        ),
        Button("end-override", "Let the rules score again", end_override, refuse_end, form=ReasonForm),
        *(each for each in ARCHIVE_BUTTONS if each.name != "restore"),
        Button("restore", "Restore", restore, refuse_restore_lead, icon="unarchive", on_archived=True),
        Button(
            "erase",
            "Erase the person",
            erase,
            refuse_erase,
            form=ReasonForm,
            confirm="Name and e-mail are deleted for good: here, in every version of the history and behind the "
            "ledger. The record itself stays, for the figures.",
            style="danger",
            on_archived=True,
            step_up=True,
        ),
    )
    consistency_checks = (
        Check("Nobody looks after it", lambda rows: rows.unowned()),
        Check("Qualified, but without an e-mail", lambda rows: rows.qualified_without_address()),
    )
    actions = _BULK
    kits = (*MopsAdmin.kits, "lead-boxes")
    in_palette = True
    allowed_lookups = ("account",)
    empty_state = "No lead yet. Import them from your CRM (Work → Imports), or add the first one by hand."

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Tell the form who asks: it names leads that look like a new one, as far as the person sees them."""
        kind = super().get_form(request, obj, change=change, **kwargs)
        return type(kind.__name__, (kind,), {"viewer": request.user})

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Offer the answer to “somebody like this is known already” where a lead is added."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is not None:
            return fieldsets
        # at the top, where the question is seen that the answer is for; hidden until it is asked
        (title, who), *others = fieldsets
        return [(title, {**who, "fields": ("add_anyway", *who["fields"])}), *others]

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load the owners with the rows."""
        return super().get_queryset(request).select_related("owner_person", "owner_team", "score")

    @display(description="Lead", ordering="name")
    def who(self, lead: Lead) -> str:
        """Who it is, as far as known."""
        return str(lead)

    @display(description="Territory", ordering="territory")
    def place(self, lead: Lead) -> str:
        """Where it belongs."""
        return lead.territory or lead.country or NOTHING

    @display(description="Stage")
    def standing(self, lead: Lead) -> str:
        """Where it stands in the lifecycle."""
        return Stage(lead.stage).label

    @display(
        description="Stage",
        ordering="stage",
        label={"MQL": "info", "SQL": "warning", Stage.CUSTOMER.label: "success", Stage.ADVOCATE.label: "success"},
    )
    def now_at(self, lead: Lead) -> str:
        """Where it stands, as short as people say it: a list has little room."""
        return SHORT.get(Stage(lead.stage), Stage(lead.stage).label)

    @display(description="Owner", ordering="owner_person__full_name")
    def owned_by(self, lead: Lead) -> str:
        """Who looks after it."""
        return str(lead.owner or NOTHING)

    @display(description="Score", ordering="score__final")
    def scored(self, lead: Lead) -> str:
        """The score, rounded."""
        return f"{lead.score.final:.0f}" if hasattr(lead, "score") else NOTHING

    @display(description="Ready", ordering="score__is_ready", label={"Ready": "success", "Raised a hand": "success"})
    def ready(self, lead: Lead) -> str:
        """Whether sales should look at it."""
        if not hasattr(lead, "score") or not lead.score.is_ready:
            return ""
        return "Raised a hand" if lead.score.is_hand_raised else "Ready"

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show the score with its reasons and what the lead did."""
        if request.method != "GET":
            return super().change_view(request, object_id, form_url, extra_context)
        with asking_once():  # each of its buttons asks for the same rights
            extra = dict(extra_context or {})
            lead, person = self.get_object(request, object_id), cast("User", request.user)
            if lead is not None:
                access.remember_seen(person, lead)  # read from what is visible, in `get_queryset`
                extra["row_panels"] = [*extra.get("row_panels", []), *self._panels(request, lead)]
            return super().change_view(request, object_id, form_url, extra)

    def _panels(self, request: HttpRequest, lead: Lead) -> tuple[dict[str, Any], ...]:
        alike = duplicates_panel(request, lead)
        known, now = {other.pk: str(other) for _, other in alike["pairs"]}, standing_of(lead, now=clock.now())
        return (
            alike,
            panels.score_panel(request, lead, now),
            routing_panel(request, lead),
            *answer_panels(request, lead, has_deals=now.has_deals),
            panels.story_panel(request, lead, known, now),
            *boxes_of(request, lead, now),
        )
