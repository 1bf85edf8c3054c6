"""What was typed into a form that is refused at the door stays: lost rights, an old key, an ended session."""

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.domain.roles import synchronise_groups_of
from apps.accounts.enums import Role
from apps.accounts.models import Membership
from apps.core import clock
from apps.leads.domain.lifecycle import move_lead
from apps.leads.enums import Stage
from apps.leads.models import Lead
from apps.processes.models import Process
from tests.admin_pages import list_of, page_of
from tests.core.admin_kit.test_typed import kept, said
from tests.factories.accounts import person_with
from tests.factories.leads import LeadFactory
from tests.factories.processes import ProcessFactory

pytestmark = pytest.mark.django_db
HERE = {"HTTP_ORIGIN": "http://testserver"}
ADD = {"title": "Intake of events", "summary": "What we <b>agreed</b> with sales.", "family": "lead"}


def stripped(person):
    Membership.objects.filter(person=person).update(archived_at=clock.now())
    synchronise_groups_of(person)


@pytest.fixture
def ops(client):
    person = person_with(Role.OPS, Role.SALES)
    client.force_login(person)
    return person


def shown(answer):
    return {each.label: each.text for each in answer.context["typed"]}


def test_a_new_record_of_somebody_who_may_add_none_any_more_stays(client):
    auditor = person_with(Role.AUDITOR)
    client.force_login(auditor)
    answer = client.post(reverse("admin:processes_process_add"), ADD)
    assert answer.status_code == 403
    assert said(answer) == [f"No role of {auditor} gives the right to add processes; nothing was saved."]
    assert kept(answer)["Summary"] == ADD["summary"]
    assert kept(answer)["Family"] == "Lead"
    assert "agreed</b>" not in answer.content.decode()
    assert not Process.objects.exists()


def test_who_sees_none_of_a_kind_any_more_keeps_the_text_on_the_closed_door(client):
    client.force_login(person_with(Role.SALES))
    answer = client.post(reverse("admin:audit_reasonrule_add"), {"sentence": "Say why."}, **HERE)
    assert (answer.status_code, shown(answer)) == (403, {"Sentence": "Say why."})
    assert "no-store" in answer["Cache-Control"]


def test_the_form_of_a_record_out_of_sight_stays(client, ops):
    process = ProcessFactory(stakeholder_access="stakeholders")
    answer = client.post(page_of(process), {"title": "Mine", "opened_version": 0})
    assert answer.status_code == 404
    assert said(answer) == [f"There is no process “{process.pk}”, or your roles do not show it."]
    assert kept(answer) == {"Title": "Mine"}
    answer = client.post(reverse("admin:processes_sopversion_steps", args=(99,)), {"steps-0-title": "Ask"}, **HERE)
    assert (answer.status_code, shown(answer)) == (404, {"Steps 1": "Title: Ask"})


def test_an_old_key_says_so_and_keeps_the_text_but_no_secret(ops):
    client = Client(enforce_csrf_checks=True)
    client.force_login(ops)
    given = {**ADD, "csrfmiddlewaretoken": "x" * 64, "api_token": "t0p", "new_password": "s3cret"}
    answer = client.post(reverse("admin:processes_process_add"), given, **HERE)
    page = answer.content.decode()
    assert (answer.status_code, shown(answer)["Title"]) == (403, "Intake of events")
    assert shown(answer)["Family"] == "Lead"
    assert "The page was open too long, you signed in again in another tab, or cookies are blocked." in page
    assert f'href="{reverse("admin:processes_process_add")}">Open the page again</a>' in page
    assert ("t0p" in page, "s3cret" in page, "<b>agreed" in page) == (False, False, False)
    assert not Process.objects.exists()


@pytest.mark.parametrize("origin", [{}, {"HTTP_ORIGIN": "https://elsewhere.example"}, {"HTTP_ORIGIN": "null"}])
def test_what_another_site_sends_is_never_shown_as_ours(ops, origin):
    client = Client(enforce_csrf_checks=True)
    client.force_login(ops)
    answer = client.post(reverse("admin:processes_process_add"), ADD, **origin)
    assert (answer.status_code, "Intake of events" in answer.content.decode()) == (403, False)


def test_nothing_of_the_pages_of_the_account_is_shown(db):
    client = Client(enforce_csrf_checks=True)
    answer = client.post(reverse("account_login"), {"login": "me@example.com", "password": "x"}, **HERE)
    assert (answer.status_code, "me@example.com" in answer.content.decode()) == (403, False)


def test_a_form_sent_after_signing_out_stays(client, ops):
    client.logout()
    answer = client.post(reverse("admin:processes_process_add"), ADD, **HERE)
    assert answer.status_code == 401
    assert shown(answer)["Summary"] == ADD["summary"]
    assert "Nothing was saved: nobody is signed in here any more." in answer.content.decode()
    without = client.post(reverse("admin:processes_process_add"), {}, **HERE)
    assert without.status_code == 302


def test_a_form_sent_after_half_an_hour_away_stays(client, ops, settings):
    client.get(reverse("admin:index"))
    settings.SESSION_IDLE_SECONDS = 0
    answer = client.post(reverse("admin:processes_process_add"), ADD, **HERE)
    assert (answer.status_code, shown(answer)["Title"]) == (401, "Intake of events")
    assert "minutes without activity. Nothing was saved." in answer.content.decode()
    assert reverse("account_login") in answer.content.decode()


def test_who_lost_the_door_itself_keeps_the_text(client, ops):
    type(ops).objects.filter(pk=ops.pk).update(is_staff=False)
    answer = client.post(reverse("admin:processes_process_add"), ADD, **HERE)
    assert (answer.status_code, shown(answer)["Title"]) == (403, "Intake of events")
    assert "Your account does not open the back office." in answer.content.decode()


def chosen(*rows, **more):
    return {"_selected_action": [row.pk for row in rows], "select_across": "0", **more}


def test_the_reason_for_many_rows_stays_where_none_could_be_done(client):
    client.force_login(ops := person_with(Role.OPS))
    leads = [LeadFactory(), LeadFactory()]
    given = chosen(*leads, action="many_to_disqualified", bulk_apply="1", reason="Too early.")
    for lead in leads:
        move_lead(lead, to=Stage.DISQUALIFIED, by=ops, reason="Spam.")
    answer = client.post(list_of(Lead), given)
    assert (answer.status_code, kept(answer)) == (409, {"Reason": "Too early."})
    assert "Disqualified" in said(answer)[0]
    Lead.objects.update(archived_at=clock.now())
    answer = client.post(list_of(Lead), given)
    assert (answer.status_code, kept(answer)) == (409, {"Reason": "Too early."})
    assert said(answer) == ["Disqualify: nothing was done; the chosen rows are not in this list any more."]


def test_the_reason_for_many_rows_stays_where_they_are_out_of_sight(client, ops):
    gone = ProcessFactory(stakeholder_access="stakeholders")
    given = chosen(gone, action="bulk_edit", bulk_step="apply", **{"bulk-change_reason": "Agreed."})
    stripped(ops)
    answer = client.post(list_of(Process), given, **HERE)
    assert answer.status_code == 403
    assert shown(answer) == {"Bulk": "Change reason: Agreed."}


def test_what_a_list_offers_no_longer_is_refused_in_words(client):
    client.force_login(person_with(Role.AUDITOR))
    process = ProcessFactory()
    given = chosen(process, action="bulk_edit", bulk_step="apply", **{"bulk-criticality": "high"})
    answer = client.post(list_of(Process), given, **HERE)
    sentence = "Your roles do not give the right to do this with the chosen rows, or no longer; nothing was done."
    assert (answer.status_code, sentence in answer.content.decode()) == (403, True)
    assert shown(answer) == {"Bulk": "Criticality: high"}


def test_values_for_many_rows_stand_again_where_every_row_was_overtaken(client, ops):
    process = ProcessFactory(criticality="low")
    given = {"bulk-criticality": "high", "bulk-change_reason": "Agreed.", "bulk_seen": f"{process.pk}:99"}
    answer = client.post(list_of(Process), chosen(process, action="bulk_edit", bulk_step="apply", **given))
    page = answer.content.decode()
    assert f"{process} was changed since you looked; it stays as it is." in page
    assert '<input type="hidden" name="bulk-change_reason" value="Agreed.">' in page
    assert "1 of 1 change" in page


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_pages_are_read_and_sent_and_nothing_else(client, method):
    client.force_login(person_with(Role.ADMINISTRATOR))
    answer = getattr(client, method)(reverse("admin:index"))
    assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD, OPTIONS, POST")
