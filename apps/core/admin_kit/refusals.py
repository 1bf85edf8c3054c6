"""What the database refuses, as a sentence for the person who asked."""

import re

import psycopg
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import DatabaseError, models

from apps.core.errors import DomainError

LOST_RACE = "Somebody else was changing the same records; nothing was saved, try again."
_OWN_WORDS = "P0001"  # RAISE EXCEPTION in our own triggers: the message is already a sentence
_GENERIC = {
    psycopg.errors.UniqueViolation.sqlstate: "There is already such a record; change the values or use that one.",
    psycopg.errors.ForeignKeyViolation.sqlstate: "Another record still needs this one, or the one it names is gone.",
    psycopg.errors.CheckViolation.sqlstate: "These values do not fit together; look at the dates, amounts and states.",
    psycopg.errors.NotNullViolation.sqlstate: "Something that is required is missing.",
    psycopg.errors.InsufficientPrivilege.sqlstate: "The database does not let anybody change this.",
    psycopg.errors.ExclusionViolation.sqlstate: "This overlaps another record of the same kind; look at the dates.",
    psycopg.errors.StringDataRightTruncation.sqlstate: "A text is longer than there is room for; shorten it.",
    psycopg.errors.NumericValueOutOfRange.sqlstate: "A number is larger than there is room for; look at its digits.",
    psycopg.errors.UntranslatableCharacter.sqlstate: "A text holds a character that no text holds; type it again.",
    psycopg.errors.SerializationFailure.sqlstate: LOST_RACE,
    psycopg.errors.DeadlockDetected.sqlstate: LOST_RACE,
    psycopg.errors.QueryCanceled.sqlstate: "This took too long and was stopped; choose less at once, then try again.",
    psycopg.errors.LockNotAvailable.sqlstate: "Somebody else is changing the same record; try again in a moment.",
}


def sentence_of(error: BaseException) -> str | None:
    """Return the sentence for a refusal by the database, a domain rule or a model; None when `error` is none of them.

    Never tells table names or values: those could be another person's.
    """
    if isinstance(error, DomainError):
        return error.message
    if isinstance(error, ValidationError):
        return " ".join(error.messages)
    if isinstance(error, (models.ProtectedError, models.RestrictedError)):
        return "Other records still need this one; archive it instead."
    if not isinstance(error, DatabaseError):
        return None
    cause = error.__cause__
    if not isinstance(cause, psycopg.Error) or cause.sqlstate is None:
        return None
    if cause.sqlstate == _OWN_WORDS:
        return re.split(r"\nCONTEXT:", cause.diag.message_primary or str(cause), maxsplit=1)[0].strip()
    return _of_constraint(cause.diag.constraint_name) or _GENERIC.get(cause.sqlstate)


def _of_constraint(name: str | None) -> str | None:
    """Return the sentence that a model gave to its constraint, None where it gave none."""
    constraints = (each for model in apps.get_models() for each in model._meta.constraints if each.name == name)
    found = next(constraints, None)
    default = models.BaseConstraint.default_violation_error_message
    return None if found is None or found.violation_error_message == default else str(found.violation_error_message)
