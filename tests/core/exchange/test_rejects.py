"""Refused rows: taken out to be corrected, and tried again when what stood in their way is gone."""

import pytest
from django.test import Client

from apps.accounts.enums import Role
from apps.accounts.models import Team
from apps.core.errors import NotAllowed, WrongState
from apps.core.exchange.domain.rejects import refuse_take_out, rejects_of, retry_refused
from apps.core.exchange.models import RowOutcome
from apps.core.exchange.registry import Outcome
from apps.core.jobs.testing import run_queued_jobs
from tests.factories.accounts import person_with
from tests.factories.exchange import TeamImporter, import_text, importers

pytestmark = pytest.mark.django_db
TEXT = "Name,Purpose,Colour\nDemand,Campaigns,red\nEvents,Fairs,blue\nContent,Words,\ncontent,again,green\n"


class Choosy(TeamImporter):
    """Refuses what starts with E until it is told not to."""

    key = "test.choosy"
    closed = True

    def apply(self, rows, *, by):
        told = {each.line: each for each in super().apply([each for each in rows if not self._bars(each)], by=by)}
        return [told.get(each.line) or Outcome.refused(each, "Events are closed.") for each in rows]

    def _bars(self, row):
        return type(self).closed and row.values["name"].startswith("E")


def _report(batch):
    return list(batch.outcomes.order_by("run_number", "line").values_list("run_number", "line", "kind"))


def test_refused_rows_are_taken_out_and_tried_again(admin, monkeypatch):
    with importers(Choosy):
        batch = import_text("test.choosy", TEXT, by=admin)
        assert batch.counts == {"created": 2, "refused": 2}
        header, rows = rejects_of(batch, by=admin)
        assert (header, list(rows)) == (
            ["Name", "Purpose", "Colour", "Why it was refused"],
            [
                ["Events", "Fairs", "blue", "Events are closed."],
                ["content", "again", "green", "Line 4 already names this record; keep one of the two."],
            ],
        )
        client = Client()
        client.force_login(admin)
        page = f"/admin/exchange/importbatch/{batch.pk}/"
        shown = client.get(f"{page}change/").content.decode()
        assert "Try the refused rows again" in shown
        assert f'href="{page}refused/"' in shown
        file = b"".join(client.get(f"{page}refused/").streaming_content).decode("utf-8-sig")
        assert file.splitlines()[1] == "Events,Fairs,blue,Events are closed."

        once_more = import_text("test.choosy", file, by=admin)
        header, rows = rejects_of(once_more, by=admin)
        assert (header, [row[0] for row in rows]) == (["Name", "Purpose", "Colour", "Why it was refused"], ["Events"])

        monkeypatch.setattr(Choosy, "closed", False)
        Team.objects.filter(name="Demand").update(purpose="Changed since")
        assert retry_refused(batch, by=admin).startswith("The 2 refused rows are tried again")
        run_queued_jobs()
        batch.refresh_from_db()
        assert (batch.state, batch.counts) == ("done", {"created": 1, "refused": 1})
        assert _report(batch)[-2:] == [(2, 3, "created"), (2, 5, "refused")]
        assert RowOutcome.objects.filter(batch=batch).count() == 6
        assert Team.objects.get(name="Demand").purpose == "Changed since"
        shown = client.get(f"{page}change/?run=1&kind=created").content.decode()
        assert 'href="?run=2"' in shown
        assert ">Demand<" in shown
        assert ">Events<" not in shown


def test_refused_rows_are_for_those_who_may_import_them(admin):
    with importers(Choosy):
        batch = import_text("test.choosy", "Name,Purpose\nEvents,\n", by=admin)
        auditor = person_with(Role.AUDITOR)
        with pytest.raises(NotAllowed):
            retry_refused(batch, by=auditor)
        with pytest.raises(NotAllowed):
            rejects_of(batch, by=auditor)
        client = Client()
        client.force_login(auditor)
        assert client.get(f"/admin/exchange/importbatch/{batch.pk}/refused/").status_code == 403
        batch.file.storage.delete(batch.file.name)
        assert refuse_take_out(admin, batch) == "The file was erased, because it named a person who was."
        clean = import_text("test.choosy", "Name\nDesk\n", by=admin)
        with pytest.raises(WrongState, match="refused nothing"):
            retry_refused(clean, by=admin)
