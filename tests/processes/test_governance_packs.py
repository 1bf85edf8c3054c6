"""Governance packs: told from the rows, frozen, handed out; and that closed processes are not named in them."""

import datetime as dt
import io
import zipfile

import pytest
from django.db import DatabaseError, transaction
from django.urls import reverse

from apps.accounts.enums import Role
from apps.core import clock
from apps.core.errors import InvalidInput, NotAllowed
from apps.core.jobs.api import enqueue
from apps.core.jobs.testing import run_queued_jobs
from apps.core.pack_parts import Span
from apps.core.packs import can_print, quarter_of, quarter_words
from apps.processes.domain import compliance, maturity, pack_parts, packs, roadmap
from apps.processes.enums import StakeholderAccess
from apps.processes.models import GovernancePack, Process
from tests.factories.accounts import person_with, sign_in
from tests.factories.processes import ComplianceRuleFactory, ProcessFactory, effective, steps

pytestmark = pytest.mark.django_db


@pytest.fixture
def ops():
    return person_with(Role.OPS)


def told(ops):
    effective(ProcessFactory(title="Open one", owner_person=ops), flow=steps("One"))
    compliance.evaluate(ComplianceRuleFactory(title="Owned", check_key="processes.owned"))
    roadmap.bring_in_standard(by=ops)
    maturity.assess_all()
    return packs.make_pack(by=ops)


def lines(pack, key):
    part = next(part for part in pack.parts if part["key"] == key)
    return {line["what"].strip(): line["value"] for line in part["lines"]}


def test_pack_tells_what_the_rows_say(ops):
    pack = told(ops)
    assert [part["key"] for part in pack.parts] == [
        *("measures", "maturity", "roadmap", "compliance", "improvements", "processes", "work"),
        *("service", "cost", "campaigns"),
    ]
    assert lines(pack, "measures")["Processes standardised and documented"] == "100 % (1 of 1)"
    assert lines(pack, "compliance")["Owned"] == "1 not met"
    assert lines(pack, "processes")["Versions that came into force"] == "1"
    assert lines(pack, "work")["Approval requests: approved"] == "1"
    assert str(pack) == f"Governance {quarter_words(quarter_of(clock.today()))}"
    assert packs.is_untouched(pack)


def test_pack_stays_as_it_was(ops):
    pack = told(ops)
    with pytest.raises(DatabaseError), transaction.atomic():
        GovernancePack.objects.update(digest="x")
    Process.objects.update(archived_at=clock.now())
    pack.refresh_from_db()
    assert lines(pack, "processes")["Processes in use"] == "1"
    assert packs.make_pack(by=ops).number == 2


def test_closed_processes_are_counted_not_named(ops):
    late = clock.today() + dt.timedelta(days=200)
    for title, access in (("Known", StakeholderAccess.EVERYBODY), ("Secret", StakeholderAccess.STAKEHOLDERS)):
        process = effective(ProcessFactory(title=title), flow=steps("One")).process
        Process.objects.filter(pk=process.pk).update(stakeholder_access=access)
    part = pack_parts.tell_processes(Span(quarter_of(late), late, clock.now()))
    found = {line.what.strip(): line.value for line in part.lines}
    assert found["Reviews overdue"] == "2"
    assert "Known" in found
    assert "Secret" not in found


def test_what_cannot_be_made_is_refused(ops):
    with pytest.raises(NotAllowed, match="not make them"):
        packs.make_pack(by=person_with(Role.AUDITOR))
    with pytest.raises(InvalidInput, match="is to come; a pack tells what was"):
        packs.make_pack(by=ops, on=clock.today() + dt.timedelta(days=1))


def test_job_makes_the_pack_of_the_quarter_that_ended_once(ops):
    for _ in range(2):
        enqueue("processes.make_pack", by=None)
        run_queued_jobs()
    pack = GovernancePack.objects.get()
    assert pack.ends_on == quarter_of(clock.today()) - dt.timedelta(days=1)
    assert pack.quarter == quarter_of(pack.ends_on)


def test_pack_is_made_read_and_taken_along(client, ops):
    told(ops)
    client = sign_in(client, ops)
    assert client.get(reverse("admin:processes_governancepack_add")).status_code == 200
    answer = client.post(reverse("admin:processes_governancepack_add"))
    pack = GovernancePack.objects.get(number=2)
    page = client.get(answer.url).content.decode()
    assert "figures as frozen" in page
    book = client.get(reverse("admin:processes_governancepack_file", args=(pack.pk, "xlsx")))
    assert zipfile.is_zipfile(io.BytesIO(b"".join(book.streaming_content)))
    assert client.get(reverse("admin:processes_governancepack_file", args=(pack.pk, "doc"))).status_code == 404
    if can_print():
        paper = client.get(reverse("admin:processes_governancepack_file", args=(pack.pk, "pdf")))
        assert paper.content.startswith(b"%PDF")
    auditor = sign_in(client, person_with(Role.AUDITOR))
    assert auditor.get(answer.url).status_code == 200
    assert auditor.post(reverse("admin:processes_governancepack_add")).status_code == 403
    assert GovernancePack.objects.count() == 2
