"""The rows that the surface matrix adds to the demo company, so that each kind has some in and some out of reach."""

import datetime as dt

from django.contrib.contenttypes.models import ContentType
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile

from apps.accounts.domain.invitations import invite_person
from apps.accounts.enums import Role
from apps.accounts.models import Invitation, Team, Vacancy
from apps.approvals.models import ApprovalCondition, BreakGlass, Decision
from apps.audit.domain.retention import place_hold
from apps.audit.models import LegalHold, ReasonRule, RetentionPolicy
from apps.core import clock
from apps.core.attachments.domain.files import attach
from apps.core.calendars.models import BusinessCalendar
from apps.core.exchange.domain.receiving import receive_file
from apps.core.exchange.models import FileSource
from apps.core.exchange.registry import Column, Importer, Outcome, _importers, all_importers, register_importer
from apps.core.transitions import transition
from apps.core.workspace.domain.journal import add_note
from apps.core.workspace.domain.tagging import tag_record
from apps.leads.models import Lead, ScoreOverride
from apps.processes.models import (
    ComplianceWaiver,
    Feedback,
    Process,
    ProcessRole,
    Review,
    SOPVersion,
    Step,
    StepWaiver,
)
from apps.rights.domain.granting import grant_access
from apps.rights.domain.waivers import ask_waiver
from apps.rights.models import RecordRequest, RoleRequest, SodRule
from apps.technology.models import Tool
from apps.tickets.models import Article
from tests.factories.accounts import administrator, person_with
from tests.factories.calendars import CalendarFactory
from tests.factories.processes import draft
from tests.factories.workspace import CustomFieldFactory, TagFactory


class OnlyForAdministrators(Importer):
    """Brings in what operations staff, who import everything else, may not see."""

    key, title, model, natural_key = "surface.invitations", "Invitations", Invitation, ("email",)
    columns = (Column("email"),)

    def apply(self, rows, *, by):
        """Bring nothing in: the matrix only looks."""
        return [Outcome.unchanged(row) for row in rows]


def forget_importer():
    """Take the importer of the matrix away again."""
    _importers.pop(OnlyForAdministrators.key)


def close_to_most(people):
    """One process with all that hangs on it is kept to its stakeholders, and one lead is sales's own."""
    process, writer = StepWaiver.objects.order_by("pk").first().run_step.run.process, people[Role.OPS]
    add_note(process, "Closed surface", by=writer)
    tag_record(process, ["Closed surface"], by=writer)
    attach(process, SimpleUploadedFile("closed.txt", b"Closed"), by=writer)
    Feedback.objects.create(process=process, text="Closed surface", author=people[Role.ADMINISTRATOR])
    version, day = process.versions.order_by("pk").first(), clock.today()
    Review.objects.create(process=process, version=version, due_on=day, reviewer=writer, opened_at=clock.now())
    about = [_conditions_and_emergency(people[Role.ADMINISTRATOR])]
    about += [row.subject for row in ComplianceWaiver.objects.order_by("pk")[:1]]
    closed = {process.pk, *(getattr(thing, "process_id", None) or thing.pk for thing in about if _is_process(thing))}
    Article.objects.get_or_create(process=process)
    Process._base_manager.filter(pk__in=closed).update(stakeholder_access="stakeholders")
    lead = Lead._base_manager.filter(archived_at=None).order_by("pk").first()
    Lead._base_manager.filter(pk=lead.pk).update(owner_person=people[Role.SALES])
    other = Lead._base_manager.filter(archived_at=None).exclude(pk=lead.pk).order_by("pk").first()
    Lead._base_manager.filter(pk=other.pk).update(owner_person=people[Role.OPS], owner_team=None)
    if not ScoreOverride.objects.filter(lead=other, ended_at=None).exists():
        until = clock.now() + dt.timedelta(days=1)
        ScoreOverride.objects.create(
            lead=other, value=1, reason="Surface", set_by=writer, set_at=clock.now(), expires_at=until
        )


def _conditions_and_emergency(person):
    """The SOP version about which there now is a condition and an emergency, beside those of the demo."""
    kind = ContentType.objects.get_for_model(SOPVersion)
    decision = Decision.objects.filter(request__content_type=kind, request__emergency=None).order_by("pk").first()
    ApprovalCondition.objects.create(approval=decision.request, decision=decision, text="Surface")
    with transition(BreakGlass):
        BreakGlass.objects.create(
            approval=decision.request, declared_by=person, declared_by_label="Surface", reason="Surface", at=clock.now()
        )
    return SOPVersion.objects.get(pk=decision.request.object_id)


def _is_process(thing):
    return isinstance(thing, (Process, SOPVersion))


def make_what_the_demo_lacks(people):
    tool, admin_person = Tool.objects.order_by("pk").first(), people[Role.ADMINISTRATOR]
    TagFactory(name="Surface"), CustomFieldFactory(label="Surface")
    grant_access(tool, to=person_with(), verb="view", by=administrator(), reason="The matrix")
    add_note(tool, "Surface", by=people[Role.OPS])
    team = Team.objects.order_by("pk").first()
    invite_person(
        "new@surfaces.example.com", by=admin_person, full_name="Surface", team=team, role=Role.OPS, send=False
    )
    RoleRequest.objects.create(
        person=people[Role.OPS], team=team, role=Role.EXECUTIVE, reason="Surface", asked_by=people[Role.OPS]
    )
    RecordRequest.objects.create(
        asked_by=people[Role.SALES], kind="technology.tool", number=1, verb="view", reason="Surface"
    )
    _kept_by_administrators(admin_person)
    _files_and_imports(tool, people[Role.OPS], admin_person)
    if not Step.objects.exists():
        Step.objects.create(version=draft(author=people[Role.OPS]), key="surface", position=1, title="Surface")
    version = Step.objects.order_by("pk").first().version
    if not Feedback.objects.exists():
        Feedback.objects.create(process=version.process, text="Surface", author=people[Role.OPS])
    if not Review.objects.exists():
        day = clock.today()
        Review.objects.create(
            process=version.process, version=version, due_on=day, reviewer=people[Role.OPS], opened_at=clock.now()
        )
    if not ProcessRole.objects.exists():
        ProcessRole.objects.create(name="Surface")


def _kept_by_administrators(person):
    leaver, rule = person_with(is_active=False), SodRule.objects.order_by("pk").first()
    Vacancy.objects.create(left_by=leaver, kind="technology.tool", object_id="1", label="Tool", field="owner_person")
    place_hold(LegalHold(matter="Surface", kind="accounts_vacancy", reason="The matrix"), by=person)
    RetentionPolicy.objects.create(kind="accounts_vacancy", months=600, basis="The matrix")
    ReasonRule.objects.create(
        table_name="accounts_vacancy", field="label", operations=["update"], what="Surface", is_active=False
    )
    if not BusinessCalendar.objects.exists():  # shipped by a migration; gone after a test that empties the tables
        CalendarFactory()
    rule = rule or SodRule.objects.create(name="Surface", first="role:sales", second="role:approver", why="The matrix")
    ends = clock.now() + dt.timedelta(days=3)
    ask_waiver(rule, person=person_with(), expires_at=ends, reason="The matrix", by=person)


def _files_and_imports(tool, person, admin_person):
    attach(tool, SimpleUploadedFile("surface.txt", b"Surface"), by=person)
    register_importer(OnlyForAdministrators)
    open_to_both = next(each for each in all_importers() if each.model is Tool).key
    for key, by in ((open_to_both, person), (OnlyForAdministrators.key, admin_person)):
        receive_file(ContentFile(b"Name,email\nSurface,s@example.com\n", name="surface.csv"), by=by, importer=key)
        FileSource.objects.create(name=f"Surface {key}", folder="/srv/surface", path="s.csv", owner=by, importer=key)
