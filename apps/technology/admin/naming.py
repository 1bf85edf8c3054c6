"""The pages of naming rules: written, tried on one name, and dry-run on all there are."""

import json
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from apps.core.admin_kit.base import ARCHIVE_BUTTONS, MopsAdmin
from apps.core.admin_kit.locking import RowVersionForm
from apps.core.errors import DomainError
from apps.technology.domain import name_trials, naming
from apps.technology.models import NamingRule

SHOWN = 300
_EXAMPLE = """{"region": {"kind": "choice", "values": ["dach", "uk"]}, "date": {"kind": "date", "form": "YYYYMM"}}"""


class TokensField(forms.JSONField):
    """The tokens of a rule, one to a line."""

    def prepare_value(self, value: Any) -> Any:
        """Show each token on a line of its own."""
        if not isinstance(value, dict) or not value:
            return super().prepare_value(value)
        lines = (f"  {json.dumps(name)}: {json.dumps(told, ensure_ascii=False)}" for name, told in value.items())
        return "{\n" + ",\n".join(lines) + "\n}"


class NamingRuleForm(RowVersionForm):
    """A naming rule."""

    tokens = TokensField(
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 8}),
        help_text=f"Per token its kind: text, choice (with values), number, or date (with form). {_EXAMPLE}",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if (field := self.fields.get("applies_to")) is not None:
            offered = [("", "Whatever one asks about")]
            offered += [(key, source.label) for key, source in name_trials.name_sources().items()]
            kept = self.instance.applies_to
            if kept and kept not in dict(offered):
                offered.append((kept, kept))
            field.widget = forms.Select(choices=offered, attrs={"class": "mops-select"})

    def clean_tokens(self) -> Any:
        """Read nothing as no token told."""
        return self.cleaned_data.get("tokens") or {}

    def clean(self) -> dict[str, Any]:
        """Refuse a rule that cannot work, and an example that does not fit it."""
        cleaned = super().clean()
        if self.errors:
            return cleaned
        try:
            rule = naming.compile_rule(
                cleaned["pattern"],
                cleaned["tokens"],
                lower_case=bool(cleaned.get("lower_case")),
                longest=int(cleaned.get("longest") or 1),
            )
        except DomainError as refusal:
            self.add_error("pattern", refusal.message)
            return cleaned
        example = cleaned.get("example")
        if example and not (found := naming.judge(example, rule)).fits:
            self.add_error("example", f"It does not fit the rule: {' '.join(found.problems)}")
        return cleaned


@admin.register(NamingRule)
class NamingRuleAdmin(MopsAdmin):
    """Naming rules."""

    form = NamingRuleForm
    list_display = ("name", "pattern", "checks", "example", "updated_at")
    list_filter = ("applies_to",)
    search_fields = ("name", "pattern")
    fieldsets = ((None, {"fields": ("name", "applies_to", "pattern", "tokens", ("lower_case", "longest"), "example")}),)
    buttons = ARCHIVE_BUTTONS
    in_palette = True
    empty_state = (
        "No naming rule yet. Write a pattern such as {region}_{name}_{date} and try it on the names there are."
    )

    def get_urls(self) -> list[URLPattern]:
        """Add the page of the dry run."""
        view = self.admin_site.admin_view(self.dry_run_view)
        return [path("<int:pk>/dry-run/", view, name="technology_namingrule_dry_run"), *super().get_urls()]

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Offer to try it."""
        found, extra = self.get_object(request, object_id), dict(extra_context or {})
        if found is not None and self.has_view_permission(request, found):
            panel = {"template": "admin/technology/naming_panel.html", "rule": found}
            extra["row_panels"] = [*extra.get("row_panels", []), panel]
        return super().change_view(request, object_id, form_url, extra)

    def dry_run_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show what the rule says about every name of a source, or about those typed; nothing is changed."""
        rule = self.get_object(request, str(pk))
        if rule is None:
            raise Http404
        if not self.has_view_permission(request, rule):
            raise PermissionDenied
        person: Any = request.user
        sources = name_trials.name_sources()
        chosen = request.GET.get("of", rule.applies_to if rule.applies_to in sources else "")
        typed = [line.strip() for line in request.GET.get("names", "")[:20_000].splitlines() if line.strip()]
        names = typed or (name_trials.names_of(chosen, person) if chosen in sources else [])
        problem, report = "", None
        try:
            report = name_trials.dry_run(naming.compiled(rule), names) if names else None
        except DomainError as refusal:
            problem = refusal.message
        context = {
            **self.admin_site.each_context(request),
            "title": f"Dry run: {rule}",
            "opts": self.opts,
            "original": rule,
            "rule": rule,
            "sources": [(key, source.label) for key, source in sources.items()],
            "chosen": chosen,
            "typed": "\n".join(typed),
            "report": report,
            "shown": report.wrong[:SHOWN] if report else (),
            "problem": problem,
            "tokens": json.dumps(rule.tokens, ensure_ascii=False, indent=1),
        }
        return TemplateResponse(request, "admin/technology/dry_run.html", context)

    @display(description="Checks", ordering="applies_to")
    def checks(self, rule: NamingRule) -> str:
        """Which names it checks."""
        source = name_trials.name_sources().get(rule.applies_to)
        return source.label if source else (rule.applies_to or "whatever one asks about")
