"""The pages of quarterly reviews: one click makes a pack, its figures stay; actions follow from it."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.decorators import display

from apps.core import access, clock
from apps.core.admin_kit.base import ARCHIVE_BUTTONS, MopsAdmin, ReadOnlyAdmin
from apps.core.admin_kit.buttons import Button, ReasonForm
from apps.core.admin_kit.links import url_of
from apps.core.admin_kit.pack_files import give_pack
from apps.core.errors import DomainError
from apps.core.money import figure, money
from apps.core.packs import quarter_of
from apps.core.words import NOTHING
from apps.technology.charts import bar_chart
from apps.technology.domain import reviews
from apps.technology.enums import ActionState, Lifecycle, Verdict
from apps.technology.models import ReviewAction, ReviewItem, ReviewPack
from apps.technology.review_files import document, workbook

TOP = 15
NONE = {"tools": 0, "yearly": "0", "saving": "0"}
_VERDICTS = {"Keep": "success", "Optimise": "info", "Consolidate": "warning", "Retire": "danger"}


def _file_name(pack: Any) -> str:
    return f"technology-review-{pack.quarter:%Y-%m}-{pack.number}"


@admin.register(ReviewPack)
class ReviewPackAdmin(ReadOnlyAdmin):
    """Review packs; adding one is making it."""

    list_display = ("__str__", "on", "tools", "costs", "saves", "made_by")
    list_filter = ("quarter",)
    list_select_related = ("made_by",)
    empty_state = "No review yet. “Add” freezes what every tool costs and how much it is used, and proposes what to do."

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether this person may make a pack."""
        return bool(request.user.is_authenticated) and reviews.refuse_pack(request.user) is None  # type: ignore[arg-type]

    def get_urls(self) -> list[URLPattern]:
        """Add the addresses of the document and the workbook."""
        view = self.admin_site.admin_view(self.file_view)
        return [path("<int:pack_id>/file/<str:kind>/", view, name="technology_reviewpack_file"), *super().get_urls()]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponseBase:
        """Say what will be frozen, and freeze it."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        person: Any = request.user
        if request.method == "POST":
            try:
                pack = reviews.make_pack(by=person)
            except DomainError as refusal:
                messages.error(request, refusal.message)
            else:
                messages.success(request, f"{pack} is made; its figures are frozen.")
                return HttpResponseRedirect(url_of(pack))
        context = {
            **self.admin_site.each_context(request),
            "title": "Make a technology review",
            "opts": self.opts,
            "today": clock.today(),
            "quarter": quarter_of(clock.today()),
        }
        return TemplateResponse(request, "admin/technology/make_pack.html", context)

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show the pack."""
        pack = self.get_object(request, object_id)
        if pack is None or not self.has_view_permission(request, pack):
            return super().change_view(request, object_id, form_url, extra_context)
        person, today = request.user, clock.today()
        verdicts = [
            {
                "verdict": verdict,
                **pack.totals["verdicts"].get(verdict.value, {"tools": 0, "yearly": "0", "saving": "0"}),
            }
            for verdict in Verdict
        ]
        costly = pack.items.exclude(yearly=None).order_by("-yearly")[:8]
        context = {
            **self.admin_site.each_context(request),
            "title": str(pack),
            "opts": self.opts,
            "original": pack,
            "pack": pack,
            "verdicts": verdicts,
            "items": list(pack.items.filter(saving__gt=0).order_by("-saving", "name")[:TOP]),
            "chart": bar_chart([(item.name, item.yearly) for item in costly]),
            "untouched": reviews.is_untouched(pack),
            "actions": list(access.visible(person, ReviewAction).filter(pack=pack).select_related("tool", "owner")),  # type: ignore[arg-type]
            "progress": reviews.progress_of(pack, today),
            "today": today,
            "may_act": access.has_model_permission(person, "add", ReviewAction),  # type: ignore[arg-type]
            "items_url": reverse("admin:technology_reviewitem_changelist") + f"?pack__id__exact={pack.pk}",
        }
        return TemplateResponse(request, "admin/technology/pack.html", context)

    def file_view(self, request: HttpRequest, pack_id: int, kind: str) -> HttpResponseBase:
        """Give the pack as a document or a workbook."""
        pack = self.get_object(request, str(pack_id))
        return give_pack(self, request, pack, kind, name=_file_name, document=document, workbook=workbook)

    @display(description="A year costs", ordering="yearly")
    def costs(self, pack: ReviewPack) -> str:
        """What the stack costs."""
        return money(pack.yearly, pack.currency)

    @display(description="Could be saved", ordering="saving")
    def saves(self, pack: ReviewPack) -> str:
        """What could be saved."""
        return money(pack.saving, pack.currency)


@admin.register(ReviewItem)
class ReviewItemAdmin(ReadOnlyAdmin):
    """What reviews say about tools."""

    list_display = (
        "name",
        "pack",
        "stage",
        "costs",
        "share_used",
        "seats",
        "attested_on",
        "shares_with",
        "proposal",
        "saves",
    )
    list_filter = ("pack", "verdict", "lifecycle")
    search_fields = ("name", "owner")
    list_select_related = ("pack",)
    fieldsets = (
        (None, {"fields": ("pack", "tool", "lifecycle", "owner")}),
        (
            "Figures",
            {
                "fields": (
                    ("yearly", "used", "used_on"),
                    ("seats", "inactive_seats"),
                    ("attested_on", "shares_with"),
                    ("integrations", "unhealthy"),
                )
            },
        ),
        ("Proposal", {"fields": (("verdict", "saving"), "why")}),
    )
    empty_state = "No review yet. Make one under Technology reviews."

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load the packs with the rows."""
        return super().get_queryset(request).select_related("pack")

    @display(description="Lifecycle", ordering="lifecycle")
    def stage(self, item: ReviewItem) -> str:
        """Where the tool stood."""
        return Lifecycle(item.lifecycle).label

    @display(description="A year costs", ordering="yearly")
    def costs(self, item: ReviewItem) -> str:
        """What it costs."""
        return money(item.yearly, item.pack.currency)

    @display(description="Used", ordering="used")
    def share_used(self, item: ReviewItem) -> str:
        """How much of what is paid for is used."""
        return NOTHING if item.used is None else f"{figure(item.used)} %"

    @display(description="Could be saved", ordering="saving")
    def saves(self, item: ReviewItem) -> str:
        """What could be saved."""
        return money(item.saving, item.pack.currency)

    @display(description="Proposal", ordering="verdict", label=_VERDICTS)
    def proposal(self, item: ReviewItem) -> str:
        """What is proposed."""
        return Verdict(item.verdict).label


@admin.register(ReviewAction)
class ReviewActionAdmin(MopsAdmin):
    """Actions of reviews."""

    list_display = ("action", "tool", "what", "owner", "due_on", "saves", "stands")
    list_filter = ("state", "verdict", "due_on", "owner", "pack")
    search_fields = ("action", "tool__name")
    autocomplete_fields = ("tool", "owner")
    fieldsets = (
        (None, {"fields": ("pack", "tool", "verdict", "action")}),
        ("Who, until when", {"fields": (("owner", "due_on"), "saving")}),
        ("Outcome", {"fields": (("stands", "closed_on"), "outcome")}),
    )
    readonly_fields = ("stands", "closed_on", "outcome")
    buttons = (
        Button(
            "done",
            "Done",
            reviews.complete_action,
            reviews.refuse_close,
            form=ReasonForm,
            confirm="Say what came out of it; the action is closed for good.",
            style="primary",
        ),
        Button(
            "drop",
            "Drop it",
            reviews.drop_action,
            reviews.refuse_close,
            form=ReasonForm,
            confirm="It will not be done; say why. The action is closed for good.",
            style="danger",
        ),
        *ARCHIVE_BUTTONS,
    )
    empty_state = "No action yet. They are agreed in a review: what is done about a tool, by whom, until when."

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load tools, people and packs with the rows."""
        return super().get_queryset(request).select_related("tool", "owner", "pack")

    @display(description="Verdict", ordering="verdict", label=_VERDICTS)
    def what(self, action: ReviewAction) -> str:
        """What was agreed."""
        return Verdict(action.verdict).label

    @display(description="Expected saving a year", ordering="saving")
    def saves(self, action: ReviewAction) -> str:
        """What it is to save."""
        return money(action.saving, action.pack.currency)

    @display(description="State", ordering="state", label={"Open": "warning", "Done": "success", "Dropped": "info"})
    def stands(self, action: ReviewAction) -> str:
        """How far it has come."""
        return ActionState(action.state).label
