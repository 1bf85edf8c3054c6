"""Is the ledger what was sealed? Names the first entry, seal or file that is not."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from apps.audit.domain.leaves import canonical_lines, hashes_of, leaf_lines
from apps.audit.domain.seal_index import SealIndex
from apps.audit.domain.seal_keys import installed_key, public_of, trusted_keys
from apps.audit.domain.sealing import as_seal
from apps.audit.models import AuditEvent, AuditSeal, LedgerMonth
from apps.audit.standalone import Broken, Seal, check_seal, fingerprint, leaf_hash, root_of

MOST_SWAPPED = 100  # how many differing entries are compared with each other to see whether they changed places


@dataclass
class Verdict:
    """What was found.

    Attributes:
        problem: the first thing that is not as it was sealed; "" when everything is.
        seals, entries: how many were verified.
        up_to: the last entry that is sealed.
        unsealed: how many entries came after it.
        purged: how many were purged with their months; their seals remain.
        keys: the fingerprint of each key, with the seals it signed.
        notes: what was accepted on purpose, and what could not be looked at.
    """

    problem: str = ""
    seals: int = 0
    entries: int = 0
    up_to: int = 0
    unsealed: int = 0
    purged: int = 0
    keys: dict[str, list[int]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def verify_seals(place: Path | None = None, *, key: str = "") -> Verdict:
    """Compare every seal with the entries of its range and with the seals file.

    Args:
        place: the seals file or folder; the installation's own when None.
        key: the fingerprint of the one key to trust; all that have ever sealed here when empty.
    """
    verdict = Verdict()
    try:
        keys = _trusted(key)
        index = SealIndex(place or Path(settings.SEALS_FOLDER), keys, part=place is not None and place.is_file())
        verdict.notes += index.said
        _walk(verdict, keys, index)
        _check_ends(verdict)
    except Broken as broken:
        verdict.problem = str(broken)
    return verdict


def _trusted(key: str) -> dict[str, bytes]:
    keys = trusted_keys()
    if not keys and AuditSeal.objects.exists():
        raise Broken(
            f"There are seals, but {settings.SEAL_KEYS_TRUSTED} is missing, so nothing says whose key signed them. "
            "Bring it back from its copy."
        )
    if key:
        keys = {name: public for name, public in keys.items() if name == key}
        if not keys:
            raise Broken(f"The key {key} has never sealed here.")
    elif keys and (own := installed_key()) is not None and fingerprint(public_of(own)) not in keys:
        raise Broken(f"The sealing key was swapped: {fingerprint(public_of(own))} has never sealed here.")
    return keys


def _walk(verdict: Verdict, keys: dict[str, bytes], index: SealIndex) -> None:
    before: Seal | None = None
    purged = _purged_ranges()
    for row in AuditSeal.objects.order_by("n").iterator(chunk_size=500):
        seal = as_seal(row)
        if before is None and (seal["n"], seal["from"]) != (1, 1):
            raise Broken(f"Seal 1 was removed: the first one there is seal {seal['n']}.")
        check_seal(seal, before, keys)
        leaves = index.check(seal)
        verdict.purged += _check_entries(seal, leaves, purged)
        verdict.seals, verdict.entries, verdict.up_to = seal["n"], verdict.entries + seal["count"], seal["to"]
        verdict.keys.setdefault(seal["key"], [seal["n"], seal["n"]])[1] = seal["n"]
        before = seal
    if index.last > verdict.seals:
        raise Broken(
            f"Seal {verdict.seals + 1} was removed: the seals file has it, the database ends with seal {verdict.seals}."
        )
    expected = sum(number for _, _, number, _ in purged)
    if verdict.purged != expected:
        raise Broken(f"{verdict.purged} sealed entries of purged months are gone, but {expected} were purged.")


def _check_entries(seal: Seal, filed: bytes | None, purged: list[tuple[int, int, int, str]]) -> int:
    """Compare a seal with the entries there are; returns how many were purged."""
    here = leaf_lines(seal["from"], seal["to"])
    if filed is None or here == filed:
        missing = int(seal["count"]) - here.count(b"\n")
        if root_of(hashes_of(here)).hex() == seal["root"] and not missing:
            return 0
        if missing > 0 and filed is None and _covered(seal, purged):
            return missing  # without the file nothing but the seal itself is left to look at
        if filed is not None:
            place = f"entries {seal['from']} to {seal['to']}"
            raise Broken(f"Seal {seal['n']} does not fit {place}: seals file and ledger were altered alike.")
        raise Broken(_without_file(seal, missing))
    return _first_difference(seal, filed, here, purged)


def _first_difference(seal: Seal, filed: bytes, here: bytes, purged: list[tuple[int, int, int, str]]) -> int:
    was, now = _by_number(filed, seal), _by_number(here, seal)
    file_is_right = root_of(list(was.values())).hex() == seal["root"]
    if not file_is_right and root_of(list(now.values())).hex() == seal["root"]:
        number = min(each for each in was.keys() | now.keys() if was.get(each) != now.get(each))
        raise Broken(f"The seals file was altered at entry {number}: seal {seal['n']} fits the ledger, not the file.")
    gone = 0
    for number in sorted(was.keys() | now.keys()):
        if was.get(number) == now.get(number):
            continue
        if number not in now and any(first <= number <= last for first, last, _, _ in purged):
            gone += 1
            continue
        raise Broken(f"Entry {number} {_what_happened(number, was, now)} after seal {seal['n']} was made.")
    if not file_is_right:
        raise Broken(f"The leaves of seal {seal['n']} in the seals file are not what was signed.")
    return gone


def _what_happened(number: int, was: dict[int, bytes], now: dict[int, bytes]) -> str:
    if number not in now:
        return "was deleted"
    if number not in was:
        return "was inserted"
    others = [each for each in sorted(was) if was[each] != now.get(each) and each != number][:MOST_SWAPPED]
    line = canonical_lines([number])[number]
    prefix = f'{{"seq" : {number},'
    for other in others:
        if leaf_hash(line.replace(prefix, f'{{"seq" : {other},', 1).encode()) == was[other]:
            return f"was reordered: it holds what was sealed as entry {other},"
    return "was altered"


def _by_number(lines: bytes, seal: Seal) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    for line in lines.splitlines():
        number, _, leaf = line.partition(b" ")
        try:
            found[int(number)] = bytes.fromhex(leaf.decode())
        except ValueError as error:
            place = f"what follows entry {max(found)}" if found else "its first line"
            raise Broken(f"The seals file was altered in seal {seal['n']}: {place} is no leaf of an entry.") from error
    return found


def _without_file(seal: Seal, missing: int) -> str:
    what = f"{missing} were deleted" if missing > 0 else f"{-missing} were inserted" if missing else "one was altered"
    return (
        f"Seal {seal['n']} does not fit the entries {seal['from']} to {seal['to']}: {what}. The seals file, which "
        "would name the entry, does not have this seal."
    )


def _covered(seal: Seal, purged: list[tuple[int, int, int, str]]) -> bool:
    return any(first <= seal["to"] and seal["from"] <= last for first, last, _, _ in purged)


def _purged_ranges() -> list[tuple[int, int, int, str]]:
    """The purged months; each purge has to be in the ledger itself, where a seal covers it."""
    ranges = []
    for month in LedgerMonth.objects.filter(purged_at__isnull=False).order_by("month"):
        told = AuditEvent.objects.filter(
            table_name=LedgerMonth._meta.db_table, object_id=str(month.pk), changes__has_key="purged_at"
        )
        if not told.exists():
            raise Broken(f"{month} is said to be purged, but the ledger knows of no purge.")
        if month.first_id is not None and month.last_id is not None:
            ranges.append((month.first_id, month.last_id, month.rows, str(month)))
    return ranges


def _check_ends(verdict: Verdict) -> None:
    """Look at what no seal covers yet."""
    after = AuditEvent.objects.filter(id__gt=verdict.up_to)
    verdict.unsealed = after.count()
    with connection.cursor() as cursor:
        cursor.execute("SELECT last_value FROM audit_auditevent_id_seq")
        (given,) = cursor.fetchone() or (0,)
    if (beyond := after.filter(id__gt=given).order_by("id").first()) is not None:
        raise Broken(f"Entry {beyond.pk} was inserted by hand: that number has never been given out.")
    if (before := AuditEvent.objects.filter(id__lt=1).order_by("id").first()) is not None:
        raise Broken(f"Entry {before.pk} was inserted by hand: numbers begin at 1.")


def findings(verdict: Verdict) -> Iterator[str]:
    """Yield what a verification found, in sentences, the problem first."""
    done = f"{verdict.seals} seals over {verdict.entries:,} entries verified, up to entry {verdict.up_to}"
    if verdict.problem:
        yield verdict.problem
        yield f"Until then: {done}; of what came later nothing is said." if verdict.seals else "Nothing was verified."
    else:
        yield f"{done}; {verdict.unsealed} came later and are not sealed yet."
    if verdict.purged:
        yield f"{verdict.purged:,} entries were purged with their months; their seals verify."
    for name, (first, last) in verdict.keys.items():
        yield f"Seals {first} to {last} are signed by the key {name}."
    yield from verdict.notes


def seal_of(event: Any) -> AuditSeal | None:
    """Return the seal over an entry; None when it is not sealed yet."""
    return AuditSeal.objects.filter(from_id__lte=event.pk, to_id__gte=event.pk).first()
