"""What was typed into a page that a colleague has overtaken is never lost: why it is refused, and the words to copy."""

import pytest
from django.contrib import admin
from django.urls import reverse

from apps.accounts.enums import Role
from apps.accounts.models import Membership, Team
from apps.approvals.domain.decisions import reject
from apps.approvals.models import ApprovalRequest, Decision
from apps.core import clock
from apps.core.actors import acting_as
from apps.core.admin_kit.archive import archive
from apps.core.admin_kit.typed import Typed, fields_of, typed_in
from apps.core.errors import WrongState
from apps.processes.domain.publishing import submit_for_approval
from tests.admin_pages import button_of, page_of
from tests.factories.accounts import TeamFactory, administrator, person_with, sign_in
from tests.factories.processes import draft, in_review

pytestmark = pytest.mark.django_db


def kept(answer):
    """What the page shows to be copied, by what it was asked as."""
    return {each.label: each.text for each in answer.context["typed"]}


def said(answer):
    return [str(each) for each in answer.context["messages"]]


@pytest.fixture
def approver(client):
    person = person_with(Role.APPROVER)
    client.force_login(person)
    return person


def test_a_note_in_a_stale_tab_stays_on_the_page(client, approver):
    request = in_review()
    reject(request, by=person_with(Role.APPROVER), reason="Too early.")
    answer = client.post(button_of(request, "approve"), {"note": "Fine by me.\n<b>Go</b>"})
    assert answer.status_code == 409
    assert said(answer) == [f"{ApprovalRequest.objects.get()} is rejected; nothing is left to decide."]
    assert kept(answer) == {"Note": "Fine by me.\n<b>Go</b>"}
    page = answer.content.decode()
    assert "readonly>Fine by me.\n&lt;b&gt;Go&lt;/b&gt;</textarea>" in page
    assert f'href="{page_of(request)}">Back</a>' in page
    assert ">Approve</button>" not in page
    assert not Decision.objects.filter(approver=approver).exists()


def test_a_stale_button_without_a_word_leads_back(client, approver):
    request = in_review()
    reject(request, by=person_with(Role.APPROVER), reason="Too early.")
    answer = client.post(button_of(request, "approve"), {"note": " "})
    assert (answer.status_code, answer.url) == (302, page_of(request))


def test_the_reason_in_the_inbox_stays(client, approver):
    first, second = in_review(), in_review()
    inbox = reverse("admin:approvals_inbox")
    page = client.post(inbox, {"verdict": "reject", "reason": "Too early."}).content.decode()
    assert "Tick at least one request first." in page
    assert 'value="reject" checked>' in page
    assert ">Too early.</textarea>" in page
    page = client.post(inbox, {"chosen": [second.pk], "verdict": "reject", "reason": ""}).content.decode()
    assert f'value="{second.pk}" checked>' in page
    for each in (first, second):
        reject(each, by=person_with(Role.APPROVER), reason="Never.")
    given = {"chosen": [first.pk, second.pk], "verdict": "approve", "reason": "Fine by me."}
    page = client.post(inbox, given).content.decode()
    assert "Nothing waits for your decision." in page
    assert "readonly>Fine by me.</textarea>" in page


def test_a_note_of_somebody_who_lost_sight_of_the_row_stays(client, approver):
    request = in_review()
    Membership.objects.filter(person=approver).update(archived_at=clock.now())
    answer = client.post(button_of(request, "approve"), {"note": "Fine by me."})
    assert answer.status_code in (404, 409)
    assert kept(answer) == {"Note": "Fine by me."}


def test_what_the_operation_refuses_comes_back_in_its_form(client, approver, monkeypatch):
    request = in_review()

    def operation(thing, *, by, note):
        raise WrongState("Not today.")

    page = client.get(button_of(request, "approve"))
    monkeypatch.setitem(page.context["button"].__dict__, "operation", operation)
    answer = client.post(button_of(request, "approve"), {"note": "Fine by me."})
    assert (answer.status_code, said(answer)) == (200, ["Not today."])
    assert answer.context["form"]["note"].value() == "Fine by me."
    assert ">Approve</button>" in answer.content.decode()


def test_a_draft_that_another_tab_has_sent_says_so_and_keeps_the_text(client):
    person_with(Role.APPROVER)
    ops = person_with(Role.OPS)
    client.force_login(ops)
    version = draft(author=ops)
    form = {"body": "# A long new text\r\nof mine", "change_log": "", "opened_version": version.row_version}
    submit_for_approval(version, by=ops)
    answer = client.post(page_of(version), form)
    assert answer.status_code == 403
    sentence = f"Nothing was saved: {version} is now “In review” and is not edited any more."
    assert said(answer) == [f"{sentence} Its page shows what can be done with it."]
    assert kept(answer)["Text"] == "# A long new text\r\nof mine"
    assert f'href="{page_of(version)}">Back</a>' in answer.content.decode()
    steps = {"steps-TOTAL_FORMS": 1, "steps-INITIAL_FORMS": 0, "steps-0-title": "Ask the agency", "opened": "1"}
    steps |= {"steps-0-minutes": "45", "steps-0-ORDER": "1"}
    answer = client.post(reverse("admin:processes_sopversion_steps", args=(version.pk,)), steps)
    assert (answer.status_code, kept(answer)) == (409, {"Steps 1": "Title: Ask the agency\nMinutes: 45"})


def test_who_may_not_change_a_record_is_told_why(client):
    client.force_login(auditor := person_with(Role.AUDITOR))
    answer = client.post(page_of(draft()), {"change_log": "mine"})
    assert answer.status_code == 403
    why = f"No role of {auditor} gives the right to change SOP versions, and this one is not shared with them."
    assert said(answer) == [why]
    assert kept(answer) == {"What is new": "mine"}


def test_a_form_of_a_row_that_was_archived_meanwhile_keeps_the_text(client):
    boss, team = administrator(), TeamFactory(name="Content", purpose="before")
    sign_in(client, boss)
    with acting_as(boss):
        archive(team, by=boss)
    answer = client.post(page_of(team), {"name": "Content", "purpose": "after", "opened_version": 1})
    assert (answer.status_code, said(answer)) == (409, ["Content is archived and read-only; restore it first."])
    assert kept(answer) == {"Purpose": "after"}  # the name is what the row holds already


def test_secrets_hidden_rows_and_what_mops_put_there_are_not_shown(rf):
    request = rf.post("/", {"new_password": "x", "csrfmiddlewaretoken": "x", "_save": "Save", "purpose": " why "})
    request.user = person_with(Role.OPS)
    assert typed_in(request, fields_of(Team)) == [Typed("Purpose", "why")]
    assert Typed("Text", "a\nb").rows == 2


def test_every_kind_of_record_has_its_words():
    for model in admin.site._registry:
        assert all(each.label for each in fields_of(model).values())


def test_what_was_chosen_is_said_by_its_name_where_the_person_sees_it(rf):
    team = TeamFactory(name="Content")
    request = rf.post("/", {"team": [team.pk], "role": "approver", "person": "9" * 40})
    request.user = administrator()
    assert typed_in(request, fields_of(Membership)) == [Typed("Team", "Content"), Typed("Role", "Approver")]
