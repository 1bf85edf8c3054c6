"""The catalog these tests ask: leads with a few journal notes hanging on them, a tag and custom fields."""

import datetime as dt

import pytest

from apps.core.rules.predicates import Catalog, Relation, catalog_of, model_fields
from apps.core.workspace.models import JournalNote
from apps.leads.models import Lead

AS_OF = dt.datetime(2026, 11, 22, 10, 30, tzinfo=dt.UTC)


def about_leads():
    return JournalNote.objects.about_model(Lead)


NOTES = Relation(
    "notes",
    "journal notes",
    JournalNote,
    link="object_id",
    moment="created_at",
    rows=about_leads,
    catalog=Catalog(fields=model_fields(JournalNote, "kind", "text", "created_at")),
)


def leads_with_notes():
    import dataclasses

    return dataclasses.replace(catalog_of(Lead), relations=(NOTES,), inner={})


@pytest.fixture
def catalog(db):
    return leads_with_notes()
