"""The sidebar, grouped by the work people come to do. Groups and pages a person may not see are left out."""

from collections.abc import Callable
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

from apps.core import access
from apps.core.notifications.domain.reading import unread_count

# (group, ((page, admin model or view name, icon), …)); a model is "app_label.model"
GROUPS: tuple[tuple[str, tuple[tuple[str, str, str], ...]], ...] = (
    (
        "Processes",
        (
            ("Processes", "processes.process", "menu_book"),
            ("SOP versions", "processes.sopversion", "difference"),
            ("Steps", "processes.step", "checklist"),
            ("Runs", "processes.run", "play_circle"),
            ("Recurring runs", "processes.recurrence", "event_repeat"),
            ("Steps of runs", "processes.runstep", "task_alt"),
            ("Waivers of steps", "processes.stepwaiver", "rule"),
            ("What happened in runs", "processes.runstepevent", "history"),
            ("Roles in processes", "processes.processrole", "diversity_3"),
            ("Process reviews", "processes.review", "fact_check"),
            ("Feedback", "processes.feedback", "rate_review"),
            ("Who has read what", "processes.acknowledgement", "how_to_reg"),
            ("Automations", "processes.automation", "smart_toy"),
            ("Compliance rules", "processes.compliancerule", "gavel"),
            ("Compliance findings", "processes.compliancestanding", "report"),
            ("Compliance waivers", "processes.compliancewaiver", "gpp_maybe"),
            ("Improvements", "processes.improvement", "trending_up"),
            ("Maturity", "processes-maturity@processes.maturityoverride", "stairs"),
            ("Overrides of levels", "processes.maturityoverride", "edit_note"),
            ("Roadmap", "processes-roadmap@processes.roadmapphase", "map"),
            ("Phases of the roadmap", "processes.roadmapphase", "flag"),
            ("Governance packs", "processes.governancepack", "inventory"),
        ),
    ),
    (
        "Approvals",
        (
            ("Inbox", "admin:approvals_inbox", "inbox"),
            ("Approval requests", "approvals.approvalrequest", "approval"),
            ("Approval policies", "approvals.approvalpolicy", "policy"),
            ("Out of office", "approvals.delegation", "event_busy"),
            ("Conditions", "approvals.approvalcondition", "rule"),
            ("Emergencies", "approvals.breakglass", "e911_emergency"),
        ),
    ),
    (
        "Rules",
        (
            ("Rule documents", "rules.ruledocument", "rule_settings"),
            ("Rule versions", "rules.ruleversion", "rule"),
        ),
    ),
    ("Campaigns", (("Campaigns", "campaigns.campaign", "campaign"),)),
    (
        "Leads",
        (
            ("Leads", "leads.lead", "contacts"),
            ("Lifecycle", "leads-lifecycle@leads.lead", "conversion_path"),
            ("Handoffs", "leads.handoff", "handshake"),
            ("Companies", "leads.company", "business"),
            ("Touches", "leads.touchpoint", "touch_app"),
            ("Intake", "leads.intake", "move_to_inbox"),
            ("Sources", "leads.intakesource", "input"),
            ("Consents", "leads.consent", "verified_user"),
            ("Scoring runs", "leads.scorerun", "calculate"),
            ("Scores by hand", "leads.scoreoverride", "edit_note"),
        ),
    ),
    (
        "Tickets",
        (
            ("Get help", "portal-home", "help"),
            ("Tickets", "tickets.ticket", "confirmation_number"),
            ("Articles", "tickets.article", "menu_book"),
            ("Follow-ups", "tickets.followup", "event_repeat"),
            ("Satisfaction", "tickets-satisfaction", "sentiment_satisfied"),
            ("Queues", "tickets.queue", "inbox"),
            ("Desk profiles", "tickets.deskprofile", "assignment_ind"),
            ("Skills", "tickets.skill", "workspace_premium"),
            ("Catalogue", "tickets.tickettype", "storefront"),
            ("Service level agreements", "tickets.agreement", "handshake"),
            ("Reply templates", "tickets.replytemplate", "quickreply"),
            ("Figures", "tickets-figures@tickets.ticket", "monitoring"),
            ("Problems", "tickets.problem", "bug_report"),
            ("Mailboxes", "tickets.mailbox", "alternate_email"),
            ("Received mail", "tickets.receivedmail", "mark_email_read"),
            ("Sent answers", "tickets.sentmail", "forward_to_inbox"),
            ("Template versions", "tickets.templateversion", "history_edu"),
            ("Imported incidents", "tickets.importedincident", "move_to_inbox"),
        ),
    ),
    (
        "Technology",
        (
            ("Tools", "technology.tool", "deployed_code"),
            ("Evaluations", "technology.evaluation", "balance"),
            ("Candidates", "technology.candidate", "compare_arrows"),
            ("Criteria", "technology.criteriaset", "checklist"),
            ("Tool requests", "technology.toolrequest", "contract_edit"),
            ("Implementation gates", "technology.implementationgate", "door_front"),
            ("Waivers", "technology.waiver", "gpp_maybe"),
            ("Vendors", "technology.vendor", "storefront"),
            ("Renewals", "technology-renewals@technology.contract", "event_upcoming"),
            ("Renewal decisions", "technology.renewaldecision", "gavel"),
            ("Contracts", "technology.contract", "contract"),
            ("Costs", "technology.costline", "payments"),
            ("Exchange rates", "technology.exchangerate", "currency_exchange"),
            ("Licences", "technology.licence", "license"),
            ("Seats", "technology.seat", "chair"),
            ("Seats to reclaim", "technology.reclaimtask", "event_seat"),
            ("Utilisation", "technology.utilisationsample", "monitoring"),
            ("Data-flow map", "technology-map@technology.integration", "hub"),
            ("Integrations", "technology.integration", "sync_alt"),
            ("What flows", "technology.dataflow", "conversion_path"),
            ("Transfers", "technology.transfer", "move_up"),
            ("Conflicts of record", "technology-conflicts@technology.integration", "call_merge"),
            ("Data entities", "technology.dataentity", "dataset"),
            ("Data fields", "technology.datafield", "view_column"),
            ("Definitions", "technology.datadefinition", "dictionary"),
            ("Systems of record", "technology.systemofrecord", "database"),
            ("Owner duties", "technology.ownerduty", "event_repeat"),
            ("Duties done", "technology.dutydone", "task_alt"),
            ("Standards", "technology.adminstandard", "rule"),
            ("Checks of standards", "technology.standardcheck", "playlist_add_check"),
            ("Naming rules", "technology.namingrule", "text_fields"),
            ("Availability targets", "technology.servicetarget", "target"),
            ("Availability", "technology.availabilitysample", "vital_signs"),
            ("Reviews", "technology.reviewpack", "fact_check"),
            ("Review actions", "technology.reviewaction", "task_alt"),
            ("Capabilities", "technology.capability", "account_tree"),
            ("Capability matrix", "technology.toolcapability", "grid_view"),
            ("Stack policy", "technology.stackpolicy", "tune"),
        ),
    ),
    (
        "Audit",
        (
            ("Ledger", "audit.auditevent", "receipt_long"),
            ("Mandatory reasons", "audit.reasonrule", "rate_review"),
            ("Retention of the ledger", "audit.retentionpolicy", "auto_delete"),
            ("Retention of working data", "retention.retentionperiod", "auto_delete"),
            ("Legal holds", "audit.legalhold", "gavel"),
            ("Months of the ledger", "audit.ledgermonth", "calendar_month"),
            ("Seals", "audit.auditseal", "verified"),
            ("Evidence handed out", "audit.evidencepackage", "inventory_2"),
            ("Accesses", "rights.accesslog", "visibility"),
            ("Access reviews", "rights.accessreview", "fact_check"),
            ("Access to review", "rights.accessreviewentry", "checklist"),
            ("Separation of duties", "rights-duties", "call_split"),
            ("Rules of separation", "rights.sodrule", "rule"),
            ("Waivers", "rights.sodwaiver", "lock_open"),
        ),
    ),
    (
        "Work",
        (
            ("Notifications", "notifications.notification", "notifications"),
            ("Alerts", "alerts.alert", "warning"),
            ("Mail (no server)", "notifications.storedmail", "drafts"),
            ("Imports", "exchange.importbatch", "upload_file"),
            ("Exports", "exchange.exportrun", "download"),
            ("File sources", "exchange.filesource", "folder_open"),
            ("Attachments", "attachments.attachment", "attach_file"),
            ("Background jobs", "jobs.jobrun", "manufacturing"),
            ("Journal notes", "workspace.journalnote", "sticky_note_2"),
            ("Saved views", "workspace.savedview", "bookmark"),
        ),
    ),
    (
        "Administration",
        (
            ("People", "accounts.user", "person"),
            ("Teams", "accounts.team", "groups"),
            ("Invitations", "accounts.invitation", "mail"),
            ("Roles", "roles", "admin_panel_settings"),
            ("Roles held", "accounts.membership", "badge"),
            ("Shared records", "rights.accessgrant", "key"),
            ("Why can I see this?", "rights-explain", "help_center"),
            ("Who could do what then?", "rights-then", "history"),
            ("Vacancies", "accounts.vacancy", "person_off"),
            ("Business calendars", "calendars.businesscalendar", "calendar_month"),
            ("Schedules", "jobs.schedulestate", "schedule"),
            ("Mail log", "notifications.delivery", "outgoing_mail"),
            ("Tags", "workspace.tag", "sell"),
            ("Custom fields", "workspace.customfield", "edit_note"),
        ),
    ),
)


# a page that is no list of records → the records whose readers it is for; pages not named here are everybody's
PAGE_FOR: dict[str, str] = {"rights-duties": "rights.sodrule"}
# page → the number beside it, left out when it is 0
BADGES: dict[str, Callable[[Any], int]] = {"notifications.notification": unread_count}


# page → the permission without which it is left out; records ask their own admin
NEEDED = {"admin:approvals_inbox": "approvals.view_approvalrequest"}


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the groups and pages this person sees."""
    home = {"title": "Home", "icon": "home", "link": reverse("admin:index")}
    shown: list[dict[str, Any]] = [{"title": "", "items": [home]}]
    for title, pages in GROUPS:
        items = [item for page in pages if (item := _item(request, *page)) is not None]
        if items:
            shown.append({"title": title, "separator": True, "collapsible": False, "items": items})
    return shown


def _item(request: HttpRequest, title: str, target: str, icon: str) -> dict[str, Any] | None:
    if "@" in target:  # a page of its own, for those who may see a kind of record
        page, _, of = target.partition("@")
        return {"title": title, "icon": icon, "link": reverse(page)} if _item(request, title, of, icon) else None
    if "." not in target:
        person: Any = request.user
        kind = apps.get_model(PAGE_FOR[target]) if target in PAGE_FOR else None
        if kind is not None and not access.has_model_permission(person, "view", kind):
            return None
        return {"title": title, "icon": icon, "link": reverse(target)}
    model = apps.get_model(target)
    model_admin = admin.site._registry.get(model)
    if model_admin is None:
        raise LookupError(f"The menu names {target}, which has no page in the admin.")
    if not (model_admin.has_view_permission(request) and model_admin.has_module_permission(request)):
        return None
    app, name = model._meta.app_label, model._meta.model_name
    found = {"title": title, "icon": icon, "link": reverse(f"admin:{app}_{name}_changelist")}
    badge = BADGES.get(target)
    return found | ({"badge": str(number)} if badge and (number := badge(request.user)) else {})
