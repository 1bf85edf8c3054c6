"""Forms of rule documents: the builder as a widget, and a version's form that checks its rules."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.html import format_html, format_html_join
from unfold.widgets import UnfoldAdminSelectWidget

from apps.core.admin_kit.days import DayInput
from apps.core.admin_kit.json_text import JSONText
from apps.core.admin_kit.locking import RowVersionForm
from apps.core.rules.bodies import BodyShape
from apps.core.rules.builder import describe_shape
from apps.core.rules.catalog import Catalog, catalog_of
from apps.core.rules.domain.tree import Problem
from apps.core.rules.kinds import kind_named, kinds
from apps.core.rules.models import RuleDocument, RuleVersion


def catalog_for(shape: BodyShape, person: Any) -> Catalog | None:
    """Return what `person` may ask about in rules of this shape; None where they ask about no records."""
    return None if shape.model is None else catalog_of(shape.model).for_person(person)


class RulesWidget(forms.Textarea):
    """The editor of rules. Without JavaScript it is the text of the rules, with the sentence above."""

    template_name = "admin/rules/rules_widget.html"

    def __init__(self, shape: BodyShape, catalog: Catalog | None, *, words: str = "", preview: str = "") -> None:
        super().__init__(attrs={"rows": 12, "spellcheck": "false"})
        self.shape, self.catalog, self.words, self.preview = shape, catalog, words, preview
        self.problems: list[Problem] = []

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        """Add what the editor reads."""
        context: dict[str, Any] = super().get_context(name, value, attrs)
        context["rules"] = {
            "shape": describe_shape(self.shape, self.catalog),
            "problems": [{"at": each.pointer, "sentence": each.sentence} for each in self.problems],
            "words": self.words,
            "preview": self.preview,
            "id": f"{context['widget']['attrs'].get('id', name)}-shape",
        }
        return context

    class Media:
        js = ("rules/builder.js", "rules/editor.js")


class RulesField(JSONText):
    """Rules as JSON, checked by their shape."""

    widget: RulesWidget

    def __init__(self, shape: BodyShape, catalog: Catalog | None, **given: Any) -> None:
        self.shape, self.catalog = shape, catalog
        super().__init__(required=False, **given)

    def clean(self, value: Any) -> Any:
        """Return the rules as they are stored."""
        try:
            given = self.to_python(value)
        except ValidationError as error:
            raise ValidationError("The rules are no valid JSON; undo the last change of the text.") from error
        tidy = self.shape.tidy(given)
        self.widget.problems = self.shape.objections(tidy, self.catalog)
        if self.widget.problems:
            raise ValidationError([self._said(each) for each in self.widget.problems])
        return tidy

    def _said(self, problem: Problem) -> str:
        return f"{problem.sentence} (at {problem.pointer})" if problem.pointer else problem.sentence


class VersionForm(RowVersionForm):
    """A draft: its rules, what is new, and its dates."""

    person: Any = None
    preview: str = ""

    class Meta:
        model = RuleVersion
        fields = ("body", "change_note", "effective_from", "review_on")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "body" not in self.fields or self.instance.pk is None:
            return
        shape = kind_named(self.instance.document.kind).body
        catalog = catalog_for(shape, self.person)
        widget = RulesWidget(shape, catalog, words=self.instance.words, preview=self.preview)
        self.fields["body"] = RulesField(shape, catalog, label="Rules", widget=widget)

    def clean(self) -> dict[str, Any]:
        """Keep the words with the rules."""
        cleaned = super().clean()
        if "body" in cleaned and self.instance.pk is not None:
            self.instance.words = kind_named(self.instance.document.kind).body.words(cleaned["body"])
        return cleaned


class DocumentForm(RowVersionForm):
    """A rule document; its kind is chosen once."""

    class Meta:
        model = RuleDocument
        fields = ("title", "key", "kind", "description", "owner")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "kind" in self.fields:
            told = format_html_join("", "<br>{}: {}", ((each.title, each.help) for each in kinds() if each.help))
            self.fields["kind"] = forms.ChoiceField(
                choices=[("", "Choose what the rules decide about"), *((each.key, each.title) for each in kinds())],
                help_text=format_html("It never changes.{}", told),
                widget=UnfoldAdminSelectWidget,
            )


class ReviewForm(forms.Form):
    """Asks what was found, and when to look again."""

    reason = forms.CharField(label="What you found", widget=forms.Textarea(attrs={"rows": 3}))
    next_review = forms.DateField(label="Next review", widget=DayInput())
