"""Who stands in for whom, and emergencies with their reviews."""

import datetime as dt
from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from apps.accounts.models import User
from apps.approvals import registry
from apps.approvals.domain import delegations, emergencies
from apps.approvals.enums import Finding
from apps.approvals.models import BreakGlass, Delegation
from apps.core import clock
from apps.core.admin_kit.base import MopsAdmin, ReadOnlyAdmin
from apps.core.admin_kit.buttons import Button
from apps.core.admin_kit.locking import RowVersionForm


class DelegationForm(RowVersionForm):
    """Names who stands in, about what and for how long."""

    subject_kind = forms.ChoiceField(
        choices=lambda: [("", "Everything"), *registry.kinds()],
        required=False,
        label="About",
        widget=UnfoldAdminSelectWidget,
    )
    by: User | None = None

    class Meta:
        model = Delegation
        fields = ("from_person", "to_person", "subject_kind", "starts_at", "ends_at", "reason")

    def clean(self) -> Any:
        """Refuse in words what the operation refuses."""
        given = super().clean()
        names = ("from_person", "to_person", "starts_at", "ends_at")
        if self.by is not None and given and all(given.get(name) for name in names):
            refused = delegations.refuse_delegation(
                self.by,
                given["from_person"],
                given["to_person"],
                given.get("subject_kind", ""),
                given["starts_at"],
                given["ends_at"],
            )
            if refused:
                raise forms.ValidationError(refused)
        return given


@admin.register(Delegation)
class DelegationAdmin(MopsAdmin):
    """Out of office: who decides for whom."""

    form = DelegationForm
    list_display = ("__str__", "about", "starts_at", "ends_at", "standing", "reason")
    list_filter = ("from_person", "to_person")
    list_select_related = ("from_person", "to_person")
    search_fields = ("from_person__full_name", "to_person__full_name", "reason")
    fields = ("from_person", "to_person", "subject_kind", "starts_at", "ends_at", "reason")
    autocomplete_fields = ("from_person", "to_person")
    kits = ()
    buttons = (
        Button(
            "end",
            "End it now",
            delegations.end_delegation,
            delegations.refuse_ending,
            confirm="Decisions made until now stay; from now on nobody stands in.",
            icon="event_busy",
        ),
    )
    empty_state = "Nobody stands in for anybody. Before you are away, add who decides for you."

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Tell the form who asks."""
        form = super().get_form(request, obj, change=change, **kwargs)
        return type(form.__name__, (form,), {"by": request.user})

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Start with the person who asks, and a week from now on."""
        start = clock.now().replace(minute=0, second=0, microsecond=0)
        own = {"from_person": request.user.pk, "starts_at": start, "ends_at": start + dt.timedelta(days=7)}
        return {**own, **super().get_changeform_initial_data(request)}

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Say what it is about in words once it is given."""
        return ["about" if name == "subject_kind" and obj is not None else name for name in self.fields]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What was given stays as it was; it is ended by its button."""
        return obj is None and super().has_change_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Give it through the operation, which locks, records and tells both."""
        person: Any = request.user
        given = delegations.delegate(
            obj.from_person,
            to_person=obj.to_person,
            subject_kind=obj.subject_kind,
            starts_at=obj.starts_at,
            ends_at=obj.ends_at,
            reason=obj.reason,
            by=person,
        )
        obj.pk = given.pk
        obj.refresh_from_db()

    @display(description="About", ordering="subject_kind")
    def about(self, row: Delegation) -> str:
        """What it covers."""
        return dict(registry.kinds()).get(row.subject_kind, row.subject_kind) if row.subject_kind else "Everything"

    @display(description="State", label={"In force": "success", "To come": "info", "Ended early": "warning"})
    def standing(self, row: Delegation) -> str:
        """Whether it holds."""
        now = clock.now()
        if row.revoked_at is not None:
            return "Ended early"
        if row.starts_at > now:
            return "To come"
        return "In force" if row.ends_at > now else "Over"


class ReviewForm(forms.Form):
    """Asks what the review found."""

    finding = forms.ChoiceField(choices=Finding.choices, widget=UnfoldAdminSelectWidget)
    note = forms.CharField(
        label="What you looked at, and why",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
        help_text="Kept with the emergency.",
    )


@admin.register(BreakGlass)
class BreakGlassAdmin(ReadOnlyAdmin):
    """Emergencies: what was approved alone, why, and what somebody else found."""

    list_display = ("approval", "declared_by", "at", "standing", "reviewed_by", "reviewed_at")
    list_filter = ("finding", "declared_by")
    search_fields = ("approval__title", "reason")
    fields = ("approval", "declared_by", "at", "reason", "standing", "review_note", "reviewed_by", "reviewed_at")
    readonly_fields = ("standing",)
    buttons = (
        Button(
            "review",
            "Write the review",
            emergencies.review_emergency,
            emergencies.refuse_review,
            form=ReviewForm,
            confirm="It resolves the alert and stays with the emergency.",
            style="primary",
            icon="rate_review",
            hide_when_refused=False,
        ),
    )
    empty_state = "Nobody has approved anything alone in an emergency."

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load what the columns show."""
        return super().get_queryset(request).select_related("approval", "declared_by", "reviewed_by")

    @display(description="Review", label={"Not reviewed yet": "danger", Finding.NOT_JUSTIFIED.label: "warning"})
    def standing(self, row: BreakGlass) -> str:
        """What the review found."""
        return Finding(row.finding).label if row.finding else "Not reviewed yet"
