"""The pages of tagged links: the builder with its preview, the plan as a list, and the drift report."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.decorators import display

from apps.campaigns.domain import utm, utm_drift, utm_plan
from apps.campaigns.enums import OVER
from apps.campaigns.models import Campaign, UtmLink
from apps.campaigns.models.utm import TAGS
from apps.core import access, clock
from apps.core.admin_kit.base import ARCHIVE_BUTTONS, MopsAdmin
from apps.core.admin_kit.locking import RowVersionForm
from apps.core.errors import DomainError

SHOWN = 100
SAID = ("landing_url", *TAGS)


class BuilderForm(forms.Form):
    """Asks what a link is to say."""

    campaign: Any = forms.ModelChoiceField(queryset=None)
    landing_url = forms.CharField(label="Landing page", required=False, help_text="Without tags: https://…")
    source = forms.CharField(required=False, help_text="Who sends the visit: newsletter, linkedin, google.")
    medium = forms.CharField(required=False, help_text="By which means: email, cpc, social, print.")
    campaign_tag = forms.CharField(
        label="Campaign tag", required=False, help_text="One name for all links of this campaign and of no other."
    )
    term = forms.CharField(required=False, help_text="Paid search: the keyword. Else empty.")
    content = forms.CharField(required=False, help_text="Which of several links: button-top. Else empty.")
    note = forms.CharField(label="Used for", required=False, max_length=150, help_text="For instance: the first mail.")

    def __init__(self, *args: Any, person: Any, **kwargs: Any) -> None:
        """Offer the campaigns one sees that are not over; the operation says for which one may plan."""
        super().__init__(*args, **kwargs)
        rows = access.visible(person, Campaign).filter(archived_at=None).exclude(state__in=OVER)
        self.fields["campaign"].queryset = rows.order_by("name")  # type: ignore[attr-defined]  # a choice of rows

    def given(self) -> dict[str, str]:
        """Return the landing page and the tags."""
        return utm_plan.told(self.cleaned_data)

    def blame(self, wrong: dict[str, str]) -> None:
        """Put each sentence beside its field."""
        for name, sentence in wrong.items():
            self.add_error(name if name in self.fields else None, sentence)


@admin.site.admin_view
def builder_page(request: HttpRequest) -> HttpResponse:
    """Build a link: look at it first, then add it to the plan of a campaign.

    Raises:
        PermissionDenied: the person does not see links.
    """
    person: Any = request.user
    if not access.has_model_permission(person, "view", UtmLink):
        raise PermissionDenied
    chosen = _chosen(request, person)
    first = {"campaign": chosen, **utm_plan.first_guess(chosen)} if chosen is not None else {}
    form, preview = BuilderForm(request.POST or None, initial=first, person=person), None
    if request.method == "POST" and form.is_valid():
        campaign, given = form.cleaned_data["campaign"], form.given()
        try:
            if "add" in request.POST:
                made = utm_plan.plan_link(campaign, by=person, note=form.cleaned_data["note"], **given)
                messages.success(request, f"Planned: {made.address}")
                return HttpResponseRedirect(f"{reverse('campaign-utm')}?campaign={campaign.pk}")
            form.blame(utm.problems_of(given) or utm_plan.collisions(campaign, given))
            preview = UtmLink(campaign=campaign, **given).address if form.is_valid() else None
        except DomainError as refusal:
            form.blame(refusal.fields or {"": refusal.message})
    context = {
        **admin.site.each_context(request),
        "title": "UTM builder",
        "form": form,
        "preview": preview,
        "may_add": access.has_model_permission(person, "add", UtmLink),
        "chosen": chosen,
        "links": list(utm_plan.planned_links(chosen)[:SHOWN]) if chosen is not None else [],
    }
    return TemplateResponse(request, "admin/campaigns/utm_builder.html", context)


def _chosen(request: HttpRequest, person: Any) -> Campaign | None:
    key = request.POST.get("campaign") or request.GET.get("campaign") or ""
    if not key.isdecimal() or len(key) > 15:
        return None
    found: Campaign | None = access.visible(person, Campaign).filter(pk=key).first()
    return found


@admin.site.admin_view
def drift_page(request: HttpRequest) -> HttpResponse:
    """Show which tags turned up that are in no plan, and which planned links nobody came by.

    Raises:
        PermissionDenied: the person does not see links.
    """
    person: Any = request.user
    if not access.has_model_permission(person, "view", UtmLink):
        raise PermissionDenied
    report = utm_drift.drift_of(person, clock.today())
    context = {
        **admin.site.each_context(request),
        "title": "Drift of UTM tags",
        "report": report,
        "drifted": report.drifted[:SHOWN],
        "unseen": report.unseen[:SHOWN],
    }
    return TemplateResponse(request, "admin/campaigns/utm_drift.html", context)


class LinkForm(RowVersionForm):
    """Asks what a link says, by the same rules as the builder."""

    def clean(self) -> Any:
        """Refuse what the builder refuses."""
        data = super().clean()
        if self.instance.pk is None or not set(self.changed_data).intersection(SAID) or self.errors:
            return data
        values = utm_plan.told({name: self.cleaned_data.get(name, getattr(self.instance, name)) for name in SAID})
        wrong = utm.problems_of(values) or utm_plan.collisions(self.instance.campaign, values, but=self.instance.pk)
        for name, sentence in wrong.items():
            self.add_error(name if name in self.fields else None, sentence)
        return data


@admin.register(UtmLink)
class UtmLinkAdmin(MopsAdmin):
    """The planned links of all campaigns."""

    form = LinkForm
    list_display = ("note_or_tags", "campaign", "source", "medium", "campaign_tag", "content", "landing_url")
    list_filter = ("source", "medium", "campaign__state")
    search_fields = ("campaign__name", "campaign_tag", "source", "content", "landing_url", "note")
    allowed_lookups = ("campaign",)
    fields = ("campaign", "whole", "landing_url", ("source", "medium"), ("campaign_tag", "term", "content"), "note")
    readonly_fields = ("campaign", "whole")
    export_fields = ("campaign", "note", "landing_url", *TAGS, "address")
    kits = ("notes",)
    buttons = ARCHIVE_BUTTONS
    empty_state = "No link is planned yet. Plan one in the UTM builder; the launch of a campaign asks for it."

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load the campaigns with the rows."""
        return super().get_queryset(request).select_related("campaign")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Links are planned in the builder, which shows them first."""
        return False

    @display(description="Used for", ordering="note")
    def note_or_tags(self, link: UtmLink) -> str:
        """What it is used for; its tags where nobody said."""
        return link.note or str(link)

    @display(description="Whole address", ordering="landing_url")
    def whole(self, link: UtmLink) -> str:
        """The landing page with its tags."""
        return link.address


def utm_panel(request: HttpRequest, campaign: Campaign) -> list[dict[str, Any]]:
    """Return the box with the planned links of a campaign; none for people who do not see them."""
    person: Any = request.user
    if not access.has_model_permission(person, "view", UtmLink):
        return []
    links = campaign.live_parts("utm_links")
    may_add = access.has_model_permission(person, "add", UtmLink) and campaign.state not in OVER
    return [
        {
            "template": "admin/campaigns/utm_panel.html",
            "links": links[:SHOWN],
            "more": len(links) > SHOWN,
            "campaign": campaign,
            "may_add": may_add and not campaign.is_archived,
        }
    ]
