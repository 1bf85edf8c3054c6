"""The life of a version: what each move refuses, who may, and what the database refuses whoever asks."""

import datetime as dt
import itertools

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, transaction

from apps.accounts.enums import Role
from apps.approvals.domain.content import live_digest
from apps.approvals.domain.decisions import approve, reject
from apps.approvals.models import ApprovalRequest
from apps.content.domain import checking, writing
from apps.content.enums import MOVES, VersionState
from apps.content.models import ContentVersion, QaSignOff
from apps.core import clock
from apps.core.actors import acting_as
from apps.core.attachments.domain.files import attach
from apps.core.errors import DomainError, InvalidInput, NotAllowed, WrongState
from apps.core.transitions import transition
from tests.factories.accounts import person_with
from tests.factories.approvals import policy_for
from tests.factories.content import asset, author, pack, rule, version

pytestmark = pytest.mark.django_db
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 64


@pytest.fixture
def checker():
    return person_with(Role.OPS, full_name="Chen Checker")


@pytest.fixture
def approver():
    policy_for("content.contentversion")
    return person_with(Role.APPROVER, full_name="Lea Legal")


def request_of(thing):
    return ApprovalRequest.objects.open().get(object_id=thing.pk, content_type__model="contentversion")


def through_checks(thing, checker):
    for _ in range(3):
        checking.sign_off(thing, by=checker)
    thing.refresh_from_db()
    return thing


def brought_to(state, thing, *, checker, approver):
    """Bring a draft to a state by the operations alone."""
    if state == VersionState.DRAFT:
        return thing
    if state == VersionState.ARCHIVED:
        writing.put_away(thing, by=thing.author, reason="Not needed")
    else:
        writing.submit_to_checks(thing, by=thing.author)
    if state in (VersionState.IN_REVIEW, VersionState.APPROVED, VersionState.PUBLISHED, VersionState.EXPIRED):
        through_checks(thing, checker)
    if state in (VersionState.APPROVED, VersionState.PUBLISHED, VersionState.EXPIRED):
        approve(request_of(thing), by=approver)
    thing.refresh_from_db()
    if state in (VersionState.PUBLISHED, VersionState.EXPIRED):
        with transition(ContentVersion):
            thing.state = VersionState.PUBLISHED
            thing.save(update_fields=["state"])
            if state == VersionState.EXPIRED:
                thing.state = VersionState.EXPIRED
                thing.save(update_fields=["state"])
    return thing


def test_a_version_goes_its_way_and_is_approved_as_submitted(checker, approver):
    made = version()
    attach(made, SimpleUploadedFile("hero.png", PNG, "image/png"), by=made.author)
    assert "no rule pack is active" in writing.submit_to_checks(made, by=made.author)
    made.refresh_from_db()
    assert (made.state, made.asset.stage, len(made.digest)) == ("qa", "qa", 64)
    assert made.files[0]["name"] == "hero.png"
    assert "brand checks are next" in checking.sign_off(made, by=checker)
    checking.sign_off(made, by=checker)
    assert "All levels are signed off" in checking.sign_off(made, by=checker)
    request = request_of(made)
    assert request.digest == made.digest
    with pytest.raises(NotAllowed):
        approve(request, by=made.author)
    approve(request, by=approver)
    made.refresh_from_db(), made.asset.refresh_from_db()
    assert (made.state, made.asset.stage, live_digest(made)) == ("approved", "approved", made.digest)
    assert QaSignOff.objects.filter(version=made).count() == 3


def test_every_move_from_every_state_by_every_role(checker, approver):
    """What an operation does exactly when state and role allow it; the sentence and the refusal are one."""
    people = {role: person_with(role, email=f"{role}@moves.example.com") for role in Role}
    moves = {
        "submit": (writing.refuse_submission, writing.submit_to_checks, {}),
        "sign_off": (checking.refuse_sign_off, checking.sign_off, {}),
        "send_back": (writing.refuse_send_back, writing.send_back, {"reason": "Again"}),
        "put_away": (writing.refuse_put_away, writing.put_away, {"reason": "Over"}),
        "check": (checking.refuse_run, checking.check_now, {}),
    }
    ops, signs = {Role.OPS}, {Role.OPS, Role.APPROVER}
    allowed = {
        ("submit", "draft"): ops,
        ("sign_off", "qa"): signs,
        ("send_back", "qa"): signs,
        ("put_away", "draft"): ops,
        ("put_away", "approved"): ops,
        ("put_away", "published"): ops,
        ("put_away", "expired"): ops,
        ("check", "draft"): signs,
        ("check", "qa"): signs,
    }
    writer = author()
    for state in VersionState:
        of = asset(by=writer, title=f"About {state}")
        made = brought_to(state, version(by=writer, of=of), checker=checker, approver=approver)
        for (name, (refuse, act, given)), (role, person) in itertools.product(moves.items(), people.items()):
            may = role in allowed.get((name, state.value), set())
            refused = refuse(person, made)
            assert (refused is None) == may, (name, state, role, refused)
            if not may:
                with pytest.raises(DomainError) as caught, transaction.atomic():
                    act(made, by=person, **given)
                assert str(caught.value) == refused or name == "check"


def test_the_database_knows_only_the_ways_of_the_table(approver, checker):
    made = version()
    writing.submit_to_checks(made, by=made.author)
    made.refresh_from_db()
    for state in VersionState:
        if state in MOVES[VersionState.QA] or state == VersionState.QA:
            continue
        with (
            pytest.raises(DatabaseError, match="no such way between the states"),
            transaction.atomic(),
            transition(ContentVersion),
        ):
            ContentVersion.objects.filter(pk=made.pk).update(state=state, approved_at=clock.now())


def test_what_was_submitted_stays_as_it_is(approver):
    made = version()
    writing.submit_to_checks(made, by=made.author)
    for change in ({"body": "Else"}, {"subject": "Else"}, {"expires_on": None}, {"colours": "#fff on #fff"}):
        with pytest.raises(DatabaseError, match="What was submitted stays"), transaction.atomic():
            ContentVersion.objects.filter(pk=made.pk).update(**change)
    with pytest.raises(DatabaseError, match="by the buttons"), transaction.atomic():
        ContentVersion.objects.filter(pk=made.pk).update(state="in_review")
    with pytest.raises(DatabaseError, match="stays as it is"), transaction.atomic(), transition(ContentVersion):
        ContentVersion.objects.filter(pk=made.pk).update(digest="0" * 64)
    made.refresh_from_db()
    with pytest.raises(DatabaseError, match="files of a version freeze"), transaction.atomic():
        attach(made, SimpleUploadedFile("late.png", PNG, "image/png"), by=made.author)


def test_refused_content_is_a_draft_again_and_signed_off_anew(checker, approver):
    made = version()
    writing.submit_to_checks(made, by=made.author)
    through_checks(made, checker)
    reject(request_of(made), by=approver, reason="Say it shorter")
    made.refresh_from_db()
    assert (made.state, made.digest, made.asset.stage) == ("draft", "", "draft")
    writing.submit_to_checks(made, by=made.author)
    made.refresh_from_db()
    assert checking.signed_levels(made) == []


def test_refusals(checker, approver):
    writer = author()
    with pytest.raises(NotAllowed, match="do not let you ask for content"):
        asset(by=person_with(Role.AUDITOR))
    with pytest.raises(InvalidInput, match="needs a title and a brief"):
        asset(by=writer, brief=" ")
    of = asset(by=writer)
    empty = version(by=writer, of=of, body=" ")
    with pytest.raises(InvalidInput, match="nothing to check yet"):
        writing.submit_to_checks(empty, by=writer)
    with pytest.raises(WrongState, match="Version 1 of Autumn mail is draft already; finish that one"):
        version(by=writer, of=of)
    assert version(by=writer, of=of, variant="B").number == 2
    for change, sentence in (
        ({"body": "x" * 500_001}, "500,001 characters; 500,000 are the limit"),
        ({"body": "x", "expires_on": None}, "Say until when it is valid"),
        ({"body": "x", "expires_on": clock.today() - dt.timedelta(days=1)}, "is past; give a last day to come"),
    ):
        made = version(by=writer, of=asset(by=writer), **change)
        with pytest.raises(InvalidInput, match=sentence):
            writing.submit_to_checks(made, by=writer)
    made = version(by=writer)
    writing.submit_to_checks(made, by=writer)
    with pytest.raises(NotAllowed, match="You wrote it, so somebody else"):
        checking.sign_off(made, by=writer)
    with pytest.raises(InvalidInput, match="Say what has to change"):
        writing.send_back(made, by=checker, reason=" ")
    writing.send_back(made, by=checker, reason="Too long")
    made.refresh_from_db()
    with pytest.raises(InvalidInput, match="Say why it is put away"):
        writing.put_away(made, by=writer, reason="")


def test_a_sign_off_of_the_author_is_refused_by_the_database(checker):
    made = version()
    writing.submit_to_checks(made, by=made.author)
    made.refresh_from_db()
    run = checking.newest_run(made)
    with pytest.raises(DatabaseError, match="does not sign its checks off"), transaction.atomic():
        QaSignOff.objects.create(
            version=made, level="technical", digest=made.digest, run=run, at=clock.now(), by=made.author,
            submitted_at=made.submitted_at,
        )  # fmt: skip


def test_a_level_with_a_blocking_finding_is_not_signed_off(checker):
    pack(rule("No hype", "forbidden", terms="revolutionary", level="brand"))
    made = version(body="<p>A revolutionary thing.</p>")
    assert "1 rules found 1 that block" in writing.submit_to_checks(made, by=made.author)
    checking.sign_off(made, by=checker)
    with pytest.raises(WrongState, match="The brand level is held back by No hype \\(body, line 1, column 6\\)"):
        checking.sign_off(made, by=checker)


def test_a_version_without_words_about_what_is_new(checker):
    writer = author()
    first = version(by=writer)
    with acting_as(writer):
        writing.put_away(first, by=writer, reason="Wrong")
    second = version(by=writer, of=first.asset, change_note="")
    with pytest.raises(InvalidInput, match="Say what is new"):
        writing.submit_to_checks(second, by=writer)
