"""Texts that a spreadsheet would take for a formula: an apostrophe in front on the way out, taken away on the way in.

`unescape(escape(text)) == text` for every text, also for those that began with apostrophes. Knows no Django: the
process that reads strangers' files uses it too. The signs are those of the OWASP page on CSV injection, the
full-width ones included, and leading white space does not hide them.
"""

import re

_RISKY = r"(?:\s*[=+\-@＝＋－＠]|[\t\r\n])"
_LEAVES = re.compile(rf"'*{_RISKY}")
_CAME = re.compile(rf"'+{_RISKY}")


def escape(text: str) -> str:
    """Return `text` so that no spreadsheet computes it."""
    return "'" + text if _LEAVES.match(text) else text


def unescape(text: str) -> str:
    """Return what `escape` was given."""
    return text[1:] if _CAME.match(text) else text
