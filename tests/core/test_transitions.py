"""A governed column changes inside its operation and nowhere else."""

import pytest
from django.db import DatabaseError, connection, transaction

from apps.accounts.models import Team
from apps.core.admin_kit.refusals import sentence_of
from apps.core.transitions import open_tables, transition
from apps.technology.enums import Lifecycle
from apps.technology.models import Tool
from tests.factories.technology import ToolFactory

pytestmark = pytest.mark.django_db
SENTENCE = "A tool moves through its lifecycle by the buttons on its page, not by an edit."


def by_update(tool):
    Tool.objects.filter(pk=tool.pk).update(lifecycle=Lifecycle.RETIRED)


def by_save(tool):
    tool.lifecycle = Lifecycle.RETIRED
    tool.save()


def by_bulk_update(tool):
    tool.lifecycle = Lifecycle.RETIRED
    Tool.objects.bulk_update([tool], ["lifecycle"])


def by_raw_sql(tool):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE technology_tool SET lifecycle = 'retired' WHERE id = %s", [tool.pk])


def by_birth(tool):
    Tool.objects.create(name="Born active", lifecycle=Lifecycle.ACTIVE)


def by_the_transition_of_another_table(tool):
    with transition(Team):
        by_update(tool)


WAYS = [by_update, by_save, by_bulk_update, by_raw_sql, by_birth, by_the_transition_of_another_table]


@pytest.mark.parametrize("way", WAYS)
def test_every_other_way_is_refused_in_words(way):
    tool = ToolFactory(active=True)
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        way(tool)
    assert sentence_of(caught.value) == SENTENCE
    assert Tool.objects.get(pk=tool.pk).lifecycle == Lifecycle.ACTIVE


def test_the_door_closes_with_the_block():
    tool = ToolFactory()
    with transition(Tool):
        Tool.objects.filter(pk=tool.pk).update(lifecycle=Lifecycle.EVALUATING)
    assert open_tables() == ""
    with pytest.raises(DatabaseError), transaction.atomic():
        by_update(tool)


def test_other_columns_stay_free():
    tool = ToolFactory()
    Tool.objects.filter(pk=tool.pk).update(notes="free")
    assert Tool.objects.get(pk=tool.pk).notes == "free"
