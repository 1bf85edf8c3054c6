"""`manage.py bench lead_import`: a file of leads through the import kit, beside a bare COPY and a loop over rows.

The bare path copies the very same rows into the same table: its indexes, its history, its ledger and the queues that
its triggers fill are written in both. Reading the file, validating it, comparing it with what is there and the report
that says what became of each row are the product's alone.

The usual way is a resource of django-import-export as its documentation shows it, row by row, with the checks that an
import of leads needs switched on (`skip_unchanged`, `clean_model_instances`): for each row a savepoint, the record
looked up by its key, a copy for the report of what changed, every cell cleaned and set, the phone checked against the
country, the model's own validation (its unique e-mail, phone and number), the save, a savepoint given back, and a line
in the report. Its rehearsal before the confirmation, which takes as long again, and its reading of the file are left
out; beside the library itself it took the same time within 4 %. What it leaves in the table is compared with what the
product leaves there before anything is timed.

The product commits portion by portion, as its job does, so the tables grow as in life; the loop has its sample where
half of the file is in, the bare path is taken before the file comes. These two are taken back, after what a commit
would check of foreign keys was checked and counted. Every round has a file of its own.
"""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

from django.core.files.base import ContentFile
from django.db import connection, transaction
from django.test import override_settings

from apps.accounts.models import User
from apps.core.actors import acting_as
from apps.core.bench.registry import Result, Taken, benchmark, middle, swept, timed
from apps.core.context_sql import stamp_transaction
from apps.core.exchange.domain.receiving import receive_file
from apps.core.exchange.domain.running import Tick, carry_out, carry_out_preview
from apps.core.exchange.enums import OutcomeKind
from apps.core.exchange.models import ImportBatch, RowOutcome
from apps.leads import phones
from apps.leads.models import Lead, StageInterval

SAMPLE, LIMIT, USUAL, MANY = 200, 3.0, 100.0, 200_000
HEADER = ("Lead number", "System", "Name", "E-mail", "Phone", "Job title", "Company", "Country", "Lead source")
_EMPTY = "territory, origin, stage, last_activity, last_notable_activity, quality"
_COPY = (
    "COPY leads_lead (external_id, record_source, name, email, phone, job_title, company, country, source, uuid, "
    f"created_at, updated_at, row_version, {_EMPTY}, is_phone_shared) "
    f"FROM STDIN (FORMAT csv, FORCE_NOT_NULL (phone, {_EMPTY}))"
)
_FIELDS = ("external_id", "record_source", "name", "email", "phone", "job_title", "company", "country", "source")
_TITLES = ("Director of demand", "Marketing manager", "Buyer", "Chief executive", "Analyst")


def record(number: int) -> tuple[str, ...]:
    """Return the cells of one lead; every fifth has a phone, and no two are alike."""
    phone = f"+4930{2_000_000 + number}" if number % 5 == 0 else ""
    return (
        str(number),
        "bench",
        f"Person {number}",
        f"person{number}@company{number % 997}.example",
        phone,
        _TITLES[number % len(_TITLES)],
        f"Company {number % 997}",
        "Germany",
        "Search",
    )


@benchmark("lead_import", default_rows=10_000)
def lead_import(rows: int) -> Iterator[Result]:
    """Bring a file of `rows` leads in, look at its preview, and bring it in once more."""
    person = User.objects.create(email="bench-import@example.com", full_name="Bench", is_staff=True, is_superuser=True)
    with tempfile.TemporaryDirectory() as folder, override_settings(MEDIA_ROOT=Path(folder)), acting_as(person):
        rounds = 1 if rows >= MANY else 3
        files = [range(each * rows + 1, (each + 1) * rows + 1) for each in range(rounds)]
        batches = [_received(numbers, person) for numbers in files]
        taken = [_round(batch, numbers, person) for batch, numbers in zip(batches, files, strict=True)]
        run, bare, usual = (middle(each) for each in zip(*taken, strict=True))
        to_limit, to_usual = run.worked / bare.worked, usual.worked / SAMPLE * rows / run.worked
        met = to_limit <= LIMIT and to_usual >= USUAL
        goal = f"works at most {LIMIT:.0f} times as long as a bare COPY, the loop over rows at least {USUAL:.0f} times"
        more = {"worked_to_limit": round(to_limit, 3), "worked_to_usual": round(to_usual, 1)}
        loop = usual.seconds / SAMPLE * rows
        yield Result("lead import", rows, run.seconds, bare.seconds, loop, goal, met, more)
        written, batch = Lead.objects.count(), batches[-1]
        again, previewed = (
            middle([timed(way) for _ in range(min(rounds, 2))])
            for way in (lambda: _run(batch, person), lambda: carry_out_preview(batch, by=person))
        )
        same = written == rows * rounds == Lead.objects.count() and not batch.counts.get("updated")
        goal = "writes nothing, and takes no longer than the first time"
        met = same and again.worked <= run.worked
        yield Result("lead import again", rows, again.seconds, bare.seconds, None, goal, met)
        met, goal = previewed.worked <= LIMIT * bare.worked, f"works at most {LIMIT:.0f} times as long as a bare COPY"
        yield Result("lead import preview", rows, previewed.seconds, bare.seconds, None, goal, met)


def _received(numbers: Iterable[int], person: User) -> ImportBatch:
    """Return an import of a file with these leads."""
    content = _csv([HEADER, *map(record, numbers)])
    return receive_file(ContentFile(content, name="leads.csv"), by=person, importer="leads.leads")


def _csv(rows: Iterable[tuple[Any, ...]]) -> bytes:
    """Return rows as other systems write them: a phone begins with its plus."""
    return "".join(f"{','.join(map(_cell, row))}\r\n" for row in rows).encode()


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    doubled = text.replace('"', '""')
    return f'"{doubled}"' if set(text) & set(',"\r\n') else text


def _plain(numbers: Iterable[int]) -> bytes:
    """Return the rows as COPY takes them, every column with its value."""
    now = "2026-01-01T00:00:00Z"
    rest = (now, now, 1, "", "", "known_lead", "", "", "", "f")
    return _csv((*record(number), f"00000000-0000-4000-8000-{number:012d}", *rest) for number in numbers)


def _round(batch: ImportBatch, numbers: range, person: User) -> tuple[Taken, Taken, Taken]:
    """Return how long the product, the bare path and a sample of the loop take; what the product writes stays."""
    _compare(batch, person, numbers[:SAMPLE])
    plain = _plain(numbers)
    bare = _taken_back(lambda: _bare(plain))
    swept(Lead, Lead.history.model, StageInterval, RowOutcome)
    half_way = _HalfWay(batch, numbers)
    whole = timed(lambda: _run(batch, person, tick=half_way))
    run = Taken(whole.seconds - half_way.waited.seconds, whole.worked - half_way.waited.worked)
    return run, bare, middle(half_way.samples)


class _HalfWay:
    """Takes samples of the loop where half of a file is in.

    Attributes:
        samples: how long each took.
        waited: how long the import had to wait for them.
    """

    samples: Sequence[Taken] = ()
    waited = Taken(0.0, 0.0)

    def __init__(self, batch: ImportBatch, numbers: range) -> None:
        self._batch = batch
        self._enough = len(numbers) // 2
        self._beyond = range(numbers.stop, numbers.stop + SAMPLE)

    def __call__(self, done: int, total: int) -> None:
        """Note that so many rows are done."""
        if not self.samples and done >= self._enough:
            self.waited = timed(self._take)

    def _take(self) -> None:
        self.samples = [_taken_back(lambda: _row_by_row(self._batch, self._beyond)) for _ in range(3)]


def _run(batch: ImportBatch, person: User, tick: Tick | None = None) -> None:
    """Carry the import out as its job does."""
    ImportBatch.objects.filter(pk=batch.pk).update(run_number=batch.run_number + 1)
    batch.refresh_from_db()
    done = carry_out(batch, by=person, job="", tick=tick or _silent, stop=_silent)
    batch.counts = done.counts


def _silent(*progress: int) -> None:
    """Nobody watches a benchmark."""


def _bare(plain: bytes) -> None:
    stamp_transaction(connection)
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        copy.write(plain)


def _taken_back(way: Callable[[], None]) -> Taken:
    """Return how long something took, with what its commit would check; what it wrote is taken back."""
    with transaction.atomic():
        taken = timed(lambda: _checked(way))
        transaction.set_rollback(True)
    return taken


def _checked(way: Callable[[], None]) -> None:
    way()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def _compare(batch: ImportBatch, person: User, sample: range) -> None:
    """Hold the usual way to the same result, or there is nothing to compare.

    Raises:
        AssertionError: the two ways leave different leads.
    """
    left: list[list[tuple[Any, ...]]] = []
    numbers = [str(number) for number in sample]
    few = _received(sample, person)
    ways: tuple[Callable[[], None], ...] = (lambda: _run(few, person), lambda: _row_by_row(batch, sample))
    for way in ways:
        with transaction.atomic():
            way()
            left.append(list(Lead.objects.filter(external_id__in=numbers).order_by("email").values_list(*_FIELDS)))
            transaction.set_rollback(True)
    if left[0] != left[1] or len(left[0]) != len(sample):
        raise AssertionError("The usual way does not leave the same leads.")


def _row_by_row(batch: ImportBatch, numbers: Iterable[int]) -> None:
    """Import rows as django-import-export does; see above."""
    told = []
    for number in numbers:
        cells = dict(zip(_FIELDS, record(number), strict=True))
        with transaction.atomic():
            key = {name: cells[name] for name in ("record_source", "external_id")}
            lead = Lead.objects.filter(**key).first() or Lead()
            original = deepcopy(lead)
            for name, value in cells.items():
                setattr(lead, name, value)
            if lead.pk and all(getattr(lead, name) == getattr(original, name) for name in _FIELDS):
                continue
            if lead.phone:
                lead.phone = phones.e164(lead.phone, country=lead.country)
                phones.refuse_elsewhere(lead.phone, country=lead.country)
            lead.full_clean()
            lead.save()
        changed = [name for name in _FIELDS if getattr(original, name) != getattr(lead, name)]
        told.append(RowOutcome(batch=batch, line=number, kind=OutcomeKind.CREATED, object_id=lead.pk, fields=changed))
    RowOutcome.objects.bulk_create(told)
