"""Compliance: the rules, how every record stands against them, and the waivers."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.db.models import Count, Max, OuterRef, Subquery
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSingleDateWidget

from apps.core import access, clock
from apps.core.access import visible
from apps.core.admin_kit.base import ARCHIVE_BUTTONS, MopsAdmin, ReadOnlyAdmin
from apps.core.admin_kit.buttons import Button, ReasonForm
from apps.core.admin_kit.links import link_to, url_of
from apps.core.alerts.enums import Severity
from apps.core.words import NOTHING
from apps.processes.admin.compliance_form import ComplianceRuleForm
from apps.processes.admin.exceptions import ShowsApproval
from apps.processes.domain import compliance, compliance_scope, exceptions
from apps.processes.enums import Standing, WaiverState
from apps.processes.models import (
    ComplianceResult,
    ComplianceRule,
    ComplianceStanding,
    ComplianceWaiver,
    Process,
)
from apps.processes.registry import checks

SHOWN = 15
OUTCOMES = {
    Standing.PASSED.label: "success",
    Standing.FAILED.label: "danger",
    Standing.WAIVED.label: "warning",
    Standing.OUT.label: "default",
}
SEVERITIES = {
    Severity.INFO.label: "info",
    Severity.WARNING.label: "warning",
    Severity.CRITICAL.label: "danger",
}
WAIVERS = {
    WaiverState.IN_REVIEW.label: "info",
    WaiverState.APPROVED.label: "success",
    WaiverState.REFUSED.label: "default",
}


class UntilForm(ReasonForm):
    """Asks why, and until when."""

    until = forms.DateField(
        label="Until", widget=UnfoldAdminSingleDateWidget, help_text="The last day it counts; within a year."
    )


def check_label(key: str) -> str:
    """Return what a check demands; its key where the app that brings it is gone."""
    return next((each.label for each in checks() if each.key == key), key)


def _without_scope(fieldset: tuple[Any, dict[str, Any]]) -> tuple[Any, dict[str, Any]]:
    name, options = fieldset
    return name, {**options, "fields": [each for each in options["fields"] if each != "scope"]}


def _in_words(fieldset: tuple[Any, dict[str, Any]]) -> tuple[Any, dict[str, Any]]:
    """A part of the form for who only reads it: the check and what it applies to as sentences."""
    name, options = fieldset
    rows = [each if isinstance(each, str) else [_READ.get(one, one) for one in each] for each in options["fields"]]
    return name, {**options, "fields": [_READ.get(each, each) if isinstance(each, str) else each for each in rows]}


_READ = {"check_key": "checked", "scope": "applies_to"}


@admin.register(ComplianceRule)
class ComplianceRuleAdmin(MopsAdmin):
    """What must hold."""

    form = ComplianceRuleForm
    list_display = ("title", "checked", "bad", "applies_to", "failing", "owned_by", "looked_at")
    list_filter = ("severity", "owner_person", "effective_from", "effective_until")
    search_fields = ("title", "check_key")
    autocomplete_fields = ("owner_person", "owner_team", "backup_person", "backup_team")
    fieldsets = (
        (None, {"fields": ("title", ("check_key", "severity"), "scope", ("effective_from", "effective_until"))}),
        ("Who is told", {"fields": (("owner_person", "owner_team"), ("backup_person", "backup_team"))}),
        ("What to do about a failure", {"fields": ("way_out",)}),
    )
    list_select_related = ("owner_person", "owner_team")
    empty_state = "No rule yet. Add one: choose what is looked at, how bad a failure is, and who is told."
    buttons = (
        Button(
            "evaluate",
            "Check now",
            compliance.check_now,
            compliance.refuse_check_now,
            style="primary",
            icon="rule",
        ),
        *ARCHIVE_BUTTONS,
    )

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Tell the form who builds."""
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        form.person = request.user
        return form

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Leave out what a rule applies to until it is saved, and where its records cannot be narrowed."""
        found = super().get_fieldsets(request, obj)
        writes = obj is None or self.has_change_permission(request, obj)
        if obj is not None and writes and self._can_narrow(obj):
            return found
        return [_without_scope(each) if writes else _in_words(each) for each in found]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[str]:
        """Say in words what is looked at, and in which records, where it can only be read."""
        return (*super().get_readonly_fields(request, obj), "checked", "applies_to")

    def _can_narrow(self, rule: ComplianceRule) -> bool:
        check = next((each for each in checks() if each.key == rule.check_key), None)
        return check is not None and compliance_scope.scope_model(check) is not None

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """A rule applies from today, and who adds it is told, until they say otherwise."""
        given = {"effective_from": clock.today(), "owner_person": request.user.pk}
        return {**given, **super().get_changeform_initial_data(request)}

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Count, with the rows, the findings this person sees."""
        person: Any = request.user
        mine = visible(person, ComplianceStanding).filter(rule=OuterRef("pk")).order_by().values("rule")
        failing = mine.filter(outcome=Standing.FAILED).annotate(number=Count("pk")).values("number")
        looked = mine.annotate(last=Max("checked_at")).values("last")
        rows: models.QuerySet[Any] = (
            super().get_queryset(request).annotate(failing_now=Subquery(failing), checked_at=Subquery(looked))
        )
        return rows

    @display(description="Check", ordering="check_key")
    def checked(self, rule: ComplianceRule) -> str:
        """What is looked at."""
        return check_label(rule.check_key)

    @display(description="Severity", ordering="severity", label=SEVERITIES)
    def bad(self, rule: ComplianceRule) -> str:
        """How bad a failure is."""
        return Severity(rule.severity).label

    @display(description="Applies to", ordering="scope_words")
    def applies_to(self, rule: ComplianceRule) -> str:
        """Which records."""
        return rule.scope_words or "All"

    @display(description="Not met", ordering="failing_now", label={"bad": "danger", "good": "success"})
    def failing(self, rule: Any) -> Any:
        """How many records do not meet it."""
        if not rule.checked_at:
            return NOTHING
        return ("bad", str(rule.failing_now)) if rule.failing_now else ("good", "0")

    @display(description="Owner", ordering="owner_person__full_name")
    def owned_by(self, rule: ComplianceRule) -> str:
        """Who is told."""
        return str(rule.owner or NOTHING)

    @display(description="Looked at", ordering="checked_at")
    def looked_at(self, rule: Any) -> Any:
        """When it was evaluated last."""
        return rule.checked_at or "Not yet"

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show how the records stand."""
        rule, extra = self.get_object(request, object_id), dict(extra_context or {})
        if rule is not None:
            person: Any = request.user
            rows = visible(person, ComplianceStanding).filter(rule=rule).exclude(outcome=Standing.OUT)
            counts = dict(rows.order_by().values_list("outcome").annotate(Count("pk")))
            panel = {
                "template": "admin/processes/compliance_panel.html",
                "rule": rule,
                "lines": list(rows.exclude(outcome=Standing.PASSED).order_by("outcome", "-since")[:SHOWN]),
                "failed": counts.get(Standing.FAILED, 0),
                "waived": counts.get(Standing.WAIVED, 0),
                "passed": counts.get(Standing.PASSED, 0),
                "all_url": compliance.findings_url(rule__id__exact=rule.pk),
                "looked": any(counts.values()),
            }
            extra["row_panels"] = [*extra.get("row_panels", []), panel]
        return super().change_view(request, object_id, form_url, extra)


@admin.register(ComplianceStanding)
class ComplianceStandingAdmin(ReadOnlyAdmin):
    """How records stand against rules."""

    list_display = ("subject_label", "against", "standing", "bad", "why", "since")
    list_filter = ("outcome", "rule", "rule__severity", "process__family", "since")
    allowed_lookups = ("process__id__exact", "rule__id__exact", "object_id", "content_type")
    search_fields = ("subject_label", "reason", "rule__title")
    fields = ("about", "against", "standing", "why", "what_to_do", "since", "checked_at")
    list_select_related = ("rule",)
    ordering = ("outcome", "-since", "-id")  # what is not met comes first
    empty_state = "Nothing was evaluated yet. Rules are evaluated every night, and by “Check now” on their page."
    buttons = (
        Button(
            "waive",
            "Ask for a waiver",
            exceptions.ask_waiver,
            exceptions.refuse_ask_waiver,
            form=UntilForm,
            confirm="The record counts as not meeting the rule until a second person has approved; after the last day "
            "it counts so again.",
            icon="gpp_maybe",
        ),
    )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Leave out what no rule applies to any more; its results stay on record."""
        rows: models.QuerySet[Any] = super().get_queryset(request).select_related("rule", "content_type")
        return rows.exclude(outcome=Standing.OUT)

    @display(description="Rule", ordering="rule__title")
    def against(self, row: ComplianceStanding) -> str:
        """Which rule."""
        return str(row.rule)

    @display(description="Record")
    def about(self, row: ComplianceStanding) -> SafeString | str:
        """The record, as a link."""
        return SafeString(link_to(row.subject)) if row.subject is not None else row.subject_label

    @display(description="Stands", ordering="outcome", label=OUTCOMES)
    def standing(self, row: ComplianceStanding) -> str:
        """How it stands."""
        return Standing(row.outcome).label

    @display(description="Severity", ordering="rule__severity", label=SEVERITIES)
    def bad(self, row: ComplianceStanding) -> str:
        """How bad a failure is."""
        return Severity(row.rule.severity).label

    @display(description="Why", ordering="reason")
    def why(self, row: ComplianceStanding) -> str:
        """Why it is not met."""
        return row.reason or NOTHING

    @display(description="What to do")
    def what_to_do(self, row: ComplianceStanding) -> str:
        """The way out."""
        way = next((each.way_out for each in checks() if each.key == row.rule.check_key), "")
        return row.rule.way_out or way or NOTHING

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show how it came to stand so."""
        row, extra = self.get_object(request, object_id), dict(extra_context or {})
        if row is not None:
            about = {"rule": row.rule, "content_type": row.content_type, "object_id": row.object_id}
            results = ComplianceResult.objects.filter(**about)
            person: Any = request.user
            waivers = visible(person, ComplianceWaiver).filter(**about).select_related("asked_by")
            panel = {
                "template": "admin/processes/finding_panel.html",
                "results": list(results.select_related("waiver")[:SHOWN]),
                "waivers": list(waivers[:SHOWN]),
                "row": row,
                "subject_url": url_of(row.subject),
            }
            extra["row_panels"] = [*extra.get("row_panels", []), panel]
        return super().change_view(request, object_id, form_url, extra)


@admin.register(ComplianceWaiver)
class ComplianceWaiverAdmin(ShowsApproval, ReadOnlyAdmin):
    """What is waived, until when, and who asked."""

    list_display = ("subject_label", "rule", "standing", "until", "asked_by", "created_at")
    list_filter = ("state", "rule", "until")
    search_fields = ("subject_label", "reason", "rule__title")
    fields = ("subject_label", "rule", "standing", "until", "asked_by", "reason")
    list_select_related = ("rule", "asked_by")
    empty_state = "No waiver yet. “Ask for a waiver” on a finding asks for one."

    @display(description="State", ordering="state", label={**WAIVERS, "Ended": "warning"})
    def standing(self, waiver: ComplianceWaiver) -> str:
        """What became of it."""
        if waiver.state == WaiverState.APPROVED and waiver.until < clock.today():
            return "Ended"
        return WaiverState(waiver.state).label


def compliance_panel(request: HttpRequest, process: Process) -> list[dict[str, Any]]:
    """Return the box of a process with the rules it is held to; none for people who see no findings."""
    person: Any = request.user
    if not access.has_model_permission(person, "view", ComplianceStanding):
        return []
    rows = visible(person, ComplianceStanding).filter(process=process).exclude(outcome=Standing.OUT)
    lines = rows.select_related("rule").order_by("outcome", "rule__title")
    return [
        {
            "template": "admin/processes/process_compliance_panel.html",
            "lines": list(lines.exclude(outcome=Standing.PASSED)[:SHOWN]),
            "passed": rows.filter(outcome=Standing.PASSED).count(),
            "total": rows.count(),
            "all_url": compliance.findings_url(process__id__exact=process.pk),
        }
    ]
