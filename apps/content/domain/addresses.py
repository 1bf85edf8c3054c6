"""Web addresses as they stand in texts: found in one way by the checks of content and by the plans of campaigns."""

import html
import re
from collections.abc import Iterator

_ADDRESS = re.compile(r"https?://[^\s<>\"')\]]+", re.IGNORECASE)
_AFTER = ".,;:!?"  # ends the sentence, not the address


def addresses_in(text: str) -> Iterator[tuple[int, str]]:
    """Return the web addresses in a text, each with where it begins; in markup as a browser reads them."""
    marked_up = "<" in text
    for found in _ADDRESS.finditer(text):
        yield found.start(), (html.unescape(found[0]) if marked_up else found[0]).rstrip(_AFTER)
