"""A condition kept on a row: for which records it holds, its words beside it, and the shape that edits it."""

from typing import Any

from django.apps import apps
from django.core.validators import MinValueValidator
from django.db import models

from apps.core.rules.bodies import PredicateBody
from apps.core.rules.domain.applying import is_narrowed, words_of

NO_CONDITION = "All of them"
CONDITION_COLUMNS = ("applies_to", "applies_words", "precedence")


class ConditionBody(PredicateBody):
    """One condition on records, or none, which means all of them."""

    def __init__(self, model: type[models.Model]) -> None:
        super().__init__(model, allow_everything=True)

    def tidy(self, body: Any) -> Any:
        """Read an empty field as no condition."""
        return body or self.start()


class ConditionField(models.JSONField):
    """A condition on records of the kind `on`: {} for all of them, so that no condition has one form alone."""

    def __init__(self, *args: Any, on: str = "", **given: Any) -> None:
        self.on = on
        super().__init__(*args, **given)

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        """Keep a condition that narrows nothing as none."""
        if not is_narrowed(getattr(model_instance, self.attname)):
            setattr(model_instance, self.attname, {})
        return super().pre_save(model_instance, add)

    def readable(self, value: Any) -> str:
        """Return the condition as approvers read it."""
        if not is_narrowed(value):
            return NO_CONDITION
        return words_of(value, apps.get_model(self.on)) or "A condition that can no longer be read"

    def deconstruct(self) -> Any:
        """Be an ordinary column in migrations."""
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.JSONField", args, kwargs


class WordsField(models.TextField):  # type: ignore[type-arg]  # Django's fields are generic in their stubs alone
    """The words of the condition in the column `of`, kept whenever the row is saved."""

    def __init__(self, *args: Any, of: str = "", **given: Any) -> None:
        self.of = of
        super().__init__(*args, **given)

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        """Say the condition; words once said stay where it can no longer be read."""
        condition = getattr(model_instance, self.of)
        column: Any = type(model_instance)._meta.get_field(self.of)
        said = words_of(condition, apps.get_model(column.on))
        if said or not is_narrowed(condition):
            setattr(model_instance, self.attname, said)
        return super().pre_save(model_instance, add)

    def deconstruct(self) -> Any:
        """Be an ordinary column in migrations."""
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.TextField", args, kwargs


def precedence_column() -> "models.PositiveSmallIntegerField[Any, Any]":
    """Return the column that orders rows of which several may hold for one record."""
    return models.PositiveSmallIntegerField(
        "asked in order",
        default=10,
        validators=[MinValueValidator(1)],
        help_text="Where the conditions of several hold, the lowest number decides. Without a condition it comes last.",
    )
