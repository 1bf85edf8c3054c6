"""Text that people type: kept whole or refused, never cut short behind their back; and how nothing is written."""

from apps.core.errors import InvalidInput

NOTHING = "—"  # what stands where there is no value, on every page and in every file


def fitting(text: str, most: int, *, field: str, what: str) -> str:
    """Return `text` without blanks around it.

    Args:
        text: as it was typed.
        most: how many characters fit.
        field: the form field the refusal belongs to.
        what: what it is called in the refusal, for instance "The title".

    Raises:
        InvalidInput: it is longer; the sentence says by how much.
    """
    kept = text.strip()
    if len(kept) > most:
        said = f"{what} is too long: {len(kept):,} characters, at most {most:,} fit."
        raise InvalidInput(said, fields={field: said})
    return kept


def reason_given(reason: str, otherwise: str) -> str:
    """Return a reason without blanks around it.

    Args:
        reason: as it was typed.
        otherwise: what somebody is told who gave none.

    Raises:
        InvalidInput: there is none.
    """
    kept = reason.strip()
    if not kept:
        raise InvalidInput(otherwise, fields={"reason": otherwise})
    return kept
