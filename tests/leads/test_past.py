"""Stages of the past: told by the system leads come from, put before what is recorded, never over it."""

import datetime as dt

import pytest

from apps.accounts.enums import Role
from apps.core import clock
from apps.core.errors import InvalidInput, NotAllowed
from apps.leads.domain.past import Told, tell_past
from apps.leads.enums import Stage
from apps.leads.models import Lead, StageInterval
from tests.factories.accounts import person_with
from tests.factories.exchange import import_text
from tests.factories.leads import LeadFactory

pytestmark = pytest.mark.django_db
HEAD = "Lead number,System,Stage,Since,Why\n"


def moment(day):
    return dt.datetime.combine(day, dt.time(10), dt.UTC)


def stretches(lead):
    rows = StageInterval.objects.filter(lead=lead).order_by("entered_at")
    return [(row.stage, row.entered_at.date(), row.exited_at and row.exited_at.date()) for row in rows]


def test_stages_of_the_past_stand_before_what_is_recorded():
    ops, today = person_with(Role.OPS), clock.today()
    lead = LeadFactory(stage=Stage.RECYCLED)
    january, march, may = dt.date(2025, 1, 7), dt.date(2025, 3, 4), dt.date(2025, 5, 6)
    made = tell_past(
        [
            Told(lead.pk, Stage.SQL, moment(march), "Sales took it."),
            Told(lead.pk, Stage.KNOWN_LEAD, moment(january)),
        ],
        by=ops,
    )
    assert made == 2
    assert stretches(lead) == [("known_lead", january, march), ("sql", march, today), ("recycled", today, None)]
    again = LeadFactory(stage=Stage.RECYCLED)
    tell_past([Told(again.pk, Stage.SQL, moment(march)), Told(again.pk, Stage.RECYCLED, moment(may))], by=ops)
    assert stretches(again) == [("sql", march, may), ("recycled", may, None)]
    assert Lead.objects.get(pk=again.pk).stage == Stage.RECYCLED
    told = StageInterval.objects.get(lead=lead, stage="sql")
    assert (told.reason, told.actor_label) == ("Sales took it.", str(ops))


def test_what_cannot_be_is_refused_and_nothing_is_written():
    ops, lead = person_with(Role.OPS), LeadFactory()
    now = clock.now()
    for told, sentence in (
        (Told(lead.pk, "hot", now - dt.timedelta(days=9)), "There is no stage “hot”"),
        (Told(lead.pk, "mql", now + dt.timedelta(days=9)), "which is still to come"),
        (Told(lead.pk, "mql", moment(dt.date(1999, 12, 31))), "before 2000 nothing was recorded"),
        (Told(lead.pk, "mql", dt.datetime(2025, 1, 1)), "Say in which time zone"),
        (Told(lead.pk, "mql", clock.now()), "its stage is recorded here already (Known lead since"),
    ):
        with pytest.raises(InvalidInput) as refused:
            tell_past([Told(lead.pk, "known_lead", moment(dt.date(2025, 1, 1))), told], by=ops)
        assert sentence in refused.value.message
    assert len(stretches(lead)) == 1
    with pytest.raises(NotAllowed, match="You may not change one of these leads"):
        tell_past([Told(lead.pk, "mql", moment(dt.date(2025, 1, 1)))], by=person_with(Role.AUDITOR))


def test_files_tell_the_past_once_and_refuse_in_words():
    ops = person_with(Role.OPS)
    lead = LeadFactory(external_id="77", record_source="former-crm", stage=Stage.RECYCLED)
    text = HEAD + (
        "77,former-crm,Known lead,2025-01-07,\n"
        "77,former-crm,Sales qualified (SQL),2025-03-04,Sales took it.\n"
        "77,former-crm,Recycled,2199-03-04,\n"
        "78,former-crm,Known lead,2025-01-07,\n"
        "77,former-crm,Hot,2025-01-08,\n"
    )
    batch = import_text("leads.past_stages", text, by=ops)
    assert batch.counts == {"created": 2, "refused": 3}
    told = list(batch.outcomes.filter(kind="refused").order_by("line").values_list("reason", flat=True))
    assert told[0] == "It would have come there on 4 Mar 2199, which is still to come."
    assert told[1] == "There is no lead “78” of this system that you may change."
    assert told[2].startswith("Stage: “Hot” is not one of")
    assert [each[0] for each in stretches(lead)] == ["known_lead", "sql", "recycled"]
    again = import_text("leads.past_stages", text, by=ops)
    assert again.counts == {"unchanged": 2, "refused": 3}
