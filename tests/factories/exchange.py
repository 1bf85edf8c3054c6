"""Importers, imports and sources for tests."""

from contextlib import contextmanager
from pathlib import Path

from django.core.files.base import ContentFile

from apps.accounts.models import Team
from apps.core.exchange import registry
from apps.core.exchange.domain.matching import map_columns
from apps.core.exchange.domain.receiving import receive_file
from apps.core.exchange.domain.running import preview_batch, run_batch
from apps.core.exchange.model_importer import ModelImporter
from apps.core.exchange.models import FileSource
from apps.core.exchange.registry import Column
from apps.core.jobs.testing import run_queued_jobs


class TeamImporter(ModelImporter):
    """Teams, as the tests import them."""

    key, title, model, natural_key = "test.teams", "Teams", Team, ("name",)
    columns = (Column("name", "Name", required=True, aliases=("Team", "team name"), example="Demand Generation"),)
    fields = ("name", "purpose")
    help = "The list of teams."


@contextmanager
def importers(*classes):
    """Within the block exactly these importers exist."""
    before = dict(registry._importers)
    registry._importers.clear()
    for each in classes:
        registry.register_importer(each)
    try:
        yield
    finally:
        registry._importers.clear()
        registry._importers.update(before)


def receive(text, *, by, importer="test.teams", name="teams.csv", **options):
    """Upload a text or bytes."""
    content = text.encode() if isinstance(text, str) else text
    return receive_file(ContentFile(content, name=name), by=by, importer=importer, options=options)


def import_text(importer, text, *, by, name="file.csv", mapping=None):
    """Upload, match by name, preview and run; returns the import as it ended."""
    batch = receive(text, by=by, importer=importer, name=name)
    batch = map_columns(batch, mapping or batch.mapping, by=by)
    preview_batch(batch, by=by)
    run_queued_jobs()
    batch.refresh_from_db()
    run_batch(batch, by=by)
    run_queued_jobs()
    batch.refresh_from_db()
    return batch


def source_of(folder: Path, text, *, by, importer="test.teams", path="teams.csv", **fields):
    """A file source whose file holds `text`."""
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_bytes(text.encode() if isinstance(text, str) else text)
    given = {"name": f"Source {path}", "folder": str(folder), "path": path, "owner": by, "importer": importer}
    return FileSource.objects.create(**{**given, **fields})
