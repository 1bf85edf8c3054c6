"""Triggers that refuse hold for every session."""

import pgtrigger
import pytest
from django.db import DatabaseError, connection, transaction

from apps.campaigns.models import Campaign
from tests.factories.campaigns import CampaignFactory

pytestmark = pytest.mark.django_db


def guards(model):
    return [trigger.get_pgid(model) for each, trigger in pgtrigger.registered() if each is model]


def test_a_session_cannot_leave_a_guard_out_by_naming_it():
    campaign = CampaignFactory()
    named = "{" + ",".join(guards(Campaign)) + "}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('pgtrigger.ignore', %s, true)", [named])
    with pytest.raises(DatabaseError, match="moves by the buttons on its page"), transaction.atomic():
        Campaign.objects.filter(pk=campaign.pk).update(state="live")
    campaign.refresh_from_db()
    assert campaign.state == "planning"


def test_guards_do_not_ask_the_session():
    with connection.cursor() as cursor:
        cursor.execute("SELECT prosrc FROM pg_proc WHERE proname = '_pgtrigger_should_ignore'")
        assert [source for (source,) in cursor.fetchall()] == ["SELECT false"]
