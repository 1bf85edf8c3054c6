"""What nobody answers for since somebody left."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from unfold.decorators import display

from apps.accounts.domain.ownership import post_of
from apps.accounts.domain.vacancies import fill_vacancy, refuse_fill
from apps.accounts.forms import FillForm
from apps.accounts.models import Vacancy
from apps.core.admin_kit.base import ReadOnlyAdmin
from apps.core.admin_kit.buttons import Button
from apps.core.words import NOTHING


@admin.register(Vacancy)
class VacancyAdmin(ReadOnlyAdmin):
    """Vacancies."""

    list_display = ("label", "capacity", "left_by", "created_at", "state", "filled_by")
    list_filter = (("filled_at", admin.EmptyFieldListFilter), "capacity")
    search_fields = ("label", "left_by__full_name")
    fields = ("label", "thing", "capacity", "left_by", "created_at", "filled_at", "filled_by")
    readonly_fields = ("thing",)
    empty_state = "No vacancy: everything has somebody who answers for it."
    buttons = (Button("fill", "Fill", fill_vacancy, refuse_fill, FillForm, style="primary"),)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return vacancies with the people they name."""
        return super().get_queryset(request).select_related("left_by", "filled_by")

    @display(description="State", label={"vacant": "danger", "filled": "success"})  # type: ignore[untyped-decorator]
    def state(self, vacancy: Vacancy) -> str:
        """Whether somebody answers for it again."""
        return "filled" if vacancy.filled_at else "vacant"

    @display(description="Where")  # type: ignore[untyped-decorator]
    def thing(self, vacancy: Vacancy) -> str:
        """The thing's own page."""
        post = post_of(vacancy.kind, vacancy.field)
        if post is None or post.model not in admin.site._registry:
            return NOTHING
        opts = post.model._meta
        url = reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=(vacancy.object_id,))
        return format_html('<a href="{}">Open the {}</a>', url, opts.verbose_name)
