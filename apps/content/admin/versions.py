"""Versions of content: written, previewed, checked, signed off, compared."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST
from unfold.decorators import display

from apps.approvals.models import ApprovalRequest
from apps.content.domain import checking, figures, publishing, using, writing
from apps.content.domain.approving import version_before
from apps.content.domain.preview import differences, frame
from apps.content.enums import LEVELS, SALES_KINDS, UNDER_WAY, Channel, Kind, Severity, VersionState
from apps.content.models import PUBLISHING_TOOLS, ContentVersion, Distribution
from apps.core import access, clock
from apps.core.admin_kit.base import VersionAdmin
from apps.core.admin_kit.buttons import Button, NoteForm, ReasonForm
from apps.core.admin_kit.counting import CappedPaginator
from apps.core.admin_kit.searching import SearchesByIndex
from apps.technology.models import Tool

STATES = {
    VersionState.DRAFT.label: "warning",
    VersionState.QA.label: "info",
    VersionState.IN_REVIEW.label: "info",
    VersionState.APPROVED.label: "success",
    VersionState.PUBLISHED.label: "success",
    VersionState.EXPIRED.label: "danger",
}


def distribution_form(version: ContentVersion) -> type[forms.Form]:
    """Return what is asked before a distribution is planned: through which approved tool, and where."""
    tools = Tool.objects.live().filter(lifecycle__in=PUBLISHING_TOOLS).order_by("name")
    return type(
        "DistributionForm",
        (forms.Form,),
        {
            "tool": forms.ModelChoiceField(tools, help_text="Approved tools alone."),
            "place": forms.CharField(max_length=200, help_text="Which list, page, account or campaign in that tool."),
            "main_channel": forms.ChoiceField(
                choices=Channel.choices, initial=version.asset.main_channel, label="Channel"
            ),
            "address": forms.URLField(required=False, assume_scheme="https", help_text="Where people will see it."),
        },
    )


class UseForm(forms.Form):
    """Asks with whom, and whether it helped."""

    occasion = forms.CharField(max_length=200, label="With whom", help_text="Customer, deal or meeting.")
    helped = forms.NullBooleanField(required=False, help_text="Leave open where it shows later.")
    note = forms.CharField(required=False, max_length=500, help_text="What was asked that it does not answer.")


@admin.register(ContentVersion)
class ContentVersionAdmin(SearchesByIndex, VersionAdmin):
    """Versions of content."""

    paginator = CappedPaginator
    list_display = ("content", "number", "variant", "standing", "author", "expires_on", "updated_at")
    list_filter = ("state", "asset__kind", "asset__main_channel", "asset__region")
    search_fields = ("asset__title", "subject")
    fields = (
        *("subject", "preheader", "body", "colours", ("expires_on", "variant"), "change_note", "author", "digest"),
    )
    readonly_fields = ("author", "digest")
    empty_state = "No version yet. Open a piece of content and press “Write a version”."
    buttons = (
        Button(
            "submit",
            "Send into the checks",
            writing.submit_to_checks,
            writing.refuse_submission,
            form=NoteForm,
            confirm="Text and files are frozen as they are saved, and all rules look at them. Others sign the checks "
            "off, then it goes for approval; you cannot do either.",
            style="primary",
            icon="send",
        ),
        Button("check", "Run the checks", checking.check_now, checking.refuse_run, icon="fact_check"),
        Button(
            "sign_off",
            "Sign the next level off",
            checking.sign_off,
            checking.refuse_sign_off,
            form=NoteForm,
            confirm="The rules look at it once more. After the last level its approval is asked for.",
            style="primary",
            icon="verified",
            hide_when_refused=False,
        ),
        Button(
            "send_back",
            "Send back",
            writing.send_back,
            writing.refuse_send_back,
            form=ReasonForm,
            confirm="It becomes a draft again; what was signed off has to be signed off again.",
            icon="undo",
        ),
        Button(
            "distribute",
            "Plan a distribution",
            publishing.plan_distribution,
            publishing.refuse_plan,
            form_for=distribution_form,
            icon="share",
            writes=lambda _: Distribution,
        ),
        Button("use", "I used this", using.note_use, using.refuse_use, form=UseForm, icon="handshake"),
        Button(
            "put_away",
            "Put away",
            writing.put_away,
            writing.refuse_put_away,
            form=ReasonForm,
            confirm="It is out of use for good. Where it is published, it has to be taken down.",
            style="danger",
            icon="inventory_2",
        ),
    )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load the content and the author with the rows; a list does not carry the texts."""
        rows: models.QuerySet[Any] = super().get_queryset(request).select_related("asset", "author")
        match = request.resolver_match
        is_list = match is not None and (match.url_name or "").endswith("_changelist")
        return rows.defer("body", "colours", "files") if is_list else rows

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Leave the raw text out where it can only be read: how it looks and its source stand above."""
        given = super().get_fields(request, obj)
        return given if self.has_change_permission(request, obj) else [each for each in given if each != "body"]

    @display(description="Content", ordering="asset__title")
    def content(self, version: ContentVersion) -> str:
        """Of what it is a version."""
        return version.asset.title

    @display(description="State", ordering="state", label=STATES)
    def standing(self, version: ContentVersion) -> str:
        """Where it stands."""
        return VersionState(version.state).label

    def get_urls(self) -> list[URLPattern]:
        """Add the preview of a text that is being written."""
        wrap = self.admin_site.admin_view
        own = [
            path(
                f"preview/{name}/",
                wrap(require_POST(self.preview_view)),
                {"is_html": is_html},
                name=f"content_contentversion_preview_{name}",
            )
            for name, is_html in (("html", True), ("markdown", False))
        ]
        return [*own, *super().get_urls()]

    def preview_view(self, request: HttpRequest, *, is_html: bool) -> HttpResponse:
        """Answer a text with the frame that shows it; keeps nothing."""
        person: Any = request.user
        if not access.has_model_permission(person, "view", ContentVersion):
            return HttpResponse(status=403)
        return HttpResponse(frame(request.POST.get("text", ""), is_html=is_html))

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show where it stands, what the checks found, how it looks, what differs, and its approvals."""
        version, extra = self.get_object(request, object_id), dict(extra_context or {})
        if version is not None and request.method == "GET":
            panels = [self._checks(version), self._look(request, version), self._places(version)]
            extra["row_panels"] = [*extra.get("row_panels", []), *panels]
        return super().change_view(request, object_id, form_url, extra)

    def _checks(self, version: ContentVersion) -> dict[str, Any]:
        run, today = checking.newest_run(version), clock.today()
        waived = checking.waived_fingerprints(version, today)
        found = list(run.findings.order_by("pk")) if run is not None else []
        blocking = {each.pk for each in found if each.severity == Severity.BLOCK and each.fingerprint not in waived}
        signed = {}
        if version.submitted_at is not None:
            rows = version.sign_offs.filter(submitted_at=version.submitted_at).select_related("by")
            signed = {each.level: each for each in rows}
        return {
            "template": "admin/content/checks_panel.html",
            "version": version,
            "run": run,
            "waived": waived,
            "blocking": blocking,
            "levels": [
                {
                    "label": level.label,
                    "signed": signed.get(level.value),
                    "findings": [each for each in found if each.level == level.value],
                    "holding": sum(each.pk in blocking for each in found if each.level == level.value),
                }
                for level in LEVELS
            ],
            "under_way": version.state in UNDER_WAY,
            "is_current": run is not None and (not version.digest or run.digest == version.digest),
        }

    def _places(self, version: ContentVersion) -> dict[str, Any]:
        days = figures.by_day(version)
        is_page = version.asset.kind == Kind.LANDING_PAGE
        return {
            "template": "admin/content/shown_panel.html",
            "version": version,
            "distributions": version.distributions.select_related("tool", "published_by")[:30],
            "figures": [(Channel(name).label, each) for name, each in figures.figures_of(version).items()],
            "charts": [
                (label, chart)
                for name, label in (("opened", "Visits" if is_page else "Opened"), ("converted", "Converted"))
                if (chart := figures.chart(days, name)) is not None
            ],
            "usage": using.usage_of(version) if version.asset.kind in SALES_KINDS else None,
        }

    def _look(self, request: HttpRequest, version: ContentVersion) -> dict[str, Any]:
        person: Any = request.user
        before = version_before(version)
        is_html = version.asset.is_html
        requests: Any = access.visible(person, ApprovalRequest).filter(
            object_id=version.pk, content_type__app_label="content", content_type__model="contentversion"
        )
        name = f"admin:content_contentversion_preview_{'html' if is_html else 'markdown'}"
        return {
            "template": "admin/content/version_panel.html",
            "version": version,
            "frame": frame(version.body, is_html=is_html),
            "before": before,
            "differs": differences(before, version) if before is not None else None,
            "files": writing.files_of(version),
            "requests": requests.with_decisions().order_by("-pk"),
            "preview": reverse(name) if version.is_draft else "",
        }
