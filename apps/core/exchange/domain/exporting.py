"""Taking a list out: which columns, by whom, and the record that stays of it."""

import hashlib
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from django.apps import apps
from django.core.files.base import File
from django.db import models, transaction

from apps.core import access, clock
from apps.core.access_log import log_access
from apps.core.actors import acting_as
from apps.core.admin_kit.names import label_of
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.exchange.domain.pruning import FILES
from apps.core.exchange.enums import RunState
from apps.core.exchange.models import ExportRun
from apps.core.exchange.permissions import refuse_export
from apps.core.exchange.writing.tables import WRITERS
from apps.core.governed import SECRET_COLUMNS
from apps.core.jobs.api import enqueue
from apps.core.notifications.domain.notifying import notify
from apps.core.private_files import private_files
from apps.core.retention.domain.periods import days_kept

if TYPE_CHECKING:
    from apps.accounts.models import User

EXPORT_JOB = "exchange.run_export"
READY_KIND = "exchange.export_ready"
AT_ONCE = 5_000
FETCHED = 2_000
FORMATS = {"csv": "CSV", "xlsx": "Excel (XLSX)", "json": "JSON"}
SECRET_WORDS = ("password", "secret", "token", "salt", "credential", "private_key", "api_key")
NEVER = ("uuid", "row_version")
KEPT_BY_MOPS = ("id", "created_at", "updated_at", "archived_at")


@dataclass(frozen=True)
class ExportColumn:
    """One column of an export."""

    name: str
    title: str
    read: Callable[[Any], Any]
    relation: bool = False


@dataclass(frozen=True)
class Extra:
    """Columns that another kit adds to the exports of every kind of record.

    Attributes:
        prefix: what their names begin with, ending in a dot.
        columns: those of a kind of record.
        load: puts into the rows, in the same query, what these columns read.
        refuse: why a person does not see them, None when they do.
    """

    prefix: str
    columns: Callable[[type[models.Model]], Sequence[ExportColumn]]
    load: Callable[["models.QuerySet[Any]"], "models.QuerySet[Any]"]
    refuse: Callable[["User"], str | None]


_extras: list[Extra] = []


def register_extra(extra: Extra) -> None:
    """Add columns to the exports of every kind; called once, from `AppConfig.ready` of the kit that has them."""
    _extras[:] = [*(each for each in _extras if each.prefix != extra.prefix), extra]


def extra_names(model: type[models.Model]) -> tuple[str, ...]:
    """Return the names of the columns that kits add for this kind."""
    return tuple(column.name for extra in _extras for column in extra.columns(model))


def _extra_of(name: str) -> Extra | None:
    return next((each for each in _extras if name.startswith(each.prefix)), None)


def is_secret(name: str) -> bool:
    """Whether a field's name says that its value must never leave."""
    return name in SECRET_COLUMNS or any(word in name for word in SECRET_WORDS)


def default_fields(model: type[models.Model]) -> tuple[str, ...]:
    """Return the fields an export has where nobody declared them: what people keep, then what mops keeps."""
    names = [
        field.name
        for field in model._meta.concrete_fields
        if field.name not in NEVER and not is_secret(field.name) and not isinstance(field, models.FileField)
    ]
    return tuple(sorted(names, key=lambda name: name in KEPT_BY_MOPS))


def shown_to(user: "User", model: type[models.Model], names: Sequence[str]) -> tuple[str, ...]:
    """Return those of `names` that no column limit hides from `user`."""
    hidden = access.hidden_columns(user, model)
    refused = tuple(each.prefix for each in _extras if each.refuse(user) is not None)
    seen = (name for name in names if not name.startswith(refused))
    return tuple(name for name in seen if not access.is_hidden_path(lambda _: hidden, model, name))


def columns_for(model: type[models.Model], names: Sequence[str], *, raw: bool = False) -> list[ExportColumn]:
    """Return the columns called `names`: fields, or attributes and methods without arguments.

    Args:
        model: what is exported.
        names: which columns.
        raw: choices as they are stored, for machines, instead of their labels.

    Raises:
        InvalidInput: a name that the model does not have, or that is a secret.
    """
    fields = {field.name: field for field in model._meta.concrete_fields}
    added = {column.name: column for extra in _extras for column in extra.columns(model)} if _asked(names) else {}
    columns = []
    for name in names:
        if name in added:
            columns.append(added[name])
            continue
        known = name in fields or (hasattr(model, name) and not name.startswith("_"))
        # a method that changes its row is never a column, whatever a list declares
        if not known or is_secret(name) or getattr(getattr(model, name, None), "alters_data", False):
            raise InvalidInput(f"There is no column “{name}” to export.")
        columns.append(_column(model, name, fields.get(name), raw=raw))
    return columns


def _asked(names: Sequence[str]) -> bool:
    return any(_extra_of(name) is not None for name in names)


def _column(model: type[models.Model], name: str, field: Any, *, raw: bool) -> ExportColumn:
    title = label_of(model, name)
    if field is None:
        return ExportColumn(name, title, lambda thing: _called(getattr(thing, name)))
    if field.choices and not raw:
        return ExportColumn(name, title, lambda thing: getattr(thing, f"get_{name}_display")())
    if field.is_relation:
        return ExportColumn(name, title, lambda thing: _named(getattr(thing, name)), relation=True)
    return ExportColumn(name, title, lambda thing: getattr(thing, name))


def _called(value: Any) -> Any:
    return value() if callable(value) else value


def _named(thing: Any) -> str | None:
    return None if thing is None else str(thing)


def start_export(
    model: type[models.Model],
    *,
    by: "User",
    title: str,
    fmt: str,
    columns: Sequence[str],
    filters: str,
    selection: Sequence[str],
    background: bool,
) -> ExportRun:
    """Write down that somebody takes a list out, before the first row goes.

    Args:
        model: what is exported.
        by: who asks.
        title: what the list is called.
        fmt: csv, xlsx or json.
        columns: names of the columns.
        filters: the list's query string.
        selection: keys of the chosen rows; empty for all that the filter shows.
        background: whether a job writes the file.

    Raises:
        NotAllowed: `by` may not view these, or not export.
        InvalidInput: no such format or column, or none chosen.
    """
    if refused := refuse_export(by, model):
        raise NotAllowed(refused)
    if fmt not in FORMATS:
        raise InvalidInput(f"Choose one of {', '.join(FORMATS.values())}.")
    if not columns:
        raise InvalidInput("Choose at least one column.")
    columns_for(model, columns)
    _refuse_hidden(by, model, columns)
    with transaction.atomic(), acting_as(by):
        run = ExportRun(
            model=model._meta.label_lower,
            title=title,
            format=fmt,
            filters=filters,
            selection=list(selection),
            columns=list(columns),
            background=background,
            requested_by=by,
            started_at=clock.now(),
        )
        run.save(force_insert=True)
        log_access("export", by=by, thing=run, detail={"list": run.model, "columns": list(columns), "filter": filters})
        if background:
            enqueue(EXPORT_JOB, args={"export_id": run.pk}, by=by)
    return run


def _refuse_hidden(by: "User", model: type[models.Model], names: Sequence[str]) -> None:
    """Refuse columns that `by` does not see (any more), in the words for columns that there are not."""
    for name in set(names) - set(shown_to(by, model, names)):
        raise InvalidInput(f"There is no column “{name}” to export.")


def write_file(
    run: ExportRun,
    rows: "models.QuerySet[Any]",
    out: IO[bytes],
    *,
    tick: Callable[[int], None] | None = None,
) -> dict[str, Any]:
    """Write the rows into `out`, fetched in portions, never all at once.

    Returns:
        What `complete` writes down: how many rows, how many bytes, their SHA-256.

    Raises:
        InvalidInput: the format cannot hold them; the record says so, too.
    """
    columns = columns_for(rows.model, run.columns, raw=run.format == "json")
    if related := [column.name for column in columns if column.relation]:
        rows = rows.select_related(*related)
    for extra in _extras:
        if any(name.startswith(extra.prefix) for name in run.columns):
            rows = extra.load(rows)
    digest, counter = hashlib.sha256(), _Counter(tick)
    lines = counter.counted([column.read(thing) for column in columns] for thing in rows.iterator(FETCHED))
    names, titles = [column.name for column in columns], [column.title for column in columns]
    try:
        _refuse_hidden(run.requested_by, rows.model, run.columns)  # rights may have gone since it was asked for
        for chunk in WRITERS[run.format](names, titles, lines):
            out.write(chunk)
            digest.update(chunk)
    except InvalidInput as refusal:
        complete(run, RunState.FAILED, problem=refusal.message)
        raise
    out.flush()
    return {"row_count": counter.number, "size": out.tell(), "sha256": digest.hexdigest()}


class _Counter:
    """Counts what goes by."""

    def __init__(self, tick: Callable[[int], None] | None) -> None:
        self.number, self.tick = 0, tick

    def counted(self, rows: Iterable[Any]) -> Iterator[Any]:
        for row in rows:
            self.number += 1
            if self.tick is not None and self.number % FETCHED == 0:
                self.tick(self.number)
            yield row


def complete(run: ExportRun, state: RunState, **figures: Any) -> ExportRun:
    """Write, once, how an export ended."""
    run.state, run.finished_at = state, clock.now()
    for name, value in figures.items():
        setattr(run, name, value)
    run.save(update_fields=["state", "finished_at", *figures])
    return run


def keep_file(run: ExportRun, rows: "models.QuerySet[Any]", *, tick: Callable[[int], None]) -> ExportRun:
    """Write the file of a background export into private storage.

    Raises:
        InvalidInput: the format cannot hold the rows.
    """
    with tempfile.TemporaryFile() as file:
        figures = write_file(run, rows, file, tick=tick)
        file.seek(0)
        private_files().delete(run.place)  # of an attempt whose worker was lost
        private_files().save(run.place, File(file))
    return complete(run, RunState.DONE, **figures)


def tell_ready(run: ExportRun) -> None:
    """Tell the person who asked that the file is there."""
    rows = f"{run.row_count or 0:,} rows"
    notify([run.requested_by], READY_KIND, title=f"Your export of {run.title} is ready: {rows}.", subject=run)


def refuse_download(user: "User", run: ExportRun) -> str | None:
    """Return why `user` cannot fetch the file of a background export, None when it works."""
    if run.requested_by_id != user.pk:
        return f"Only {run.requested_by} can fetch this file; export the list yourself."
    if refused := refuse_export(user, model_of(run)):
        return refused
    if run.state != RunState.DONE:
        return "The file is not ready yet." if run.state == RunState.RUNNING else "This export left no file."
    if not run.background:
        return "The file went straight to whoever asked; it was not kept."
    if private_files().exists(run.place):
        return None
    return f"The file was removed after {days_kept(FILES)} days; export the list again."


def fetch_file(run: ExportRun, *, by: "User") -> "File[Any]":
    """Open the file of a background export.

    Raises:
        NotAllowed: it is somebody else's, or the rights are gone.
        WrongState: it is not there (yet, or any more).
    """
    if refused := refuse_download(by, run):
        mine = run.requested_by_id == by.pk and access.has_model_permission(by, "add", ExportRun)
        raise (WrongState if mine else NotAllowed)(refused)
    return private_files().open(run.place)


def model_of(run: ExportRun) -> type[models.Model]:
    """Return what was exported.

    Raises:
        WrongState: that kind of record is not installed (any more).
    """
    try:
        found: type[models.Model] = apps.get_model(run.model)
    except LookupError as error:
        raise WrongState(f"There are no {run.title} here any more.") from error
    return found
