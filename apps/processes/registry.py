"""What compliance rules can check: registered in code by the app whose records they are about."""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import models

from apps.core.errors import InvalidInput

# Returns why each failing row fails, by its key; what is not in it passes.
Evaluate = Callable[[models.QuerySet[Any], dt.datetime], Mapping[int, str]]
Subjects = Callable[[], models.QuerySet[Any]]


@dataclass(frozen=True)
class Check:
    """One thing that can be checked of one kind of record.

    Attributes:
        key: "processes.owner_and_backup"; never changes, rules and results hang on it.
        label: what is demanded, in a few words.
        subjects: returns the records it can be asked of: those in use, never archived ones.
        evaluate: `evaluate(rows, at)` returns {key: why it fails}, in a few statements however many rows there are.
        process: the lookup that leads from a record to its process, "" where it is one, None where it has none.
        help: a sentence for whoever makes a rule of it.
        way_out: what to do about a failure.
    """

    key: str
    label: str
    subjects: Subjects
    evaluate: Evaluate
    process: str | None = None
    help: str = ""
    way_out: str = ""

    @property
    def model(self) -> type[models.Model]:
        """The kind of record."""
        return self.subjects().model


_checks: dict[str, Check] = {}


def register_check(
    key: str,
    label: str,
    subjects: Subjects,
    evaluate: Evaluate,
    *,
    process: str | None = None,
    help: str = "",  # noqa: A002  # the word of forms
    way_out: str = "",
) -> None:
    """Let compliance rules ask this; called from `AppConfig.ready` of the app whose records it is about."""
    _checks[key] = Check(key, label, subjects, evaluate, process, help, way_out)


def check_named(key: str) -> Check:
    """Return the check of this key.

    Raises:
        InvalidInput: no installed app brings it.
    """
    if key not in _checks:
        raise InvalidInput(f"There is no check called “{key}”; the app that brings it is not installed.")
    return _checks[key]


def checks() -> list[Check]:
    """Return all checks by label."""
    return sorted(_checks.values(), key=lambda each: each.label)


def checks_about(model: type[models.Model]) -> list[Check]:
    """Return the checks that can be asked of records of `model`."""
    return [each for each in checks() if each.model is model]
