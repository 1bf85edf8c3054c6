"""The pages around a process: steps as cards, the map, reading, reviews, templates, files; and who sees which."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from apps.accounts.enums import Role
from apps.accounts.models import Membership
from apps.processes.domain.feedback import give_feedback
from apps.processes.domain.flow import flow_of
from apps.processes.domain.reviews import start_review
from apps.processes.models import (
    Acknowledgement,
    Feedback,
    Process,
    ProcessRole,
    Review,
    SOPVersion,
    Stakeholder,
    Step,
    TrainingRequirement,
)
from tests.admin_pages import assert_same_queries, button_of, list_of, page_of
from tests.factories.accounts import TeamFactory, person_with
from tests.factories.processes import ProcessFactory, ProcessRoleFactory, draft, effective, steps

pytestmark = pytest.mark.django_db


@pytest.fixture
def ops(client):
    person = person_with(Role.OPS)
    client.force_login(person)
    return person


def address(name, *args):
    return reverse(f"admin:processes_sopversion_{name}", args=args)


def cards(version, *rows, **more):
    data = {"steps-TOTAL_FORMS": len(rows), "steps-INITIAL_FORMS": 0, "opened": version.row_version}
    for place, row in enumerate(rows):
        given = {"token": f"+n{place}", "kind": "manual", "mode": "manual", "role": "Author", "to0": "+next", **row}
        data |= {f"steps-{place}-{name}": value for name, value in {"ORDER": place + 1, **given}.items()}
    return data | more


def test_cards_become_steps_with_branches(client, ops):
    ProcessRoleFactory(name="Author")
    version = draft(author=ops)
    rows = (
        {"title": "Write", "blocking": "on", "minutes": "30", "consulted": "Brand, Legal, Brand"},
        {"title": "Good?", "kind": "decision", "when0": "yes", "to1": "+n0", "when1": "no", "back1": "on"},
        {"title": "Send", "links": "Guide https://x.example"},
    )
    answer = client.post(address("steps", version.pk), cards(version, *rows))
    assert answer.url == page_of(version)
    version.refresh_from_db()
    flow = flow_of(version)
    assert [(each.key, each.blocking, each.minutes, each.consulted) for each in flow.steps] == [
        ("write", True, 30, ("Brand", "Legal")),
        ("good", False, None, ()),
        ("send", False, None, ()),
    ]
    assert [(each.source, each.target, each.condition, each.is_rework) for each in flow.edges] == [
        ("write", "good", "", False),
        ("good", "write", "no", True),
        ("good", "send", "yes", False),
    ]


def test_cards_move_and_are_taken_out(client, ops):
    ProcessRoleFactory(name="Author")
    version = draft(author=ops, flow=steps("One", "Two", "Three"))
    rows = (
        {"token": "one", "title": "One", "ORDER": 3},
        {"token": "two", "title": "Two", "DELETE": "on"},
        {"token": "three", "title": "Three", "ORDER": 1},
    )
    client.post(address("steps", version.pk), cards(version, *rows))
    version.refresh_from_db()
    assert [each.key for each in flow_of(version).steps] == ["three", "one"]
    assert [(each.source, each.target) for each in flow_of(version).edges] == [("three", "one")]


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        (({"title": "A", "to0": "+n1"}, {"title": "B", "to0": "+n0"}), "The steps lead in a circle: “A” → “B” → “A”"),
        (({"title": "A", "to0": "+n0"},), "“A” leads to itself; choose another step."),
        (({"title": "A", "links": "javascript:alert(1)"},), "ends in no address; addresses begin with https:// or /."),
        (({"title": "A", "minutes": "99999"},), "Ensure this value is less than or equal to 14400."),
    ],
)
def test_cards_that_make_no_flow_are_refused_in_words(client, ops, rows, sentence):
    version = draft(author=ops)
    page = client.post(address("steps", version.pk), cards(version, *rows)).content.decode()
    assert sentence in page
    version.refresh_from_db()
    assert version.flow == {}


def test_who_was_overtaken_is_told_and_loses_nothing(client, ops):
    version = draft(author=ops)
    data = cards(version, {"title": "Mine"})
    version.body += "x"
    version.save()
    page = client.post(address("steps", version.pk), data).content.decode()
    assert "saved this draft after you opened it" in page
    assert 'value="Mine"' in page


def test_the_map_follows_the_cards_and_keeps_nothing(client, ops):
    version = draft(author=ops)
    answer = client.post(
        address("steps_preview", version.pk), cards(version, {"title": "<b>Bold</b>"})
    ).content.decode()
    assert answer.startswith("<svg")
    assert "&lt;b&gt;Bold" in answer
    refused = client.post(address("steps_preview", version.pk), cards(version, {"title": "A", "to0": "+n0"}))
    assert "leads to itself" in refused.content.decode()
    version.refresh_from_db()
    assert version.flow == {}


def test_steps_of_what_is_in_force_are_not_edited(client, ops):
    version = effective(flow=steps("One"))
    page = client.get(address("steps", version.pk), follow=True).content.decode()
    assert "is in force; only the steps of drafts are edited" in page


def test_the_map_stands_on_the_page_and_goes_out_as_a_file(client, ops):
    version = effective(flow=steps("Check links", "Send"))
    for page in (page_of(version), page_of(version.process)):
        assert 'data-step="check-links"' in client.get(page).content.decode()
    picture = client.get(address("svg", version.pk))
    assert picture.content.startswith(b"<svg")
    assert "sandbox" in picture["Content-Security-Policy"]
    assert b"<bpmn:definitions" in client.get(address("bpmn", version.pk)).content
    assert client.get(address("svg", draft().pk)).status_code == 404


def test_reading_is_confirmed_on_its_page(client, ops):
    version = effective(questions="Why?\n- a\n* b")
    page = client.get(address("read", version.pk)).content.decode()
    assert "I have read this version and understood what it asks of me." in page
    wrong = client.post(address("read", version.pk), {"question-0": ["0"], "understood": "on"}).content.decode()
    assert "1 of 1 questions are not answered rightly" in wrong
    assert "Tick this once you have read it." in client.post(address("read", version.pk), {}).content.decode()
    client.post(address("read", version.pk), {"question-0": ["1"], "understood": "on"})
    assert Acknowledgement.objects.get().person == ops


def test_an_auditor_reads_and_confirms_nothing(client):
    version = effective()
    client.force_login(person_with(Role.AUDITOR))
    assert "you play no role in it" in client.get(address("read", version.pk)).content.decode()
    assert client.post(address("read", version.pk), {"understood": "on"}).status_code == 403
    assert not Acknowledgement.objects.exists()


def test_a_review_goes_from_page_to_outcome(client, ops):
    process = effective(flow=steps("Check")).process
    give_feedback(process, by=ops, text="The footer is missing.")
    client.post(button_of(process, "review"), {})
    review = Review.objects.get()
    page = client.get(page_of(review)).content.decode()
    assert "The footer is missing." in page
    assert "1 piece of feedback waits for an answer" in page
    client.post(button_of(Feedback.objects.get(), "answer"), {"disposition": "accepted", "answer": "Right."})
    client.post(button_of(review, "close"), {"outcome": "revise", "notes": "Footer comes in."})
    assert process.versions.filter(state="draft").count() == 1


def test_a_review_tells_what_changed(client, ops):
    from apps.core.actors import acting_as
    from tests.factories.technology import ToolFactory

    process, tool = effective().process, ToolFactory(name="Mailer")
    with acting_as(ops):
        process.tools.add(tool)
        process.channels = ["Email"]
        process.save()
        tool.function = "Sends mails"
        tool.save()
    page = client.get(page_of(start_review(process, by=ops))).content.decode()
    assert "used here since" in page
    assert "channels: — → Email" in page
    assert "→ Sends mails" in page


def test_templates_are_looked_at_and_started_from(client, ops):
    page = client.get(reverse("admin:processes_process_templates")).content.decode()
    assert page.count("Look at it") == 11
    url = reverse("admin:processes_process_template", args=("lead-management",))
    assert 'data-step="lead-capture"' in client.get(url).content.decode()
    answer = client.post(url, {"title": "Leads of ours"})
    assert answer.url == page_of(SOPVersion.objects.get(process__title="Leads of ours"))
    assert client.get(reverse("admin:processes_process_template", args=("nothing",))).status_code == 404


def test_files_are_checked_then_brought_in(client, ops):
    url = reverse("admin:processes_process_import")
    upload = SimpleUploadedFile("intake.md", b"# Intake\n\n## Steps\n\n1. Read it\n")
    checked = client.post(url, {"files": [upload]})
    assert "1 of 1 can come in" in checked.content.decode()
    assert not Process.objects.exists()
    held = checked.context["held"]
    assert "1 of 1 came in" in client.post(url, {"held": held, "bring_in": "1"}).content.decode()
    assert Process.objects.get().title == "Intake"
    assert "choose the files again" in client.post(url, {"held": held + "x", "bring_in": "1"}).content.decode()
    assert "Choose one or more .md files" in client.post(url, {}).content.decode()
    picture = SimpleUploadedFile("logo.png", b"\x89PNG")
    folder = client.post(url, {"folder": [SimpleUploadedFile("next.md", b"# Next\n\n## Steps\n\n1. Do it\n"), picture]})
    assert "1 of 1 can come in" in folder.content.decode()
    assert "1 other file of the folder stayed out: only .md counts." in folder.content.decode()


def test_who_may_not_add_is_offered_no_way_in(client):
    client.force_login(person_with(Role.APPROVER))
    assert client.get(reverse("admin:processes_process_import")).status_code == 403
    page = client.get(reverse("admin:processes_process_template", args=("lead-management",))).content.decode()
    assert "Start from this template" not in page


def test_the_share_is_counted_and_leads_to_its_rows(client, ops):
    effective(ProcessFactory(title="Whole", owner_person=ops), flow=steps("One"))
    effective(ProcessFactory(title="Without steps", owner_person=ops))
    effective(ProcessFactory(title="Without owner"), flow=steps("One"))
    home = client.get("/admin/").content.decode()
    assert "<strong>33 %</strong> standardised and documented" in home
    done = client.get(list_of(Process) + "?documented=yes").context["cl"].queryset
    missing = client.get(list_of(Process) + "?documented=no").context["cl"].queryset
    assert [each.title for each in done] == ["Whole"]
    assert [each.title for each in missing] == ["Without owner", "Without steps"]


def test_what_must_be_read_stands_on_the_home_page(client, ops):
    version = effective(ProcessFactory(title="Launch"))
    TrainingRequirement.objects.create(process=version.process, role=ProcessRoleFactory(people=[ops]))
    assert address("read", version.pk) in client.get("/admin/").content.decode()


def test_skills_show_who_could_and_who_may(client, ops):
    other = person_with(Role.OPS, full_name="Zoe Late")
    version = effective(ProcessFactory(title="Launch"))
    TrainingRequirement.objects.create(process=version.process, role=ProcessRoleFactory(people=[ops, other]))
    client.post(address("read", version.pk), {"understood": "on"})
    answer = client.get(reverse("processes-skills"))
    assert [(row.person, row.cells) for row in answer.context["matrix"].rows] == sorted(
        [(ops, ("yes",)), (other, ("missing",))], key=lambda pair: pair[0].full_name
    )
    assert [(each.name, each.people) for each in answer.context["factors"]] == [("Launch", (ops.full_name,))]


def test_skills_are_for_people_of_the_process_pages(client):
    client.force_login(person_with(Role.SALES))
    assert client.get(reverse("processes-skills")).status_code == 403


def test_who_must_read_it_sees_it_without_a_role_that_opens_processes(client):
    person = person_with(Role.SALES)
    version, other = effective(ProcessFactory(title="Handoff"), flow=steps("One")), effective()
    TrainingRequirement.objects.create(process=version.process, role=ProcessRoleFactory(people=[person]))
    client.force_login(person)
    assert client.get(address("read", version.pk)).status_code == 200
    assert client.post(address("read", version.pk), {"understood": "on"}).status_code == 302
    assert client.get(page_of(version)).status_code == 200
    assert client.get(address("read", other.pk)).status_code == 404
    assert client.get(list_of(SOPVersion)).status_code == 403


SURFACES = (
    lambda version: page_of(version.process),
    page_of,
    lambda version: page_of(version.steps.first()),
    lambda version: address("svg", version.pk),
    lambda version: address("bpmn", version.pk),
    lambda version: address("markdown", version.pk),
    lambda version: address("read", version.pk),
    lambda version: address("steps", version.pk),
    lambda version: page_of(version.process).replace("change/", "history/"),
    lambda version: page_of(version).replace("change/", "history/"),
)


@pytest.mark.parametrize("surface", SURFACES)
def test_a_closed_process_is_closed_on_every_surface(client, ops, surface):
    version = effective(ProcessFactory(title="Secret"), flow=steps("Hidden step"))
    Process.objects.filter(pk=version.process_id).update(stakeholder_access="stakeholders")
    assert client.get(surface(version)).status_code in (302, 403, 404)
    for url in (list_of(Process), list_of(SOPVersion), list_of(Step), "/admin/", reverse("processes-skills")):
        page = client.get(url).content.decode()
        assert "Secret" not in page, url
        assert "Hidden step" not in page, url


@pytest.mark.parametrize("how", ["owner", "team", "person", "role", "oversees"])
def test_those_it_is_open_to_see_it(client, how):
    person, team = person_with(Role.AUDITOR if how == "oversees" else Role.EXECUTIVE), TeamFactory()
    version = effective(ProcessFactory(title="Secret"))
    process = version.process
    process.stakeholder_access = "stakeholders"
    if how == "owner":
        process.owner_person = person
    process.save()
    if how == "team":
        Membership.objects.create(team=team, person=person, role=Role.EXECUTIVE)
        Stakeholder.objects.create(process=process, team=team)
    if how == "person":
        Stakeholder.objects.create(process=process, person=person)
    if how == "role":
        Stakeholder.objects.create(process=process, role=Role.EXECUTIVE)
    client.force_login(person)
    assert client.get(page_of(version)).status_code == 200


def test_what_is_restricted_is_closed(client, ops):
    process = ProcessFactory(title="Plan")
    form = {
        "title": "Plan",
        "family": "lead",
        "criticality": "low",
        "level": 3,
        "review_every": 3,
        "classification": "restricted",
        "stakeholder_access": "everybody",
        "opened_version": process.row_version,
        **{f"{name}-{count}_FORMS": 0 for name in ("stakeholders", "requirements") for count in ("TOTAL", "INITIAL")},
    }
    assert "What is restricted is for its stakeholders only" in client.post(page_of(process), form).content.decode()


LISTS = {
    Step: lambda: effective(flow=steps("One", "Two")),
    ProcessRole: lambda: ProcessRoleFactory(team=TeamFactory()),
    Review: lambda: start_review(effective().process, by=person_with(Role.OPS)),
    Feedback: lambda: give_feedback(effective().process, by=person_with(Role.OPS), text="x"),
    Acknowledgement: lambda: _read(effective()),
}


def _read(version):
    from apps.processes.domain.acknowledging import acknowledge

    acknowledge(version, by=person_with(Role.OPS))


@pytest.mark.parametrize("model", LISTS, ids=lambda model: model.__name__)
def test_lists_cost_the_same_at_one_and_three_rows(client, ops, model):
    make = LISTS[model]
    make()
    assert assert_same_queries(client, list_of(model), lambda: [make(), make()]) <= 20


def test_the_home_page_costs_the_same_with_more_processes(client, ops):
    effective(ProcessFactory(owner_person=ops), flow=steps("One"))
    assert_same_queries(client, "/admin/", lambda: [effective(ProcessFactory(owner_person=ops)), effective()])
