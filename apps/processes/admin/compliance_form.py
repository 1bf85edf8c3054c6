"""The form of a compliance rule: its check chosen once, what it applies to built without code."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import UnfoldAdminSelectWidget

from apps.core.admin_kit.locking import RowVersionForm
from apps.core.rules.catalog import catalog_of
from apps.core.rules.conditions import ConditionBody
from apps.core.rules.forms import RulesField, RulesWidget, catalog_for
from apps.processes.domain.compliance_scope import scope_model, words_of_scope
from apps.processes.models import ComplianceRule
from apps.processes.registry import check_named, checks


class ComplianceRuleForm(RowVersionForm):
    """A rule; once saved its check stays, and what it applies to can be narrowed."""

    person: Any = None

    class Meta:
        model = ComplianceRule
        fields = (
            *("title", "check_key", "severity", "scope", "effective_from", "effective_until", "way_out"),
            *("owner_person", "owner_team", "backup_person", "backup_team"),
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "check_key" in self.fields:
            said = " ".join(each.help for each in checks() if each.key == self.instance.check_key)
            choices = [("", "Choose what is looked at"), *((each.key, each.label) for each in checks())]
            self.fields["check_key"] = forms.ChoiceField(
                label="Check", choices=choices, help_text=said, widget=UnfoldAdminSelectWidget
            )
            if self.instance.pk is not None:
                self.fields["check_key"].disabled = True
                self.fields["check_key"].help_text = f"{said} It stays: results hang on it."
        if "scope" in self.fields:
            self._narrow()

    def _narrow(self) -> None:
        """Offer the builder for the records of the check; nothing where they cannot be narrowed."""
        check = check_named(self.instance.check_key) if self.instance.pk is not None else None
        model = scope_model(check) if check is not None else None
        if check is None or model is None:
            del self.fields["scope"]
            return
        shape = ConditionBody(model)
        catalog = catalog_for(shape, self.person) if self.person is not None else catalog_of(model)
        widget = RulesWidget(shape, catalog, words=self.instance.scope_words or "All of them.")
        self.fields["scope"] = RulesField(
            shape, catalog, label="Applies to", widget=widget, help_text="Without a condition it applies to all."
        )
        if not self.instance.scope:
            self.initial["scope"] = shape.start()

    def clean(self) -> Any:
        """Keep the words with the condition, and refuse an owner missing."""
        cleaned = super().clean()
        owned = self.cleaned_data.get("owner_person") or self.cleaned_data.get("owner_team")
        if not owned and {"owner_person", "owner_team"} & set(self.fields):
            raise ValidationError({"owner_person": "Name who is told when it fails: a person or a team."})
        if "scope" in self.cleaned_data and self.instance.pk is not None:
            check = check_named(self.instance.check_key)
            self.instance.scope_words = words_of_scope(check, self.cleaned_data["scope"])
        return cleaned
