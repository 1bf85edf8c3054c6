"""The pages of possible duplicates and of merges, and the form that keeps duplicates out."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from unfold.decorators import display
from unfold.widgets import UnfoldBooleanSwitchWidget

from apps.core import access, clock
from apps.core.admin_kit.base import ReadOnlyAdmin
from apps.core.admin_kit.buttons import Button, ReasonForm
from apps.core.admin_kit.locking import RowVersionForm
from apps.core.words import NOTHING
from apps.leads.domain.duplicates import merging
from apps.leads.domain.duplicates.entry import holder, look_alikes
from apps.leads.domain.duplicates.finding import open_pairs
from apps.leads.enums import PairState
from apps.leads.models import DuplicatePair, Lead, Merge
from apps.leads.models.merging import told_apart

_SHOWN = (
    *("name", "email", "phone", "job_title", "company", "account", "country", "territory"),
    *("origin", "source", "stage", "record_source", "external_id", "created_at"),
)
_MOVED = {  # one of them, more of them
    "touches": ("touch", "touches"),
    "intakes": ("delivery", "deliveries"),
    "values": ("value of a field", "values of fields"),
    "identities": ("browser", "browsers"),
    "contacts": ("contact of sales", "contacts of sales"),
    "merged": ("earlier merge", "earlier merges"),
}


def lead_link(lead: Lead, besides: Lead | None = None) -> Any:
    """Return a lead with a link to its page, told from the one `besides` it."""
    named = told_apart(lead, besides) if besides is not None else str(lead)
    return format_html(
        '<a class="mops-link" href="{}">{}</a>', reverse("admin:leads_lead_change", args=(lead.pk,)), named
    )


def _label(name: str) -> str:
    words = str(Lead._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
    return words[:1].upper() + words[1:]


def _told_apart(lead: Lead, besides: Lead) -> str:
    """Return a lead with what tells it from the other one: two people of one name are no choice."""
    told = {name: str(getattr(lead, name) or "") for name in ("email", "phone", "company", "record_source")}
    same = [name for name, value in told.items() if value == str(getattr(besides, name) or "")]
    marks = [value for name, value in told.items() if value and (name == "email" or name not in same)]
    return " · ".join(
        [told_apart(lead, besides), *marks, f"{lead.get_stage_display()}, since {lead.created_at:%-d %b %Y}"]
    )


def _shown(lead: Lead, name: str) -> Any:
    if name in ("stage", "created_at"):
        return lead.get_stage_display() if name == "stage" else f"{lead.created_at:%-d %b %Y}"
    return getattr(lead, name) or NOTHING


def pair_panel(pair: DuplicatePair) -> dict[str, Any]:
    """Return the two leads side by side, and what was compared."""
    rows = [{"label": _label(name), "one": _shown(pair.one, name), "two": _shown(pair.two, name)} for name in _SHOWN]
    differing = {_label(name) for name in merging.contradictions(pair.one, pair.two)}
    return {
        "template": "admin/leads/pair_panel.html",
        "pair": pair,
        "one": lead_link(pair.one, pair.two),
        "two": lead_link(pair.two, pair.one),
        "rows": [
            {**row, "differs": row["label"] in differing} for row in rows if {row["one"], row["two"]} != {NOTHING}
        ],
        "evidence": pair.evidence,
    }


def merge_form(pair: DuplicatePair) -> type[forms.Form]:
    """Return the form that asks which lead is kept, and what the other one knows better."""
    better = merging.better_of(pair.one, pair.two)
    other = pair.two if better.pk == pair.one_id else pair.one
    fields: dict[str, forms.Field] = {
        "keep": forms.ChoiceField(
            label="Keep",
            choices=[
                (str(lead.pk), _told_apart(lead, besides)) for lead, besides in ((better, other), (other, better))
            ],
            widget=forms.RadioSelect,
            initial=str(better.pk),
            help_text="Its empty fields are filled from the other one, which is archived with values, notes and files.",
        )
    }
    if contradicting := merging.contradictions(pair.one, pair.two):
        fields["take"] = forms.MultipleChoiceField(
            label="Take over from the other one",
            choices=[
                (name, f"{_label(name)}: {_shown(pair.one, name)} / {_shown(pair.two, name)}") for name in contradicting
            ],
            widget=forms.CheckboxSelectMultiple,
            required=False,
            help_text="Where the two say different things and the one that goes is right.",
        )
    fields["reason"] = forms.CharField(
        label="How you know", max_length=500, widget=forms.Textarea(attrs={"rows": 3}), initial=""
    )
    return type("MergeForm", (forms.Form,), fields)


def _asked_panel(_request: HttpRequest, pair: DuplicatePair) -> dict[str, Any]:
    return pair_panel(pair)


@admin.register(DuplicatePair)
class DuplicatePairAdmin(ReadOnlyAdmin):
    """Leads that look like one person."""

    list_display = ("the_one", "the_other", "weight", "speaks_for", "standing", "found_at", "decided_by")
    list_filter = ("state", "found_at")
    ordering = ("-state", "-weight", "pk")  # those to be looked at come first, "open" being the last of the three words
    search_fields = ("one__name", "one__email", "two__name", "two__email")
    fields = (("state", "weight", "found_at"), ("decided_by", "decided_at"), "answer")
    empty_state = (
        "No two leads look like one person. Every night all leads are compared, and a lead that comes in by a form or "
        "another source is compared at once."
    )
    buttons = (
        Button(
            "merge",
            "They are one: merge",
            merging.merge_pair,
            merging.refuse_pair_merge,
            form_for=merge_form,
            confirm="What the other one did, brought and said moves to the lead that is kept; the score is counted "
            "anew. Nothing is deleted, and the merge can be undone.",
            style="primary",
            panel=_asked_panel,
        ),
        Button(
            "dismiss",
            "They are two",
            merging.dismiss_pair,
            merging.refuse_pair,
            form=ReasonForm,
            confirm="They are not suggested again.",
        ),
    )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load both leads with the rows, without open pairs about which nothing can be done any more."""
        rows: models.QuerySet[Any] = super().get_queryset(request)
        gone = models.Q(state=PairState.OPEN) & (
            models.Q(one__archived_at__isnull=False) | models.Q(two__archived_at__isnull=False)
        )
        return rows.exclude(gone).select_related("one__account", "two__account", "decided_by")

    @display(description="Lead", ordering="one")
    def the_one(self, pair: DuplicatePair) -> str:
        """The lead that came first."""
        return told_apart(pair.one, pair.two)

    @display(description="Other lead", ordering="two")
    def the_other(self, pair: DuplicatePair) -> str:
        """The lead that came later."""
        return told_apart(pair.two, pair.one)

    @display(description="Speaks for it", ordering="evidence")
    def speaks_for(self, pair: DuplicatePair) -> str:
        """What agrees."""
        return ", ".join(each["what"] for each in pair.evidence if each["weight"] > 0)

    @display(
        description="State",
        ordering="state",
        label={PairState.OPEN.label: "warning", PairState.MERGED.label: "success", PairState.DISMISSED.label: "info"},
    )
    def standing(self, pair: DuplicatePair) -> str:
        """What was decided."""
        return PairState(pair.state).label

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show the two side by side."""
        pair, extra = self.get_object(request, object_id), dict(extra_context or {})
        if pair is not None and self.has_view_permission(request, pair):
            extra["row_panels"] = [*extra.get("row_panels", []), pair_panel(pair)]
        return super().change_view(request, object_id, form_url, extra)


@admin.register(Merge)
class MergeAdmin(ReadOnlyAdmin):
    """What was merged, and can be undone."""

    list_display = ("kept", "gone", "reason", "merged_by", "merged_at", "standing")
    list_filter = ("merged_at", ("undone_at", admin.EmptyFieldListFilter))
    search_fields = ("survivor__name", "survivor__email", "loser__name", "loser__email", "reason")
    fields = (
        ("kept_lead", "gone_lead"),
        "reason",
        ("merged_by", "merged_at"),
        "took_over",
        "what_moved",
        ("undone_by", "undone_at"),
        "undone_reason",
    )
    readonly_fields = ("kept_lead", "gone_lead", "took_over", "what_moved")
    empty_state = "Nothing was merged yet. Open a possible duplicate and say that the two are one."
    buttons = (
        Button(
            "undo",
            "Undo the merge",
            merging.undo,
            merging.refuse_undo,
            form=ReasonForm,
            explains=lambda who, merged: merged.undone_at is None and bool(access.may(who, "change", merged.survivor)),
            confirm="The archived lead comes back with everything that was its own; fields taken over become what they "
            "were, unless somebody changed them since. Both scores are counted anew.",
            style="danger",
        ),
    )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load leads and people with the rows."""
        return super().get_queryset(request).select_related("survivor", "loser", "merged_by", "undone_by")

    @display(description="Kept", ordering="survivor")
    def kept(self, row: Merge) -> str:
        """The lead that is in use."""
        return told_apart(row.survivor, row.loser)

    @display(description="Merged lead", ordering="loser")
    def gone(self, row: Merge) -> str:
        """The lead that is archived."""
        return told_apart(row.loser, row.survivor)

    @display(description="Lead that is kept", ordering="survivor")
    def kept_lead(self, row: Merge) -> str:
        """Its name with a link, and what tells it from the other one."""
        return self._linked(row.survivor, row.loser)

    @display(description="Lead that was merged", ordering="loser")
    def gone_lead(self, row: Merge) -> str:
        """The same of the lead that is archived."""
        return self._linked(row.loser, row.survivor)

    def _linked(self, lead: Lead, besides: Lead) -> str:
        return lead_link(lead, besides)  # type: ignore[no-any-return]  # safe markup is a text

    @display(description="State", ordering="undone_at", label={"Merged": "success", "Undone": "warning"})
    def standing(self, row: Merge) -> str:
        """Whether it holds."""
        return "Undone" if row.undone_at else "Merged"

    @display(description="Fields taken over", ordering="taken")
    def took_over(self, row: Merge) -> str:
        """By their names."""
        return ", ".join(_label(name) for name in row.taken) or NOTHING

    @display(description="What moved", ordering="moved")
    def what_moved(self, row: Merge) -> str:
        """How many rows of each kind."""
        told = [
            f"{len(keys)} {_MOVED.get(name, (name, name))[len(keys) > 1]}" for name, keys in row.moved.items() if keys
        ]
        return ", ".join(told) or NOTHING


def duplicates_panel(request: HttpRequest, lead: Lead) -> dict[str, Any]:
    """Return who looks like a lead, whom it was merged with, and whose lead it is now."""
    person: Any = request.user
    pairs = open_pairs(person).filter(models.Q(one=lead) | models.Q(two=lead)).select_related("one", "two")
    merge = access.visible(person, Merge).filter(loser=lead, undone_at=None).first() if lead.merged_into_id else None
    into = access.visible(person, Lead).filter(pk=lead.merged_into_id).first() if lead.merged_into_id else None
    return {
        "template": "admin/leads/duplicates_panel.html",
        "pairs": [(pair, pair.two if pair.one_id == lead.pk else pair.one) for pair in pairs[:10]],
        "into": into,
        "merge": merge,
        "now": clock.now(),
    }


class LeadForm(RowVersionForm):
    """A lead by hand: who is known already is told before a second one is made."""

    add_anyway = forms.BooleanField(
        label="This is another person",
        required=False,
        widget=forms.HiddenInput,
        help_text="Choose it where the leads named here are somebody else.",
    )
    viewer: Any = None

    def clean(self) -> dict[str, Any]:
        """Refuse an address or phone that is another lead's, and ask once where somebody looks like this person."""
        cleaned = super().clean()
        for name, sentence in (("email", "this e-mail"), ("phone", "this phone")):
            if other := self._other(name, cleaned):
                seen = self.viewer is not None and access.can(self.viewer, "view", other)
                shown = lead_link(other) if seen else "somebody whose leads you do not see"
                self.add_error(name, format_html("A lead with {} exists already: {}.", sentence, shown))
        if self.instance.pk is None and not self.errors and not cleaned.pop("add_anyway", None):
            self._ask(cleaned)
        return cleaned

    def _other(self, name: str, cleaned: dict[str, Any]) -> Lead | None:
        if not cleaned.get(name) or name in self.errors or (name == "phone" and cleaned.get("is_phone_shared")):
            return None
        return holder(name, cleaned[name], country=cleaned.get("country") or "", besides=self.instance.pk)

    def _ask(self, cleaned: dict[str, Any]) -> None:
        found = look_alikes(self.viewer, cleaned) if self.viewer is not None else []
        if found:
            self.fields["add_anyway"].widget = UnfoldBooleanSwitchWidget()
            links = format_html_join(", ", "{}", ((lead_link(lead),) for lead in found))
            self.add_error("add_anyway", format_html("Somebody like this is known already: {}.", links))
