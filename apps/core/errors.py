"""Refusals: what an operation says to the person whose wish it does not carry out."""

from collections.abc import Callable, Mapping


class DomainError(Exception):
    """A refusal in a sentence for the person who asked, with the way out.

    The admin shows it as a message, an API answers 409, a job stores it. Never catch it inside `domain/`.
    """

    status = 409

    def __init__(self, message: str, *, fields: Mapping[str, str] | None = None) -> None:
        """Hold the sentence, and optionally one sentence per field that is to blame."""
        super().__init__(message)
        self.message = message
        self.fields = dict(fields or {})

        self.aftermath: Callable[[], object] | None = None

    def __str__(self) -> str:
        return self.message

    def settle(self) -> None:
        """Do what a refusal leaves behind, an alert for instance; called by the surface, after the rollback."""
        if self.aftermath is not None:
            self.aftermath()


class NotAllowed(DomainError):
    """The actor may not do this, whatever the state."""

    status = 403


class WrongState(DomainError):
    """The thing is not in a state in which this can be done."""


class InvalidInput(DomainError):
    """What was given cannot be used as it is."""

    status = 400


class StaleEdit(DomainError):
    """Somebody else changed the thing meanwhile."""
