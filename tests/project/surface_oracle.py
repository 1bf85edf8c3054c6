"""Who sees which rows, in words of its own: what the surface matrix holds every page to.

Reads the grants of the roles as text and each narrowing as plain Python over the rows; asks nothing of
`apps.core.access` and of no scope of the product.
"""

from django.apps import apps
from django.contrib.contenttypes.models import ContentType

from apps.accounts.domain.roles import GRANTS
from apps.accounts.enums import Role
from apps.accounts.models import User
from apps.approvals.models import ApprovalPolicy, ApprovalRequest
from apps.approvals.registry import registered
from apps.campaigns.models import Campaign
from apps.core.exchange.registry import all_importers
from apps.core.governed import GovernedBase
from apps.leads.models import DuplicatePair, Handoff, Lead, Merge, Opportunity, SalesContact, ScoreOverride
from apps.processes.models import Process, Stakeholder
from apps.rights.models import AccessReview, AccessReviewEntry, RecordRequest, RoleRequest
from apps.technology.models import Evaluator, Score
from apps.tickets.models import Ticket, TicketLink

# kinds whose rows are narrowed for each person, and the words of it; `rows_seen` knows each
BY_PROCESS = {
    "processes.SOPVersion": "process",
    "processes.Stakeholder": "process",
    "processes.TrainingRequirement": "process",
    "processes.Review": "process",
    "processes.Feedback": "process",
    "processes.Improvement": "process",
    "processes.MaturityOverride": "process",  # or about the whole, which everybody with the right sees
    "processes.Run": "process",
    "processes.Recurrence": "process",
    "processes.Step": "version.process",
    "processes.StepEdge": "version.process",
    "processes.RunStep": "run.process",
    "processes.StepWaiver": "run_step.run.process",
    "tickets.Article": "process",
}
BY_REQUEST = {
    "approvals.ApprovalCondition": "approval",
    "approvals.BreakGlass": "approval",
    "approvals.StageInstance": "approval",
}
BY_RECORD = (
    "attachments.Attachment",
    "processes.ComplianceWaiver",
    "tickets.TicketRecord",
    "workspace.CustomValues",
    "workspace.JournalNote",
    "workspace.TaggedRecord",
)
BY_IMPORTER = ("exchange.FileSource", "exchange.ImportBatch")
OWN = ("notifications.Preference", "notifications.MailHours")
NARROWED = {
    *BY_PROCESS,
    *BY_REQUEST,
    *BY_RECORD,
    *BY_IMPORTER,
    *OWN,
    "approvals.ApprovalRequest",
    "leads.Lead",
    "leads.Handoff",
    "leads.Opportunity",
    "leads.SalesContact",
    "leads.ScoreOverride",
    "leads.DuplicatePair",
    "leads.Merge",
    "processes.Process",
    "rights.AccessReviewEntry",
    "rights.RecordRequest",
    "rights.RoleRequest",
    "technology.Score",
    "tickets.TicketLink",
}
# kinds that are in a territory, and along which names it stands; parts are where their record is
IN_TERRITORY = {
    "leads.Lead": "territory",
    "leads.Company": "territory",
    "leads.CompanySnapshot": "company.territory",
    "leads.DuplicatePair": "one.territory",
    "leads.Handoff": "lead.territory",
    "leads.Merge": "survivor.territory",
    "leads.Opportunity": "lead.territory",
    "leads.SalesContact": "lead.territory",
    "leads.ScoreOverride": "lead.territory",
    "campaigns.Campaign": "region",
    "campaigns.CampaignRequest": "region",
    "campaigns.Audience": "campaign.region",
    "campaigns.BudgetEntry": "campaign.region",
    "campaigns.BudgetShift": "campaign.region",
    "campaigns.CampaignTask": "campaign.region",
    "campaigns.ChecklistItem": "campaign.region",
    "campaigns.Experiment": "campaign.region",
    "campaigns.Threshold": "campaign.region",
    "campaigns.UtmLink": "campaign.region",
    "campaigns.Variant": "experiment.campaign.region",
    "content.ContentAsset": "region",
    "content.ContentVersion": "asset.region",
    "content.ContentLink": "asset.region",
    "content.Distribution": "version.asset.region",
    "content.FindingWaiver": "asset.region",
}
# kinds whose rows are about records, and the way from a row to what names them; elsewhere where all of these are
ABOUT_RECORDS = {
    "processes.Run": "",
    "processes.RunStep": "run",
    "processes.StepWaiver": "run_step.run",
    "tickets.Ticket": "",
    "tickets.ChecklistItem": "ticket",
    "tickets.FollowUp": "ticket",
    "tickets.TicketLink": "ticket",
    "tickets.TicketRecord": "ticket",
}
ALL_GOVERNED = sorted(
    (model for model in apps.get_models() if issubclass(model, GovernedBase)), key=lambda model: model._meta.label
)


def grants(role, model, *verbs):
    """Whether the text of a role's grants gives one of `verbs` on this kind; changing implies viewing."""
    wanted = {*verbs, *(("change",) if "view" in verbs else ())}
    for line in GRANTS[role] if role else ():
        where, given = line.split(": ")
        app, _, name = where.partition(".")
        fits = app in ("*", model._meta.app_label) and name in ("", "*", model._meta.model_name)
        if fits and wanted & set(given.split()):
            return True
    return False


def rows_seen(person, role, model, _known=None):
    """The keys of the rows of `model` that `person`, who plays `role` and nothing else, sees."""
    known = {} if _known is None else _known
    if model not in known:
        known[model] = _rows_seen(person, role, model, known) if grants(role, model, "view") else set()
    return known[model]


def _rows_seen(person, role, model, known):
    rows, names = _rows_open(person, role, model, known), known.get("territories")
    path, about = IN_TERRITORY.get(model._meta.label), ABOUT_RECORDS.get(model._meta.label)
    if names is not None and about is not None:
        named = ((row.pk, _along(row, about) if about else row) for row in model._base_manager.filter(pk__in=rows))
        return {key for key, row in named if _is_about_here(row, names)}
    if names is None or path is None:
        return rows
    placed = ((row.pk, _place(row, path)) for row in model._base_manager.filter(pk__in=rows))
    return {key for key, place in placed if place.strip().lower() in names}


def _is_about_here(row, names):
    """Whether one of the records is in these territories, or none is of a kind that is in any."""
    if isinstance(row, Ticket):
        links = row.records.filter(archived_at=None)
        records = [each.record for each in links if isinstance(each.record, (Lead, Campaign))]
    else:
        records = [row.subject] if row.subject is not None else []
        if records and isinstance(records[0], Ticket):
            return _is_about_here(records[0], names)
    placed = [(each, IN_TERRITORY[each._meta.label]) for each in records if each._meta.label in IN_TERRITORY]
    return not placed or any(_place(each, path).strip().lower() in names for each, path in placed)


def _place(row, path):
    """The territory along a path, empty where it belongs to nothing."""
    for name in path.split("."):
        row = getattr(row, name) if row is not None else None
    return row or ""


def _rows_open(person, role, model, known):
    label = model._meta.label
    if model is User:  # mops itself is no person
        return set(User._base_manager.filter(is_system=False).values_list("pk", flat=True))
    if label not in NARROWED:
        return set(model._base_manager.values_list("pk", flat=True))
    rows = model._base_manager.select_related(*_PATHS.get(label, ()))
    if label in BY_PROCESS:
        processes = _of_kind(person, role, Process, known)
        about = {row.pk: _along(row, BY_PROCESS[label]) for row in rows}
        return {key for key, process in about.items() if process is None or process.pk in processes}
    if label in BY_REQUEST:
        requests = _of_kind(person, role, ApprovalRequest, known)
        return {row.pk for row in rows if _along(row, BY_REQUEST[label]).pk in requests}
    if label in BY_RECORD:
        return {row.pk for row in rows if row.object_id in _of_type(person, role, row.content_type_id, known)}
    if label in BY_IMPORTER:
        kinds = {each.key: each.model for each in all_importers()}
        return {row.pk for row in rows if row.importer in kinds and grants(role, kinds[row.importer], "view")}
    if label in OWN:
        return {row.pk for row in rows if row.person_id == person.pk}
    return _NARROWED_BY_ITSELF[label](person, role, known)


def _leads(person, role, known):
    """One's own, and those of one's teams; all of them for who oversees leads."""
    teams, rows = _teams(person), Lead._base_manager.all()
    mine = {row.pk for row in rows if row.owner_person_id == person.pk or row.owner_team_id in teams}
    return {row.pk for row in rows} if grants(role, Lead, "oversee") else mine


def _of_leads(model):
    def rows(person, role, known):
        """Those of the leads one sees."""
        seen = _of_kind(person, role, Lead, known)
        return {row.pk for row in model._base_manager.all() if row.lead_id in seen}

    return rows


def _handoffs(person, role, known):
    """Those of the leads one sees, and those that ask oneself or one of one's teams."""
    asked = {row.pk for row in Handoff._base_manager.all() if row.to_person_id == person.pk}
    asked |= {row.pk for row in Handoff._base_manager.filter(to_team__in=_teams(person))}
    return _of_leads(Handoff)(person, role, known) | asked


def _of_two_leads(model, *names):
    def rows(person, role, known):
        """Those both of whose leads one sees."""
        seen = _of_kind(person, role, Lead, known)
        return {row.pk for row in model._base_manager.all() if all(getattr(row, name) in seen for name in names)}

    return rows


def _ticket_links(person, role, known):
    """Those both of whose tickets one sees."""
    seen = _of_kind(person, role, Ticket, known)
    return {row.pk for row in TicketLink._base_manager.all() if {row.ticket_id, row.other_id} <= seen}


def _review_lines(person, role, known):
    """Those one decides about and is not the subject of; all of them for who reads reviews."""
    rows = AccessReviewEntry._base_manager.select_related("review")
    if grants(role, AccessReview, "view"):
        return {row.pk for row in rows}
    return {row.pk for row in rows if person.pk in _deciders(row) and row.person_id != person.pk}


def _records_asked_for(person, role, known):
    """What one asked for; all of them for who reads reviews."""
    rows = RecordRequest._base_manager.all()
    return {row.pk for row in rows if grants(role, AccessReview, "view") or person.pk == row.asked_by_id}


def _roles_asked_for(person, role, known):
    """What one asked for or is to have; all of them for who reads reviews."""
    rows = RoleRequest._base_manager.all()
    return {
        row.pk for row in rows if grants(role, AccessReview, "view") or person.pk in (row.person_id, row.asked_by_id)
    }


def _scores(person, role, known):
    """One's own; and submitted ones, but none of an evaluation in which one still has to submit."""
    open_seats = Evaluator._base_manager.select_related("evaluation").filter(person=person)
    blind = {
        seat.evaluation_id
        for seat in open_seats
        if not (seat.submitted_at or seat.excused_at or seat.archived_at)
        and seat.evaluation.state not in ("decided", "dropped", "scored")
    }
    seen = set()
    for row in Score._base_manager.select_related("evaluator"):
        told = row.evaluator.submitted_at and row.evaluator.evaluation_id not in blind
        if told or row.evaluator.person_id == person.pk:
            seen.add(row.pk)
    return seen


# followed with the rows themselves, so that the oracle costs little
_PATHS = {label: (path.replace(".", "__"),) for label, path in {**BY_PROCESS, **BY_REQUEST}.items()}


def _along(row, path):
    for name in path.split("."):
        row = getattr(row, name)
    return row


def _teams(person):
    return set(person.memberships.filter(archived_at=None).values_list("team_id", flat=True))


def _deciders(row):
    return {row.reviewer_id, row.review.reviewer_id, row.review.second_reviewer_id}


def _processes(person, role, known):
    """Open to everybody; or owned, backed up, written by the person; or they are a stakeholder; or they oversee."""
    if grants(role, Process, "oversee"):
        return set(Process._base_manager.values_list("pk", flat=True))
    teams, seen = _teams(person), set()
    for process in Process._base_manager.all():
        people = {process.owner_person_id, process.backup_person_id}
        people |= set(process.versions.values_list("author_id", flat=True))
        own_teams = {process.owner_team_id, process.backup_team_id}
        for each in Stakeholder._base_manager.filter(process=process, archived_at=None):
            people.add(each.person_id)
            own_teams.add(each.team_id)
            if each.role and each.role == role:
                people.add(person.pk)
        if process.stakeholder_access == "everybody" or person.pk in people or own_teams & teams:
            seen.add(process.pk)
    return seen


def _requests(person, role, known):
    """The requests about things that one sees; who has nothing to do with policies, those that concern them."""
    subjects, alone = set(registered()), not grants(role, ApprovalPolicy, "view")
    found = set()
    for row in ApprovalRequest._base_manager.all():
        model = ContentType.objects.get_for_id(row.content_type_id).model_class()
        if alone and (not _concerns(row, person, role) or model in KEPT_FROM.get(role, ())):
            continue
        if model in subjects and row.object_id in rows_seen(person, role, model, known):
            found.add(row.pk)
    return found


KEPT_FROM = {Role.SALES: {Campaign}}  # what one costs


def _concerns(row, person, role):
    """Sent by somebody, decided by them, or named in the stage that is being decided."""
    named = {each for stage in row.stages.filter(state="active") for each in stage.named}
    mine = {f"person:{person.pk}", f"role:{role}", *(f"team:{team}" for team in _teams(person))}
    decided = row.decisions.filter(approver=person).exists()
    return row.requester_id == person.pk or decided or (row.state == "in_review" and bool(named & mine))


def _of_type(person, role, content_type_id, known):
    return rows_seen(person, role, ContentType.objects.get_for_id(content_type_id).model_class(), known)


def _of_kind(person, role, model, known):
    """The rows of another kind by its narrowing alone, whatever the grants say of that kind."""
    if (model, "whole") not in known:
        known[model, "whole"] = _rows_seen(person, role, model, known)
    return known[model, "whole"]


_NARROWED_BY_ITSELF = {
    "approvals.ApprovalRequest": _requests,
    "leads.Lead": _leads,
    "leads.Handoff": _handoffs,
    "leads.Opportunity": _of_leads(Opportunity),
    "leads.SalesContact": _of_leads(SalesContact),
    "leads.ScoreOverride": _of_leads(ScoreOverride),
    "leads.DuplicatePair": _of_two_leads(DuplicatePair, "one_id", "two_id"),
    "leads.Merge": _of_two_leads(Merge, "survivor_id", "loser_id"),
    "processes.Process": _processes,
    "rights.AccessReviewEntry": _review_lines,
    "rights.RecordRequest": _records_asked_for,
    "rights.RoleRequest": _roles_asked_for,
    "technology.Score": _scores,
    "tickets.TicketLink": _ticket_links,
}
