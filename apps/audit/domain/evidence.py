"""Writes evidence packages: a zip that streams, whatever its size, with a signed manifest as its last word."""

import base64
import datetime as dt
import hashlib
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone

from apps.audit import standalone
from apps.audit.domain.dossiers import dossier_of
from apps.audit.domain.leaves import canonical_lines, leaf_lines
from apps.audit.domain.population import PORTION, Population, gap_statement
from apps.audit.domain.proving import Prover
from apps.audit.domain.reading import Reader
from apps.audit.domain.seal_keys import public_of, sealing_key, trusted_keys
from apps.audit.domain.sealing import as_seal
from apps.audit.domain.zips import Pipe, Zip
from apps.audit.kinds import kind_of
from apps.audit.models import AuditEvent, AuditSeal, EvidencePackage
from apps.core import clock
from apps.core.access_log import log_access
from apps.core.actors import Channel
from apps.core.errors import InvalidInput, NotAllowed
from apps.core.exchange.writing.tables import csv_bytes

MOST_SAMPLED = 200
AT_ONCE = 50_000  # leaves read together
COLUMNS = (
    *("Sequence", "When", "When (UTC)", "Who", "Account", "On behalf of", "Through", "Did", "Kind", "Record no."),
    *("Record", "What changed", "Reason", "Request", "Job", "Transaction", "Database account", "Leaf hash"),
)
README = """This is evidence from the ledger of mops.

entries.csv      for people: one line for each entry, in words (an apostrophe in front is against formulas)
entries.jsonl    for programs and for proof: the line of each entry exactly as it was sealed
seals.log        the leaf of every entry of the seals concerned, and the seals themselves
samples/         for each sampled change: the change in words, the versions, approvals, the job, the proof
manifest.json    what was asked for, by whom and when, counts, gaps, seals, the SHA-256 of every file; signed

Verify it on any machine with Python 3.11 and the package cryptography:

    python3 verify_evidence.py THIS.zip --seals YOUR-COPY-OF-THE-SEALS --key FINGERPRINT-YOU-NOTED

Personal values are not in here: entries hold salted commitments in their place.
"""


def refuse_evidence(user: Any) -> str | None:
    """Return why `user` cannot take evidence out, None when it works."""
    if user.has_perm("audit.view_auditevent") and user.has_perm("audit.export_auditevent"):
        return None
    return "You may not take evidence out of the ledger; auditors and administrators may."


def ask_for_evidence(population: Population, *, by: Any, purpose: str, size: int, seed: str) -> None:
    """Check that a package may be made, and write down that somebody asked for it.

    Raises:
        NotAllowed: `by` may not; that is written down, too.
        InvalidInput: the sample is too large, or has no seed.
        WrongState: the key that signs is missing.
    """
    detail = {"evidence": population.query or "everything", "sample": size, "seed": seed, "purpose": purpose}
    if refused := refuse_evidence(by):
        log_access("export", by=by, detail={**detail, "refused": refused})
        raise NotAllowed(refused)
    if not 0 <= size <= MOST_SAMPLED:
        raise InvalidInput(f"A sample has at most {MOST_SAMPLED} entries.", fields={"size": f"At most {MOST_SAMPLED}."})
    if size and not seed.strip():
        raise InvalidInput("A sample needs a seed, so that it can be drawn again.", fields={"seed": "Give one."})
    sealing_key()
    log_access("export", by=by, detail=detail)


def write_package(
    population: Population, *, by: Any, purpose: str = "", size: int = 0, seed: str = ""
) -> Iterator[bytes]:
    """Yield the bytes of a package; its row is written when the last one has left.

    Args:
        population: the entries.
        by: who takes them.
        purpose: what for.
        size: how many to sample; 0 takes all of them.
        seed: what the sample is drawn with.
    """
    pipe = Pipe()
    counted = population.count()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:  # type: ignore[call-overload]
        package = Zip(archive, pipe)
        yield from package.add("README.txt", [README.encode()])
        yield from package.add("verify_evidence.py", [Path(standalone.__file__).read_bytes()])
        portions = _sampled(population, size, seed) if size else population
        lines = _Lines(portions)
        yield from package.add("entries.jsonl", lines)
        yield from package.add("seals.log", _seals(lines.seals))
        yield from package.add("entries.csv", _table(portions))
        if isinstance(portions, _Portions):
            yield from _dossiers(package, portions, by)
        manifest = _manifest(population, counted, by=by, purpose=purpose, size=size, seed=seed)
        manifest |= {"entries": lines.facts, "seals": lines.seal_facts, "files": package.files}
        text = (json.dumps(manifest, indent=1, ensure_ascii=False) + "\n").encode()
        key = sealing_key()
        signature = base64.b64encode(key.sign(standalone.MANIFEST_PURPOSE + text)).decode()
        signed = {"key": standalone.fingerprint(public_of(key)), "signature": signature}
        yield from package.add("manifest.json", [text], listed=False)
        yield from package.add("manifest.sig", [(json.dumps(signed) + "\n").encode()], listed=False)
    yield pipe.drain()
    _keep(population, counted, manifest, text, by=by, purpose=purpose, size=size, seed=seed)


def _keep(population: Population, counted: dict[str, int], manifest: dict[str, Any], text: bytes, **given: Any) -> None:
    kinds = EvidencePackage.Kind
    with transaction.atomic():
        EvidencePackage.objects.create(
            kind=kinds.SAMPLE if given["size"] else kinds.EVERYTHING,
            made_by=given["by"],
            made_at=clock.now(),
            purpose=given["purpose"],
            query=population.query,
            filters=population.filters,
            population=counted["count"],
            first_id=counted["first"] or None,
            last_id=counted["last"] or None,
            seed=given["seed"] if given["size"] else "",
            entries=manifest["entries"]["count"],
            manifest=manifest,
            sha256=hashlib.sha256(text).hexdigest(),
        )


class _Portions:
    """A few entries, in the form of a population."""

    def __init__(self, events: list[AuditEvent]) -> None:
        self.events = events

    def portions(self) -> Iterator[list[AuditEvent]]:
        for start in range(0, len(self.events), PORTION):
            yield self.events[start : start + PORTION]


def _sampled(population: Population, size: int, seed: str) -> _Portions:
    return _Portions(population.sample(size, seed))


class _Lines:
    """The canonical line of every entry; notes as it goes which seals cover them."""

    def __init__(self, portions: Any) -> None:
        self._portions = portions
        self.facts: dict[str, Any] = {"count": 0, "first": None, "last": None}
        self.seals: list[tuple[int, int, int, int]] = []

    def __iter__(self) -> Iterator[bytes]:
        for portion in self._portions.portions():
            lines = canonical_lines([event.pk for event in portion])
            self._note(sorted(lines))
            yield "".join(f"{lines[number]}\n" for number in sorted(lines)).encode()

    @property
    def seal_facts(self) -> dict[str, Any]:
        """Which seals the entries are in."""
        numbers = [n for n, _, _, _ in self.seals]
        ends = AuditSeal.objects.filter(n__in=numbers[:1] + numbers[-1:]).order_by("n")
        return {"count": len(numbers), "first_and_last": [as_seal(seal) for seal in ends]}

    def _note(self, numbers: list[int]) -> None:
        self.facts["first"] = self.facts["first"] or numbers[0]
        self.facts["last"] = numbers[-1]
        self.facts["count"] += len(numbers)
        for number in numbers:
            if not self.seals or number > self.seals[-1][2]:
                seal = AuditSeal.objects.filter(to_id__gte=number).order_by("to_id")
                self.seals.append(seal.values_list("n", "from_id", "to_id", "count")[0])


def _seals(touched: list[tuple[int, int, int, int]]) -> Iterator[bytes]:
    """The leaves and seals of some seals, neighbours read together."""
    group: list[tuple[int, int, int, int]] = []
    for each in touched:
        if group and (each[0] != group[-1][0] + 1 or sum(count for *_, count in group) > AT_ONCE):
            yield _group(group)
            group = []
        group.append(each)
    if group:
        yield _group(group)


def _group(group: list[tuple[int, int, int, int]]) -> bytes:
    lines = leaf_lines(group[0][1], group[-1][2]).splitlines(keepends=True)
    rows = {row.n: row for row in AuditSeal.objects.filter(n__range=(group[0][0], group[-1][0]))}
    out, place = bytearray(), 0
    for n, _, last, _ in group:
        start = place
        while place < len(lines) and int(lines[place].split(b" ", 1)[0]) <= last:
            place += 1
        out += b"".join(lines[start:place]) + b"seal " + standalone.as_json(as_seal(rows[n])) + b"\n"
    return bytes(out)


def _table(portions: Any) -> Iterator[bytes]:
    """The entries in words, for spreadsheets."""
    zone = timezone.get_current_timezone()
    yield b"\xef\xbb\xbf" + csv_bytes([COLUMNS])
    for portion in portions.portions():
        leaves = dict(zip(*_leaf_columns(portion), strict=True))
        reader = Reader(portion, by=None)
        yield csv_bytes([_row(event, reader, leaves.get(event.pk, ""), zone) for event in portion])


def _leaf_columns(portion: list[AuditEvent]) -> tuple[list[int], list[str]]:
    lines = canonical_lines([event.pk for event in portion])
    return list(lines), [standalone.leaf_hash(line.encode()).hex() for line in lines.values()]


def _row(event: AuditEvent, reader: Reader, leaf: str, zone: dt.tzinfo) -> list[Any]:
    told = "; ".join(f"{each.label}: {each.before} → {each.after}" for each in reader.changes_of(event))
    return [
        event.pk,
        event.at.astimezone(zone).isoformat(timespec="seconds"),
        event.at.astimezone(dt.UTC).isoformat(),
        str(event.actor) if event.actor is not None else event.actor_label,
        *(event.actor_label, event.on_behalf_of_label, Channel(event.channel).label, event.get_action_display()),
        *(kind_of(event.table_name), event.object_id, event.object_label, told, event.reason),
        *(event.request_id, event.job_id, event.txid, event.db_role, leaf),
    ]


def _dossiers(package: Zip, sample: _Portions, by: Any) -> Iterator[bytes]:
    prover = Prover()
    for number, event in enumerate(sample.events, 1):
        for name, content in dossier_of(event, by=by, prover=prover).items():
            yield from package.add(f"samples/{number:03}-entry-{event.pk}/{name}", [content])


def _manifest(population: Population, counted: dict[str, int], **given: Any) -> dict[str, Any]:
    sql, values = population.rows.query.sql_with_params()
    manifest: dict[str, Any] = {
        "v": 1,
        "what": "Evidence from the ledger of mops",
        "made_at": clock.now().isoformat(),
        "made_by": given["by"].get_username(),
        "purpose": given["purpose"],
        "population": {
            "definition": "Every entry of the ledger that fits all of these, up to the last sealed one: "
            + ("; ".join(population.filters) or "no filter"),
            "filters": population.filters,
            "query": population.query,
            "sql": sql,
            "values": [str(value) for value in values],
            "sealed_up_to": population.up_to,
            **counted,
        },
        "gaps": gap_statement(counted["first"], counted["last"]) if counted["count"] else None,
        "keys": [public.hex() for public in trusted_keys().values()],
    }
    if given["size"]:
        manifest["sample"] = {
            "size": given["size"],
            "seed": given["seed"],
            "method": 'The entries of the population with the smallest SHA-256(seed + ":" + sequence), as UTF-8.',
        }
    return manifest
