"""What the portions of a file before this one did to addresses and phones, where a preview took it back again.

The run finds it among the leads; a preview writes nothing that stays, and has to tell of each row what the run will do.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from apps.leads.domain.bulk import Written

_FREE = {
    "email": "UPDATE leads_lead SET email = NULL WHERE lower(email) = ANY(%s) AND merged_into_id IS NULL",
    "phone": "UPDATE leads_lead SET phone = '' WHERE phone = ANY(%s) AND phone <> '' AND NOT is_phone_shared "
    "AND merged_into_id IS NULL",
}


class TakenBack:
    """Which addresses and phones the portions before gave to a lead, and which they left free."""

    def __init__(self) -> None:
        """Begin a file: nothing has changed hands yet. Only hashes are kept, for a file may bring a million of each."""
        self._given: dict[str, set[int]] = {kind: set() for kind in _FREE}
        self._freed: dict[str, set[int]] = {kind: set() for kind in _FREE}

    def note(self, rows: Mapping[int, Mapping[str, Any]], written: "Iterable[Written]") -> None:
        """Remember what the rows of a portion (values by line) changed, by what became of them."""
        for each in written:
            if each.is_changed:
                before = each.before or {}
                for kind in _FREE:
                    if kind in rows[each.line] and not (kind == "phone" and before.get("is_phone_shared")):
                        self._move(kind, before.get(kind) or None, rows[each.line][kind] or None)

    def _move(self, kind: str, old: str | None, new: str | None) -> None:
        if old == new:
            return
        if old is not None:
            self._given[kind].discard(hash(old))
            self._freed[kind].add(hash(old))
        if new is not None:
            self._freed[kind].discard(hash(new))
            self._given[kind].add(hash(new))

    def stand_again(self, cursor: Any, rows: Sequence[tuple[int, Mapping[str, Any]]]) -> dict[str, list[int]]:
        """Free for these rows, until they are taken back as well, what the portions before left free.

        No row before names the lead of one of these: a record stands once in a file, or the second is refused.

        Returns:
            The lines whose address or phone a row before them has got, by kind.
        """
        given: dict[str, list[int]] = {}
        for kind, statement in _FREE.items():
            named = [(line, values[kind], hash(values[kind])) for line, values in rows if values.get(kind)]
            given[kind] = [line for line, _, mine in named if mine in self._given[kind]]
            if free := [value for _, value, mine in named if mine in self._freed[kind]]:
                cursor.execute(statement, [free])
        return given
