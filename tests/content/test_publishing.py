"""Publishing, expiry, figures, use of material, launches and compliance: what is shown is what was approved."""

import datetime as dt
import itertools

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from apps.accounts.enums import Role
from apps.approvals.domain.decisions import approve
from apps.approvals.models import ApprovalRequest
from apps.content.domain import checking, complying, figures, linking, publishing, telling, using, writing
from apps.content.imports import ContentMetricImporter
from apps.content.models import ContentMetric, ContentVersion, Distribution, MaterialUse
from apps.core import clock
from apps.core.actors import acting_as
from apps.core.alerts.models import Alert
from apps.core.errors import DomainError, InvalidInput, NotAllowed, WrongState
from apps.core.exchange.enums import OutcomeKind
from apps.core.exchange.registry import Row
from apps.core.notifications.models import Notification
from apps.core.transitions import transition
from apps.processes.models import ComplianceRule
from tests.factories.accounts import person_with
from tests.factories.approvals import policy_for
from tests.factories.campaigns import CampaignFactory
from tests.factories.content import asset, author, version
from tests.factories.processes import ComplianceRuleFactory
from tests.factories.technology import ToolFactory

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture
def writer():
    return author()


@pytest.fixture
def approved(writer):
    policy_for("content.contentversion")
    checker, approver = author(), person_with(Role.APPROVER)

    def make(of=None, **given):
        made = version(by=writer, of=of, **given)
        writing.submit_to_checks(made, by=writer)
        for _ in range(3):
            checking.sign_off(made, by=checker)
        approve(
            ApprovalRequest.objects.open().get(object_id=made.pk, content_type__model="contentversion"), by=approver
        )
        made.refresh_from_db()
        return made

    return make


@pytest.fixture
def tool():
    return ToolFactory(lifecycle="active")


def planned(made, tool, by, place="List A"):
    publishing.plan_distribution(made, by=by, tool=tool, place=place)
    return Distribution.objects.get(version=made, place=place)


def test_only_what_was_approved_is_published(writer, approved, tool):
    draft = version(by=writer)
    early = planned(draft, tool, writer)
    with pytest.raises(WrongState, match="is draft; only what is approved and has not expired"):
        publishing.mark_published(early, by=writer)
    refused = pytest.raises(DatabaseError, match="Only what was approved is published")
    with refused, transaction.atomic(), transition(Distribution), acting_as(writer):
        Distribution.objects.update(state="published", sha256="0" * 64, published_at=clock.now())
    made = approved()
    place = planned(made, tool, writer)
    with pytest.raises(WrongState, match="approved was"):
        publishing.mark_published(place, by=writer, sha256="f" * 64)
    with pytest.raises(NotAllowed, match="may not change this distribution"):
        publishing.mark_published(place, by=person_with(Role.AUDITOR))
    assert publishing.mark_published(place, by=writer, sha256=made.digest.upper()).endswith("is published.")
    made.refresh_from_db(), place.refresh_from_db()
    assert (made.state, made.asset.stage, place.sha256) == ("published", "published", made.digest)
    with pytest.raises(WrongState, match="It is published already"):
        publishing.mark_published(place, by=writer)
    with pytest.raises(DatabaseError, match="by the buttons"), transaction.atomic(), acting_as(writer):
        Distribution.objects.update(state="planned")


def test_tools_are_approved(writer, approved):
    made, retired = approved(), ToolFactory(lifecycle="retired", name="Oldie")
    with pytest.raises(InvalidInput, match="Oldie is retired; content is published through approved tools alone"):
        publishing.plan_distribution(made, by=writer, tool=retired, place="x")
    with pytest.raises(InvalidInput, match="Say where"):
        publishing.plan_distribution(made, by=writer, tool=retired, place=" ")
    with pytest.raises(NotAllowed, match="do not let you distribute"):
        publishing.plan_distribution(made, by=person_with(Role.SALES), tool=ToolFactory(lifecycle="active"), place="x")
    with acting_as(writer):
        place = Distribution.objects.create(
            version=made, tool=retired, place="x", main_channel="email", planned_by=writer
        )
    published = {"state": "published", "sha256": made.digest, "published_at": clock.now()}
    refused = pytest.raises(DatabaseError, match="through approved tools alone")
    with refused, transaction.atomic(), transition(Distribution), acting_as(writer):
        Distribution.objects.filter(pk=place.pk).update(**published)


def test_a_newer_version_replaces_the_published_one(writer, approved, tool):
    first = approved()
    publishing.mark_published(planned(first, tool, writer), by=writer)
    second = approved(of=first.asset, change_note="Shorter")
    said = publishing.mark_published(planned(second, tool, writer), by=writer)
    assert "version 1 is replaced: take it down" in said
    first.refresh_from_db(), second.refresh_from_db()
    assert (first.state, second.state) == ("archived", "published")
    up = publishing.still_up().get()
    assert telling.watch_what_is_up() == {"still up": 1, "taken down": 0}
    assert Alert.objects.filter(fingerprint=f"content.still_up:{up.pk}").exists()
    assert complying.taken_down(Distribution.objects.all(), clock.now() + DAY)[up.pk].startswith("Still shown")
    with pytest.raises(InvalidInput, match="Say why it is taken down"):
        publishing.take_down(up, by=writer, reason=" ")
    publishing.take_down(up, by=writer, reason="Replaced")
    with pytest.raises(WrongState, match="taken down already"):
        publishing.take_down(up, by=writer, reason="Replaced")
    assert telling.watch_what_is_up() == {"still up": 0, "taken down": 1}
    with pytest.raises(WrongState, match="distribute a newer one"):
        publishing.plan_distribution(first, by=writer, tool=tool, place="B")


def test_what_is_over_expires_once_and_reminds_before(writer, approved):
    made = approved(expires_on=clock.today() + 6 * DAY)
    assert (telling.remind(clock.today()), telling.remind(clock.today())) == (1, 0)
    later = clock.now() + 7 * DAY
    assert (telling.expire_due(later), telling.expire_due(later)) == (1, 0)
    made.refresh_from_db()
    assert (made.state, made.asset.stage) == ("expired", "expired")
    assert Notification.objects.filter(title__contains="has expired").count() == 1


def test_figures_are_kept_once_and_corrected_beside(writer, approved):
    made = approved()
    today = clock.today()
    row = {"content": made.asset.title, "version": 1, "main_channel": "email", "day": today - DAY, "source": "Tool"}
    given = [
        {**row, "shown": 1000, "bounced": 20, "opened": 300, "clicked": 60, "converted": 6, "unsubscribed": 3},
        {**row, "shown": 1000, "bounced": 20, "opened": 300, "clicked": 60, "converted": 6, "unsubscribed": 3},
        {**row, "shown": 1000, "bounced": 20, "opened": 310, "clicked": 60, "converted": 6, "unsubscribed": 3},
        {**row, "day": today + DAY},
        {**row, "shown": 1, "bounced": 2},
        {**row, "shown": 5, "delivered": 6},
        {**row, "content": "Nothing"},
    ]
    rows = [Row(line=number, values=each) for number, each in enumerate(given, 1)]
    outcomes = ContentMetricImporter().apply(rows, by=writer)
    kinds = [each.kind for each in outcomes]
    made_, same, refused = OutcomeKind.CREATED, OutcomeKind.UNCHANGED, OutcomeKind.REFUSED
    assert kinds == [made_, same, made_, refused, refused, refused, refused]
    assert [each.reason.split(";")[0] for each in outcomes[3:]] == [
        f"{today + DAY:%-d %B %Y} is yet to come",
        "More bounced than were sent",
        "More arrived than were sent",
        "No content has the title “Nothing” and a version 1.",
    ]
    told = figures.figures_of(made)["email"]
    assert (told.shown, told.opened, told.arrived) == (1000, 310, 980)
    assert dict(told.told)["Bounced"] == "2.00%"
    assert dict(told.told)["Unsubscribed"] == "0.31%"
    assert figures.by_variant(made.asset)[0][1].conversion == "1.94%"
    assert figures.chart(figures.by_day(made), "opened") is None
    with pytest.raises(NotAllowed, match="do not let you record figures"):
        figures.record_metric(
            made, by=person_with(Role.AUDITOR), day=today, main_channel="web", source="x", today=today
        )
    with pytest.raises(DatabaseError), transaction.atomic():
        ContentMetric.objects.update(shown=F("shown") + 1)


def test_material_is_used_while_it_is_valid(writer, approved):
    seller = person_with(Role.SALES)
    card = approved(of=asset(by=writer, kind="competitive", main_channel="sales"), body="Say so")
    assert using.note_use(card, by=seller, occasion="Acme", helped=True).startswith("Noted")
    assert using.usage_of(card)["times"] == 1
    with pytest.raises(NotAllowed, match="do not let you note"):
        using.note_use(card, by=person_with(Role.EXECUTIVE), occasion="Acme")
    with pytest.raises(WrongState, match="ask for a new version before you use it"):
        using.note_use(card, by=seller, occasion="Acme", at=clock.now() + 90 * DAY)
    with pytest.raises(WrongState, match="Only sales and competitive material"):
        using.note_use(approved(), by=seller, occasion="Acme")
    with pytest.raises(DatabaseError, match="Only approved material"), transaction.atomic():
        MaterialUse.objects.create(version=card, person=seller, occasion="x", at=clock.now() + 90 * DAY)
    (told,) = using.material(seller, clock.today())
    assert (told.version, told.uses, told.people, told.helped, told.told) == (card, 1, 1, 1, 1)
    assert told.days_left == (card.expires_on - clock.today()).days
    assert using.material(seller, clock.today(), kind="enablement") == []
    assert [each.uses for each in using.material(seller, clock.today() + 91 * DAY)] == [0]


def test_every_move_of_a_distribution_from_every_state_by_every_role(writer, approved, tool):
    moves = {
        "publish": (publishing.refuse_publish, publishing.mark_published, {}),
        "take_down": (publishing.refuse_take_down, publishing.take_down, {"reason": "Over"}),
    }
    up = planned(approved(of=asset(by=writer, title="Up")), tool, writer)
    publishing.mark_published(up, by=writer)
    down = planned(approved(of=asset(by=writer, title="Down")), tool, writer)
    publishing.mark_published(down, by=writer)
    publishing.take_down(down, by=writer, reason="Over")
    waits = planned(approved(of=asset(by=writer, title="Waits")), tool, writer)
    allowed = {("planned", "publish"), ("planned", "take_down"), ("published", "take_down")}
    for role, place in itertools.product(Role, (waits, up, down)):
        person = person_with(role)
        place.refresh_from_db()
        for name, (refuse, act, given) in moves.items():
            may = role == Role.OPS and (place.state, name) in allowed
            refused = refuse(person, place)
            assert (refused is None) == may, (role, place.state, name, refused)
            if not may:
                with pytest.raises(DomainError) as caught, transaction.atomic():
                    act(place, by=person, **given)
                assert str(caught.value) == refused


def test_the_overview_of_sales_material_says_what_ends_and_what_is_used(client, writer, approved):
    seller = person_with(Role.SALES)
    client.force_login(seller)
    assert "No sales material is approved yet" in client.get("/admin/content/material/").content.decode()
    for number in range(3):
        of = asset(by=writer, kind="enablement", main_channel="sales", title=f"One-pager {number}")
        card = approved(of=of, body="Say so", expires_on=clock.today() + (5 + 10 * number) * DAY)
        if number == 1:
            using.note_use(card, by=seller, occasion="Acme", helped=True)
    with CaptureQueriesContext(connection) as asked:
        page = client.get("/admin/content/material/?kind=enablement").content.decode()
    assert len(asked) < 20
    assert page.index("One-pager 0") < page.index("One-pager 1") < page.index("One-pager 2")
    assert "5 days left" in page
    assert "1 of 1" in page
    assert page.count("Nobody used it") == 2
    assert "One-pager" not in client.get("/admin/content/material/?kind=competitive").content.decode()
    client.force_login(person_with())
    assert client.get("/admin/content/material/").status_code == 403


def test_a_launch_waits_for_its_content(writer, approved, django_assert_num_queries):
    campaign, today = CampaignFactory(owner_person=writer), clock.today()
    of = asset(by=writer, title="Page")
    link = linking.link_content(of, campaign, by=writer)
    with pytest.raises(WrongState, match="shows Page already"):
        linking.link_content(of, campaign, by=writer)
    with pytest.raises(NotAllowed, match="may not say what"):
        linking.link_content(of, campaign, by=person_with(Role.AUDITOR))
    assert linking.unmet(campaign, today) == ["Page is brief, not approved."]
    made = approved(of=of)
    assert linking.unmet(campaign, today) == []
    assert linking.unmet(campaign, made.expires_on + DAY)[0].startswith("Page is valid until")
    with django_assert_num_queries(2):
        linking.unmet(campaign, today)
    linking.unlink_content(link, by=writer)
    assert list(linking.links_of(campaign)) == []


def test_rules_hold_at_publishing(writer, approved, tool):
    """A rule in force that the brief breaks keeps it from being published, with the way out."""
    made = approved()
    place = planned(made, tool, writer)
    rule = ComplianceRuleFactory(title="Claims stay in their place", check_key="content.basis")
    refused = publishing.refuse_publish(writer, place)
    assert refused is not None
    assert refused.startswith(f"Compliance rules are not met. {rule}: Neither brief nor audience says")
    with pytest.raises(WrongState, match="Compliance rules are not met"):
        publishing.mark_published(place, by=writer)
    ComplianceRule.objects.filter(pk=rule.pk).update(archived_at=clock.now())
    publishing.mark_published(place, by=writer)


def test_compliance_asks_of_what_is_published(writer, approved, tool):
    made = approved(of=asset(by=writer, region="uk"), body="<p>Hello</p>")
    publishing.mark_published(planned(made, tool, writer), by=writer)
    rows, now = complying.published(), clock.now()
    assert complying.checked(rows, now) == {}
    assert complying.has_imprint(rows, now) == {made.pk: "Neither an imprint nor a link to one."}
    assert complying.names_consent(rows, now) == {made.pk: "No link with which consent is taken back."}
    assert made.asset_id in complying.basis_recorded(type(made.asset).objects.all(), now)
    assert complying.not_kept_too_long(type(made.asset).objects.all(), now) == {}
    assert ContentVersion.objects.count() == 1
