"""The pages of processes."""

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from apps.accounts.enums import Role
from apps.core.actors import acting_as
from apps.processes.models import Process, SOPVersion
from tests.admin_pages import assert_same_queries, button_of, list_of, page_of
from tests.factories.accounts import TeamFactory, person_with
from tests.factories.processes import ProcessFactory, draft, effective, in_review

pytestmark = pytest.mark.django_db

NEW = {
    "family": "campaign",
    "review_every": 3,
    "criticality": "medium",
    "level": 3,
    "classification": "internal",
    "stakeholder_access": "everybody",
    "stakeholders-TOTAL_FORMS": 0,
    "stakeholders-INITIAL_FORMS": 0,
    "requirements-TOTAL_FORMS": 0,
    "requirements-INITIAL_FORMS": 0,
}


@pytest.fixture
def ops(client):
    person = person_with(Role.OPS)
    client.force_login(person)
    return person


def test_list_of_sops_costs_the_same_at_one_and_three_rows(client, ops):
    effective(ProcessFactory(owner_team=TeamFactory()))
    assert assert_same_queries(client, list_of(Process), lambda: [draft(), effective()]) <= 20


def test_list_of_versions_costs_the_same_at_one_and_three_rows(client, ops):
    draft()
    assert assert_same_queries(client, list_of(SOPVersion), lambda: [draft(), effective()]) <= 20


def test_list_of_versions_of_one_sop_costs_the_same(client, ops):
    sop = ProcessFactory()
    effective(sop)
    assert_same_queries(client, page_of(sop), lambda: [effective(sop), effective(sop)])


def test_a_new_sop_gets_its_first_version_by_button(client, ops):
    client.post(list_of(Process) + "add/", NEW | {"title": "Lead intake", "family": "lead"})
    sop = Process.objects.get()
    done = client.post(button_of(sop, "draft"), follow=True).content.decode()
    assert "Version 1 of Lead intake is a draft now" in done
    assert sop.versions.get().author == ops


def test_a_draft_is_edited_previewed_and_sent(client, ops):
    person_with(Role.APPROVER)
    version = draft(author=ops)
    page = client.get(page_of(version)).content.decode()
    assert "<strong>links</strong>" in page
    form = {"body": "# New text", "change_log": "All of it.", "opened_version": version.row_version}
    assert client.post(page_of(version), form).status_code == 302
    done = client.post(button_of(version, "submit"), {"note": "please"}, follow=True).content.decode()
    assert "is in review; 1 approval must come in." in done
    assert 'name="body"' not in client.get(page_of(version)).content.decode()


def test_what_is_in_review_is_not_edited(client, ops):
    request = in_review(author=ops)
    version = SOPVersion.objects.get(pk=request.object_id)
    form = {"body": "sneaked in", "change_log": "", "opened_version": version.row_version}
    assert client.post(page_of(version), form).status_code == 403


def test_difference_from_the_version_in_force_is_shown(client, ops):
    sop = ProcessFactory()
    effective(sop, body="Check links.\nSend.")
    version = draft(sop, author=ops, body="Check links.\nAsk legal.\nSend.")
    page = client.get(page_of(version)).content.decode()
    assert "What differs from version 1" in page
    assert "added: </span><span>Ask legal.</span>" in page


def test_preview_shows_and_obeys_nothing(client, ops):
    answer = client.post(reverse("admin:processes_sopversion_preview"), {"text": "**b** <script>x</script>"})
    assert answer.content.decode() == "<p><strong>b</strong> &lt;script&gt;x&lt;/script&gt;</p>\n"
    assert client.get(reverse("admin:processes_sopversion_preview")).status_code == 405


def test_preview_is_for_people_of_the_process_pages(client):
    client.force_login(person_with(Role.SALES))
    assert client.post(reverse("admin:processes_sopversion_preview"), {"text": "x"}).status_code == 403


def test_a_huge_pasted_table_is_refused_or_cut_and_a_script_runs_nowhere(client, ops):
    row = "| " + "cell | " * 50 + "\n"
    table = row + "|" + "---|" * 50 + "\n" + row * 5000
    version = draft(author=ops)
    form = {"change_log": "All of it.", "opened_version": version.row_version}
    page = client.post(page_of(version), {**form, "body": table})
    assert "more than 400 thousand characters" in page.content.decode()
    with pytest.raises(IntegrityError, match="version_text_fits"), transaction.atomic(), acting_as(ops):
        SOPVersion.objects.filter(pk=version.pk).update(body=table)
    broken = "# Half\n\n| a | b\n|--\n**never [closed](java" + "script:alert(1) <script>alert(2)</script>\n\n"
    assert client.post(page_of(version), {**form, "body": broken + table[:390_000]}).status_code == 302
    shown = client.get(page_of(version)).content.decode()
    assert "The rest is too long to show" in shown
    assert "<script>alert(2)" not in shown
    assert 'href="java' not in shown
    preview = client.post(reverse("admin:processes_sopversion_preview"), {"text": broken + table}).content.decode()
    assert len(preview) < 1_000_000
    assert "<script" not in preview
    assert client.post(reverse("admin:processes_sopversion_preview"), {"text": "x" * 11_000_000}).status_code == 400


def test_nobody_adds_a_version_past_its_sop(client, ops):
    assert client.get(list_of(SOPVersion) + "add/").status_code == 403


def test_auditor_reads_and_writes_nothing(client):
    version = draft()
    client.force_login(person_with(Role.AUDITOR))
    assert client.get(page_of(version)).status_code == 200
    assert client.post(page_of(version), {"body": "mine"}).status_code == 403
    assert "You may not change" in client.post(button_of(version, "submit"), follow=True).content.decode()
    assert SOPVersion.objects.get().state == "draft"
