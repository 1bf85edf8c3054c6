"""The pages of separation of duties: rules, waivers, and the report of who has or used both duties of a rule."""

import datetime as dt
from functools import cache
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelect2Widget

from apps.accounts.forms import active_people
from apps.accounts.models import User
from apps.audit.kinds import kind_of
from apps.core import access, clock
from apps.core.admin_kit.base import ARCHIVE_BUTTONS, MopsAdmin, ReadOnlyAdmin
from apps.core.admin_kit.buttons import Button, ReasonForm
from apps.core.admin_kit.days import DayInput
from apps.core.admin_kit.links import link_to, url_of
from apps.core.admin_kit.locking import RowVersionForm
from apps.rights.domain.duties import Conflict, conflicts, duty_choices
from apps.rights.domain.violations import Act, Violation, is_observable, violations
from apps.rights.domain.waivers import ask_waiver, end_waiver, refuse_ask, refuse_end
from apps.rights.models import SodRule, SodWaiver
from apps.rights.models.duties import duty_in_words

PERIODS = {"30": "30 days", "90": "90 days", "365": "a year"}


class SodRuleForm(RowVersionForm):
    """A rule, with the duties there are."""

    first = forms.ChoiceField(label="One duty", choices=duty_choices, widget=UnfoldAdminSelect2Widget)
    second = forms.ChoiceField(label="With another", choices=duty_choices, widget=UnfoldAdminSelect2Widget)


class WaiverForm(ReasonForm):
    """For whom, until when and why."""

    person = forms.ModelChoiceField(User.objects.none())
    until = forms.DateField(widget=DayInput(), help_text="The last day, at most a year from now.")
    field_order = ("person", "until", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer who works here."""
        super().__init__(*args, **kwargs)
        self.fields["person"].queryset = active_people()  # type: ignore[attr-defined]  # a ModelChoiceField


def _ask(rule: SodRule, *, by: User, person: User, until: dt.date, reason: str) -> str:
    end = timezone.make_aware(dt.datetime.combine(until, dt.time.min)) + dt.timedelta(days=1)
    ask_waiver(rule, person=person, expires_at=end, reason=reason, by=by)
    return f"Asked for. It holds once it is approved; {person} has no waiver before. You are told what is decided."


@admin.register(SodRule)
class SodRuleAdmin(MopsAdmin):
    """Separation-of-duties rules."""

    form = SodRuleForm
    list_display = ("name", "one", "other", "shown_risk", "shown_effect", "in_force")
    list_filter = ("risk", "effect", "is_active")
    search_fields = ("name", "why")
    fields = ("name", "first", "second", "risk", "effect", "why", "is_active")
    kits = ("notes",)
    empty_state = "No rule yet. A rule names two duties that one person should not have."
    buttons = (
        Button(
            "waive",
            "Ask for a waiver",
            _ask,
            refuse_ask,
            WaiverForm,
            confirm="Whom the policy names decides: another administrator, unless changed. Until then, and after "
            "its last day, the rule holds.",
            step_up=True,
        ),
        *ARCHIVE_BUTTONS,
    )

    @display(description="One duty", ordering="first")
    def one(self, rule: SodRule) -> str:
        """The first duty in words."""
        return _words(rule.first)

    @display(description="With another", ordering="second")
    def other(self, rule: SodRule) -> str:
        """The second duty in words."""
        return _words(rule.second)

    @display(description="Risk", ordering="risk", label={"High": "danger", "Medium": "warning", "Low": "info"})
    def shown_risk(self, rule: SodRule) -> str:
        """How bad it would be."""
        return str(rule.get_risk_display())

    @display(description="When both would meet", ordering="effect")
    def shown_effect(self, rule: SodRule) -> str:
        """What it does."""
        return str(rule.get_effect_display())

    @display(description="State", label={"Active": "success"})
    def in_force(self, rule: SodRule) -> str:
        """Whether it holds now."""
        return "Active" if rule.is_active and not rule.is_archived else "Off"


@cache
def _all_duties() -> dict[str, str]:
    """Every duty in words, looked up once: there are others after a migration alone."""
    return {key: words for _, pairs in duty_choices() for key, words in pairs}


def _words(duty: str) -> str:
    return _all_duties().get(duty, duty)


@admin.register(SodWaiver)
class SodWaiverAdmin(ReadOnlyAdmin):
    """Waivers."""

    list_display = ("person", "rule", "state", "asked_by", "approved_by", "expires_at")
    list_display_links = ("person",)
    list_filter = ("rule", "approved_at", "ended_at")
    search_fields = ("person__full_name", "person__email", "rule__name", "reason")
    fields = (
        *("person", "rule", "reason", "state", "expires_at", "asked_by", "created_at"),
        *("approved_by", "approved_at", "ended_by", "ended_at", "ended_why"),
    )
    readonly_fields = ("state",)
    empty_state = "No waiver. Open a separation-of-duties rule and ask for one; another administrator approves it."
    buttons = (
        Button(
            "end",
            "End it",
            end_waiver,
            refuse_end,
            ReasonForm,
            confirm="The rule holds for this person again at once.",
            style="danger",
            step_up=True,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load people and rules with the rows."""
        return super().get_queryset(request).select_related("person", "rule", "asked_by", "approved_by", "ended_by")

    @display(
        description="State", label={"in force": "success", "asked for": "warning", "expired": "info", "ended": "danger"}
    )
    def state(self, waiver: SodWaiver) -> str:
        """Whether it allows anything now."""
        return waiver.state_at(clock.now())


@admin.site.admin_view
def duties_page(request: HttpRequest) -> HttpResponse:
    """Show, rule by rule, who has both duties and who used both on the same record."""
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD"])
    person: Any = request.user
    if not access.has_model_permission(person, "view", SodRule):
        raise PermissionDenied("Administrators and auditors read this report; ask one of them.")
    days = request.GET.get("days", "90")
    days = days if days in PERIODS else "90"
    since = clock.now() - dt.timedelta(days=int(days))
    standing: dict[int, list[Conflict]] = {}
    for each in conflicts():
        standing.setdefault(each.rule.pk, []).append(each)
    rules = [
        _rule(person, rule, standing.get(rule.pk, []), since)
        for rule in access.visible(person, SodRule).filter(is_active=True, archived_at=None)
    ]
    context = {
        **admin.site.each_context(request),
        "title": "Separation of duties",
        "rules": rules,
        "days": days,
        "periods": PERIODS.items(),
        "standing": sum(len(each["standing"]) for each in rules),
        "used": sum(len(each["used"]) for each in rules),
        "waived": sum(len(each["waived"]) for each in rules),
    }
    return TemplateResponse(request, "admin/rights/duties.html", context)


def _rule(person: User, rule: SodRule, found: list[Conflict], since: dt.datetime) -> dict[str, Any]:
    return {
        "rule": rule,
        "url": url_of(rule),
        "first": duty_in_words(rule.first),
        "second": duty_in_words(rule.second),
        "blind": not (is_observable(rule.first) and is_observable(rule.second)),
        "standing": [_conflict(each) for each in found if each.waiver is None],
        "waived": [_conflict(each) for each in found if each.waiver is not None],
        "used": [_violation(person, each) for each in violations(rule, since=since)],
    }


def _conflict(conflict: Conflict) -> dict[str, Any]:
    return {
        "person": conflict.person,
        "url": url_of(conflict.person),
        "first": conflict.first,
        "second": conflict.second,
        "waiver": conflict.waiver,
        "waiver_url": url_of(conflict.waiver),
    }


def _violation(person: User, violation: Violation) -> dict[str, Any]:
    thing = violation.thing
    seen = thing is not None and bool(access.can(person, "view", thing))
    ledger = reverse("admin:audit_auditevent_changelist")
    query = urlencode({"table_name": violation.table, "object_id": violation.object_id})
    return {
        "person": violation.person,
        "person_url": url_of(violation.person),
        "kind": kind_of(violation.table),
        "thing": link_to(thing) if seen else f"#{violation.object_id}",
        "first": _act(violation.first),
        "second": _act(violation.second),
        "ledger": f"{ledger}?{query}",
    }


def _act(act: Act) -> dict[str, Any]:
    if act.event is not None:
        return {"at": act.at, "word": "changed", "url": reverse("admin:audit_auditevent_change", args=(act.event,))}
    url = reverse("admin:approvals_approvalrequest_change", args=(act.decision,))
    return {"at": act.at, "word": "decided", "url": url}
