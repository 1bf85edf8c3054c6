"""What several parts of leads ask or read in the same way."""

from collections.abc import Callable

from apps.core.errors import InvalidInput
from apps.core.exchange import values

LARGEST = 2_147_483_647  # what an integer column holds


def count_of(cell: str) -> int:
    """Return a count that a file brings.

    Raises:
        InvalidInput: it is no whole number, below 0 or larger than a column holds.
    """
    number = values.integer(cell)
    if not 0 <= number <= LARGEST:
        raise InvalidInput(f"{values.quoted(cell)} is no count; give a whole number from 0 up.")
    return number


def fitting(most: int) -> Callable[[str], str]:
    """Return a parser for one line of text that has to fit `most` characters; it raises InvalidInput."""

    def read(cell: str) -> str:
        text = values.one_line(cell)
        if len(text) > most:
            raise InvalidInput(f"{values.quoted(text)} is too long: {len(text)} characters, at most {most} fit.")
        return text

    return read
