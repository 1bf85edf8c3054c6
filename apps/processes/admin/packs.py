"""Governance packs: making one, reading it, taking it along."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from unfold.decorators import display

from apps.core import clock
from apps.core.admin_kit.base import ReadOnlyAdmin
from apps.core.admin_kit.links import url_of
from apps.core.admin_kit.pack_files import give_pack
from apps.core.errors import DomainError
from apps.core.packs import quarter_of, quarter_words
from apps.processes.domain import packs
from apps.processes.models import GovernancePack
from apps.processes.pack_files import document, workbook


def _file_name(pack: Any) -> str:
    return f"governance-{pack.quarter:%Y-%m}-{pack.number}"


@admin.register(GovernancePack)
class GovernancePackAdmin(ReadOnlyAdmin):
    """Governance packs; adding one is making it."""

    list_display = ("__str__", "of_quarter", "ends_on", "known_at", "made_by")
    list_filter = ("quarter",)
    list_select_related = ("made_by",)
    fields = ("quarter", "number", "ends_on", "known_at", "made_by", "digest")
    empty_state = "No pack yet. mops makes one after each quarter; “Add” makes one now."

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether this person may make a pack."""
        person: Any = request.user
        return bool(person.is_authenticated) and packs.refuse_pack(person) is None

    def get_urls(self) -> list[URLPattern]:
        """Add the addresses of the document and the workbook."""
        view = self.admin_site.admin_view(self.file_view)
        return [path("<int:pack_id>/file/<str:kind>/", view, name="processes_governancepack_file"), *super().get_urls()]

    @display(description="Quarter", ordering="quarter")
    def of_quarter(self, pack: GovernancePack) -> str:
        """Which quarter it tells about."""
        return quarter_words(pack.quarter)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponseBase:
        """Say what will be frozen, and freeze it."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        person: Any = request.user
        if request.method == "POST":
            try:
                pack = packs.make_pack(by=person)
            except DomainError as refusal:
                messages.error(request, refusal.message)
            else:
                messages.success(request, f"{pack} is made; its figures are frozen.")
                return HttpResponseRedirect(url_of(pack))
        context = {
            **self.admin_site.each_context(request),
            "title": "Make a governance pack",
            "opts": self.opts,
            "today": clock.today(),
            "quarter": quarter_words(quarter_of(clock.today())),
        }
        return TemplateResponse(request, "admin/processes/make_pack.html", context)

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show the pack."""
        pack = self.get_object(request, object_id)
        if pack is None or not self.has_view_permission(request, pack):
            return super().change_view(request, object_id, form_url, extra_context)
        context = {
            **self.admin_site.each_context(request),
            "title": str(pack),
            "opts": self.opts,
            "original": pack,
            "pack": pack,
            "untouched": packs.is_untouched(pack),
        }
        return TemplateResponse(request, "admin/processes/pack.html", context)

    def file_view(self, request: HttpRequest, pack_id: int, kind: str) -> HttpResponseBase:
        """Give the pack as a document or a workbook."""
        pack = self.get_object(request, str(pack_id))
        return give_pack(self, request, pack, kind, name=_file_name, document=document, workbook=workbook)
