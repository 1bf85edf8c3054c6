"""The approver's desk."""

import re

import pytest

from apps.accounts.enums import Role
from apps.approvals.domain.definition import tokens_in_words
from apps.approvals.domain.policies import ensure_policy
from apps.approvals.models import ApprovalPolicy, ApprovalRequest
from apps.processes.models import SOPVersion
from tests.admin_pages import assert_same_queries, button_of, list_of, page_of
from tests.factories.accounts import TeamFactory, person_with
from tests.factories.approvals import policy_for
from tests.factories.processes import ProcessFactory, effective, in_review

pytestmark = pytest.mark.django_db


@pytest.fixture
def approver(client):
    person = person_with(Role.APPROVER)
    client.force_login(person)
    return person


def test_list_costs_the_same_at_one_and_three_rows(client, approver):
    in_review()
    number = assert_same_queries(client, list_of(ApprovalRequest), lambda: [in_review(), effective()])
    assert number <= 20


def test_mine_come_first_oldest_first(client, approver):
    in_review(ProcessFactory(title="Beta"), at="2026-03-01T00:00Z")
    in_review(ProcessFactory(title="Alpha"), at="2026-02-01T00:00Z")
    policy_for(approver_role=Role.EXECUTIVE)
    person_with(Role.EXECUTIVE)
    in_review(ProcessFactory(title="Others"), at="2026-01-01T00:00Z")
    page = client.get(list_of(ApprovalRequest)).content.decode()
    places = [page.index(f"{name} · version 1") for name in ("Alpha", "Beta", "Others")]
    assert places == sorted(places)


def test_filters_answer_whose_turn_it_is(client, approver):
    in_review(ProcessFactory(title="Alpha"))
    policy_for(approver_role=Role.EXECUTIVE)
    person_with(Role.EXECUTIVE)
    in_review(ProcessFactory(title="Beta"))
    for turn, shown, hidden in (("mine", "Alpha", "Beta"), ("others", "Beta", "Alpha")):
        page = client.get(list_of(ApprovalRequest) + f"?turn={turn}").content.decode()
        assert f"{shown} · version 1" in page
        assert f"{hidden} · version 1" not in page


def test_page_shows_what_is_decided_and_approves_it(client, approver):
    sop = ProcessFactory(title="Launch")
    effective(sop, body="Check links.")
    request = in_review(sop, body="Check links.\nAsk legal.", change_log="Legal comes in.")
    page = client.get(page_of(request)).content.decode()
    for shown in ("added: </span><span>Ask legal.</span>", "Legal comes in.", "may decide", "1 approval missing"):
        assert shown in page
    assert "takes effect at once" in client.get(button_of(request, "approve")).content.decode()
    done = client.post(button_of(request, "approve"), {"note": ""}, follow=True).content.decode()
    assert "Launch · version 2 is approved." in done
    assert SOPVersion.objects.get(pk=request.object_id).state == "effective"


def test_page_tells_the_author_why_not(client):
    author = person_with(Role.OPS, Role.APPROVER)
    person_with(Role.APPROVER)
    request = in_review(author=author)
    client.force_login(author)
    page = client.get(page_of(request)).content.decode()
    assert "You sent this for approval yourself; somebody else has to decide." in page
    assert "Sent it for approval." in page
    assert button_of(request, "approve") not in page
    assert button_of(request, "withdraw") in page
    refused = client.post(button_of(request, "approve"), {"note": ""}, follow=True).content.decode()
    assert "You sent this for approval yourself" in refused
    assert ApprovalRequest.objects.get().state == "in_review"


def test_changes_need_a_reason(client, approver):
    request = in_review()
    page = client.post(button_of(request, "request-changes"), {"reason": ""}).content.decode()
    assert "This field is required." in page
    assert ApprovalRequest.objects.get().state == "in_review"


def test_scripts_in_what_is_decided_do_not_run(client, approver):
    request = in_review(ProcessFactory(title="<b>x</b>"), body="<script>alert(1)</script>", change_log="<img src=x>")
    page = client.get(page_of(request)).content.decode()
    assert "<script>alert(1)" not in page
    assert "<img src=x>" not in page
    assert "<b>x</b> ·" not in page


def test_page_stays_within_its_questions(client, approver, django_assert_max_num_queries):
    request = in_review()
    client.get(page_of(request))
    with django_assert_max_num_queries(50):
        client.get(page_of(request))


def test_auditor_sees_all_and_decides_nothing(client):
    request = in_review()
    client.force_login(person_with(Role.AUDITOR))
    page = client.get(page_of(request)).content.decode()
    assert "You are none of the approvers" in page
    for name in ("approve", "request-changes", "reject", "withdraw"):
        client.post(button_of(request, name), {"reason": "x", "note": ""})
    assert ApprovalRequest.objects.get().state == "in_review"


def test_who_may_not_see_the_subject_sees_no_request(client):
    request = in_review()
    client.force_login(person_with(Role.SALES))
    assert str(request) not in client.get(page_of(request), follow=True).content.decode()
    page = client.get(list_of(ApprovalRequest))
    assert page.status_code == 200
    assert str(request) not in page.content.decode()
    client.force_login(person_with())
    assert client.get(page_of(request)).status_code == 403
    assert client.get(list_of(ApprovalRequest)).status_code == 403


def test_home_shows_what_waits_and_what_was_sent(client, approver):
    request = in_review()
    page = client.get("/admin/").content.decode()
    assert f"{request}</a>" in page
    client.force_login(request.requester)
    page = client.get("/admin/").content.decode()
    assert "Sent by me" in page
    assert "Nothing waits for your decision." in page


def test_a_policy_that_ships_with_mops_says_its_conditions(client):
    """Its rows come as predicates, never typed: who reads the policy reads them in words all the same."""
    client.force_login(person_with(Role.AUDITOR))
    ensure_policy("rights.recordrequest", "Access asked for")
    policy = ApprovalPolicy.objects.get(subject_kind="rights.recordrequest")
    page = client.get(page_of(policy)).content.decode()
    assert re.findall(r"<tr><td>(.*?)</td><td>(.*?)</td>", page) == [
        ("To is View and change", "Owner"),
        ("in all other cases", "Administration"),
    ]


def test_why_somebody_decides_is_said_in_words():
    team = TeamFactory(name="Legal")
    assert (
        tokens_in_words({"role:approver", f"team:{team.pk}", "person:7"})
        == "named in person, role approver, team Legal"
    )
