"""Proves that one entry is in its seal, to somebody who has neither mops nor the rest of the ledger."""

from typing import Any

from apps.audit.domain.leaves import canonical_lines, hashes_of, leaf_lines
from apps.audit.domain.seal_keys import trusted_keys
from apps.audit.domain.sealing import as_seal
from apps.audit.domain.verifying import seal_of
from apps.audit.models import AuditEvent, AuditSeal
from apps.audit.standalone import path_of, root_of
from apps.core.errors import InvalidInput, WrongState


class Prover:
    """Proves entries; a seal that was read for one serves the next."""

    def __init__(self) -> None:
        """Have read nothing yet."""
        self._n = 0
        self._numbers: list[int] = []
        self._leaves: list[bytes] = []

    def prove(self, number: int) -> dict[str, Any]:
        """Return the proof of one entry: its canonical line, the way to the root, the seal and the public key.

        Raises:
            InvalidInput: there is no such entry.
            WrongState: it is not sealed yet, or is not what was sealed.
        """
        event = AuditEvent.objects.filter(id=number).first()
        if event is None:
            raise InvalidInput(f"There is no entry {number} in the ledger.")
        row = seal_of(event)
        if row is None:
            raise WrongState(f"Entry {number} is not sealed yet; that happens within a minute.")
        self._read(row)
        index = self._numbers.index(number)
        return {
            "what": "Proof that an entry of the ledger of mops is in a seal; verify it with verify_evidence.py.",
            "entry": canonical_lines([number])[number],
            "index": index,
            "path": [step.hex() for step in path_of(self._leaves, index)],
            "seal": as_seal(row),
            "public_key": trusted_keys().get(row.key, b"").hex(),
        }

    def _read(self, row: AuditSeal) -> None:
        if self._n == row.n:
            return
        lines = leaf_lines(row.from_id, row.to_id)
        leaves = hashes_of(lines)
        if root_of(leaves).hex() != row.merkle_root:
            raise WrongState(
                f"Seal {row.n} does not fit its entries any more: run “manage.py audit verify”, which names the first "
                "one that is not what was sealed. (Of a purged month only the seals are left.)"
            )
        self._n, self._leaves = row.n, leaves
        self._numbers = [int(line.split(b" ", 1)[0]) for line in lines.splitlines()]


def prove(number: int) -> dict[str, Any]:
    """Return the proof of one entry; see `Prover.prove`."""
    return Prover().prove(number)
