"""What differs between two texts, line by line, as a page shows it."""

import difflib
from dataclasses import dataclass

CONTEXT = 3
LONGEST = 5_000


@dataclass(frozen=True)
class Line:
    """One line of a comparison: kept, added, removed, or a gap where nothing changed."""

    kind: str
    text: str

    @property
    def mark(self) -> str:
        """The sign in front, for people who do not see the colours."""
        return {"added": "+", "removed": "−", "gap": "⋯"}.get(self.kind, " ")


def compare(before: str, after: str) -> list[Line]:
    """Return the changed lines with three lines around each; nothing when the texts are equal.

    Texts of more than 5,000 lines are compared as wholes, since comparing their lines could take minutes.
    """
    old, new = before.splitlines(), after.splitlines()
    if max(len(old), len(new)) > LONGEST:
        return [] if old == new else [Line("gap", "Too long to compare line by line; the whole text was replaced.")]
    lines: list[Line] = []
    for group in difflib.SequenceMatcher(a=old, b=new, autojunk=False).get_grouped_opcodes(CONTEXT):
        if lines or group[0][1] > 0:
            lines.append(Line("gap", ""))
        for tag, old_from, old_to, new_from, new_to in group:
            if tag == "equal":
                lines += [Line("kept", text) for text in old[old_from:old_to]]
                continue
            lines += [Line("removed", text) for text in old[old_from:old_to]]
            lines += [Line("added", text) for text in new[new_from:new_to]]
    return lines
