"""The sidebar, grouped by the work people come to do. Groups and pages a person may not see are left out.

Who sees many pages finds the groups folded (the one they are in stands open); who sees few finds them all open.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest
from django.urls import get_script_prefix, reverse

from apps.core import access
from apps.core.notifications.domain.reading import unread_count

Page = tuple[str, str, str]
# below Home, in no group
ALWAYS: tuple[Page, ...] = (("Notifications", "notifications.notification", "notifications"),)
# (group, ((page, admin model or view name, icon), …)); a model is "app_label.model"
GROUPS: tuple[tuple[str, tuple[Page, ...]], ...] = (
    (
        "Processes",
        (
            ("Processes", "processes.process", "menu_book"),
            ("SOP versions", "processes.sopversion", "difference"),
            ("Steps", "processes.step", "checklist"),
            ("Process roles", "processes.processrole", "diversity_3"),
            ("Process reviews", "processes.review", "fact_check"),
            ("Feedback", "processes.feedback", "rate_review"),
            ("Acknowledgements", "processes.acknowledgement", "how_to_reg"),
            ("Automations", "processes.automation", "smart_toy"),
        ),
    ),
    (
        "Runs",
        (
            ("Runs", "processes.run", "play_circle"),
            ("Recurring runs", "processes.recurrence", "event_repeat"),
            ("Steps of runs", "processes.runstep", "task_alt"),
            ("Waivers of steps", "processes.stepwaiver", "rule"),
            ("Events of steps", "processes.runstepevent", "history"),
        ),
    ),
    (
        "Approvals",
        (
            ("Inbox", "admin:approvals_inbox", "inbox"),
            ("Approval requests", "approvals.approvalrequest", "approval"),
            ("Approval policies", "approvals.approvalpolicy", "policy"),
            ("Delegations", "approvals.delegation", "event_busy"),
            ("Conditions", "approvals.approvalcondition", "rule"),
            ("Emergency approvals", "approvals.breakglass", "e911_emergency"),
        ),
    ),
    (
        "Campaigns",
        (
            ("Ask for a campaign", "campaign-ask", "add_circle"),
            ("Campaigns", "campaigns.campaign", "campaign"),
            ("Calendar", "campaign-calendar@campaigns.campaign", "calendar_month"),
            ("Blackouts", "campaigns.blackout", "event_busy"),
            ("Campaign requests", "campaigns.campaignrequest", "move_to_inbox"),
            ("Request forms", "campaigns.intakeform", "assignment"),
            ("Campaign templates", "campaigns.campaigntemplate", "auto_awesome_motion"),
            ("Campaign template versions", "campaigns.campaigntemplateversion", "history_edu"),
            ("Tasks of campaigns", "campaigns.campaigntask", "task_alt"),
            ("Set-up and launch times", "campaign-times@campaigns.campaign", "timer"),
            ("Checklist lines", "campaigns.checklistitem", "checklist"),
            ("Audiences", "campaigns.audience", "groups"),
            ("Tagged links", "campaigns.utmlink", "link"),
            ("UTM builder", "campaign-utm@campaigns.utmlink", "add_link"),
            ("Drift of UTM tags", "campaign-utm-drift@campaigns.utmlink", "link_off"),
            ("Budget entries", "campaigns.budgetentry", "payments"),
            ("Budget shifts", "campaigns.budgetshift", "swap_horiz"),
            ("A/B tests", "campaigns.experiment", "science"),
            ("Thresholds", "campaigns.threshold", "straighten"),
            ("Figures by day", "campaigns.metricday", "monitoring"),
        ),
    ),
    (
        "Content",
        (
            ("Content", "content.contentasset", "article"),
            ("Content versions", "content.contentversion", "difference"),
            ("Distributions", "content.distribution", "share"),
            ("Daily figures of content", "content.contentmetric", "monitoring"),
            ("Sales material", "content-material@content.contentversion", "menu_book"),
            ("Uses of sales material", "content.materialuse", "handshake"),
            ("Uses of content", "content.contentlink", "link"),
            ("Findings", "content.qafinding", "rule"),
            ("Runs of checks", "content.qarun", "fact_check"),
            ("Sign-offs", "content.qasignoff", "verified"),
            ("Waivers of findings", "content.findingwaiver", "gpp_maybe"),
            ("Claims", "content.claim", "format_quote"),
            ("Content templates", "content.contenttemplate", "view_quilt"),
            ("Content template versions", "content.contenttemplateversion", "history_edu"),
        ),
    ),
    (
        "Leads",
        (
            ("Leads", "leads.lead", "contacts"),
            ("Lifecycle", "leads-lifecycle@leads.lead", "conversion_path"),
            ("Handoffs", "leads.handoff", "handshake"),
            ("Possible duplicates", "leads.duplicatepair", "content_copy"),
            ("Merges", "leads.merge", "merge"),
            ("Data quality", "leads-quality@leads.lead", "fact_check"),
            ("Segments", "leads.segmentstate", "group_work"),
            ("Opportunities", "leads.opportunity", "payments"),
            ("Sales contacts", "leads.salescontact", "call"),
            ("Lead SLAs", "leads.leadsla", "timer"),
            ("Pools", "leads.pool", "groups_3"),
            ("Routing decisions", "leads.routingdecision", "alt_route"),
            ("Companies", "leads.company", "business"),
            ("Clients", "leads.client", "monitor_heart"),
            ("Subscriptions and usage", "leads.companysnapshot", "monitoring"),
            ("Touches", "leads.touchpoint", "touch_app"),
            ("Intakes", "leads.intake", "move_to_inbox"),
            ("Intake sources", "leads.intakesource", "input"),
            ("Consents", "leads.consent", "verified_user"),
            ("Scoring runs", "leads.scorerun", "calculate"),
            ("Score overrides", "leads.scoreoverride", "edit_note"),
            ("Reviews of scoring", "leads.scoringreview", "rate_review"),
            ("Trials of scoring rules", "leads.scoringtrial", "balance"),
            ("Predictive models", "leads.predictivefit", "online_prediction"),
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
            ("Figures", "tickets-figures@tickets.ticket", "monitoring"),
            ("Demand and capacity", "tickets-demand@tickets.ticket", "trending_up"),
            ("Pauses", "tickets-pauses@tickets.ticket", "pause_circle"),
            ("Problems", "tickets.problem", "bug_report"),
            ("Imported incidents", "tickets.importedincident", "move_to_inbox"),
        ),
    ),
    (
        "Service desk",
        (
            ("Queues", "tickets.queue", "inbox"),
            ("Desk profiles", "tickets.deskprofile", "assignment_ind"),
            ("Skills", "tickets.skill", "workspace_premium"),
            ("Ticket types", "tickets.tickettype", "storefront"),
            ("Service level agreements", "tickets.agreement", "handshake"),
            ("Reply templates", "tickets.replytemplate", "quickreply"),
            ("Template versions", "tickets.templateversion", "history_edu"),
            ("Mailboxes", "tickets.mailbox", "alternate_email"),
            ("Received mail", "tickets.receivedmail", "mark_email_read"),
            ("Sent answers", "tickets.sentmail", "forward_to_inbox"),
        ),
    ),
    (
        "Technology",
        (
            ("Tools", "technology.tool", "deployed_code"),
            ("Evaluations", "technology.evaluation", "balance"),
            ("Candidates", "technology.candidate", "compare_arrows"),
            ("Sets of criteria", "technology.criteriaset", "checklist"),
            ("Tool requests", "technology.toolrequest", "contract_edit"),
            ("Implementation gates", "technology.implementationgate", "door_front"),
            ("Waivers", "technology.waiver", "gpp_maybe"),
            ("Technology reviews", "technology.reviewpack", "fact_check"),
            ("Review actions", "technology.reviewaction", "task_alt"),
            ("Capabilities", "technology.capability", "account_tree"),
            ("Capabilities of tools", "technology.toolcapability", "grid_view"),
            ("Stack policy", "technology.stackpolicy", "tune"),
        ),
    ),
    (
        "Contracts and costs",
        (
            ("Vendors", "technology.vendor", "storefront"),
            ("Renewals", "technology-renewals@technology.contract", "event_upcoming"),
            ("Renewal decisions", "technology.renewaldecision", "gavel"),
            ("Contracts", "technology.contract", "contract"),
            ("Cost lines", "technology.costline", "payments"),
            ("Exchange rates", "technology.exchangerate", "currency_exchange"),
            ("Licences", "technology.licence", "license"),
            ("Seats", "technology.seat", "chair"),
            ("Reclaim tasks", "technology.reclaimtask", "event_seat"),
            ("Utilisation samples", "technology.utilisationsample", "monitoring"),
        ),
    ),
    (
        "Integrations and data",
        (
            ("Data-flow map", "technology-map@technology.integration", "hub"),
            ("Integrations", "technology.integration", "sync_alt"),
            ("Data flows", "technology.dataflow", "conversion_path"),
            ("Transfers", "technology.transfer", "move_up"),
            ("Conflicts of record", "technology-conflicts@technology.integration", "call_merge"),
            ("Data entities", "technology.dataentity", "dataset"),
            ("Data fields", "technology.datafield", "view_column"),
            ("Data definitions", "technology.datadefinition", "dictionary"),
            ("Systems of record", "technology.systemofrecord", "database"),
        ),
    ),
    (
        "Care of tools",
        (
            ("Owner duties", "technology.ownerduty", "event_repeat"),
            ("Duties done", "technology.dutydone", "task_alt"),
            ("Administration standards", "technology.adminstandard", "rule"),
            ("Standard checks", "technology.standardcheck", "playlist_add_check"),
            ("Naming rules", "technology.namingrule", "text_fields"),
            ("Availability targets", "technology.servicetarget", "target"),
            ("Availability samples", "technology.availabilitysample", "vital_signs"),
        ),
    ),
    (
        "Governance",
        (
            ("Compliance rules", "processes.compliancerule", "gavel"),
            ("Compliance findings", "processes.compliancestanding", "report"),
            ("Compliance waivers", "processes.compliancewaiver", "gpp_maybe"),
            ("Rule documents", "rules.ruledocument", "rule_settings"),
            ("Rule versions", "rules.ruleversion", "rule"),
            ("Improvements", "processes.improvement", "trending_up"),
            ("Maturity", "processes-maturity@processes.maturityoverride", "stairs"),
            ("Overrides of maturity levels", "processes.maturityoverride", "edit_note"),
            ("Roadmap", "processes-roadmap@processes.roadmapphase", "map"),
            ("Roadmap phases", "processes.roadmapphase", "flag"),
            ("Governance packs", "processes.governancepack", "inventory"),
        ),
    ),
    (
        "Access",
        (
            ("Why can I see this?", "rights-explain", "help_center"),
            ("Who could do what then?", "rights-then", "history"),
            ("Role requests", "rights.rolerequest", "person_add"),
            ("Access requests", "rights.recordrequest", "vpn_key"),
            ("Access grants", "rights.accessgrant", "key"),
            ("Access reviews", "rights.accessreview", "fact_check"),
            ("Lines of access reviews", "rights.accessreviewentry", "checklist"),
            ("Separation of duties", "rights-duties", "call_split"),
            ("Separation-of-duties rules", "rights.sodrule", "rule"),
            ("Separation-of-duties waivers", "rights.sodwaiver", "lock_open"),
            ("Access log entries", "rights.accesslog", "visibility"),
        ),
    ),
    (
        "Audit",
        (
            ("Ledger entries", "audit.auditevent", "receipt_long"),
            ("Seals", "audit.auditseal", "verified"),
            ("Evidence packages", "audit.evidencepackage", "inventory_2"),
            ("Reason rules", "audit.reasonrule", "rate_review"),
            ("Ledger retention policies", "audit.retentionpolicy", "auto_delete"),
            ("Months of the ledger", "audit.ledgermonth", "calendar_month"),
            ("Legal holds", "audit.legalhold", "gavel"),
            ("Retention periods", "retention.retentionperiod", "auto_delete"),
        ),
    ),
    (
        "Work",
        (
            ("Alerts", "alerts.alert", "warning"),
            ("Stored mail", "notifications.storedmail", "drafts"),
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
            ("Territories", "accounts.territory", "public"),
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
PAGE_FOR: dict[str, str] = {
    "rights-duties": "rights.sodrule",
    "admin:approvals_inbox": "approvals.approvalrequest",
    "tickets-satisfaction": "tickets.survey",
}
# page → the number beside it, left out when it is 0
BADGES: dict[str, Callable[[Any], int]] = {"notifications.notification": unread_count}


# from so many pages on the groups fold
MANY = 55


@cache
def _reversed(name: str, prefix: str) -> str:
    return reverse(name)


def _address(name: str) -> str:
    """The address of a page without arguments: a hundred of them on every page, always the same."""
    return _reversed(name, get_script_prefix())


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the groups and pages this person sees."""
    home = {"title": "Home", "icon": "home", "link": reverse("admin:index")}
    shown: list[dict[str, Any]] = [{"title": "", "items": [home, *_items(request, ALWAYS)]}]
    groups = [(title, items) for title, pages in GROUPS if (items := _items(request, pages))]
    folds = sum(len(items) for _, items in groups) > MANY
    for title, items in groups:
        shown.append({"title": title, "separator": not folds, "collapsible": folds, "items": items})
    _mark_where_one_is(request.path, [item for group in shown for item in group["items"]], str(home["link"]))
    return shown


def _mark_where_one_is(path: str, items: list[dict[str, Any]], home: str) -> None:
    """Mark one page: of those whose addresses begin alike, as a list and the inbox below it, the longest."""
    links = [str(item["link"]) for item in items]
    here = max(
        (link for link in links if path.startswith(link) and (link != home or path == home)), key=len, default=""
    )
    for item, link in zip(items, links, strict=True):
        item["active"] = link == here


def _items(request: HttpRequest, pages: tuple[Page, ...]) -> list[dict[str, Any]]:
    return [item for page in pages if (item := _item(request, *page)) is not None]


def _item(request: HttpRequest, title: str, target: str, icon: str) -> dict[str, Any] | None:
    person: Any = request.user
    if "@" in target:  # a page of its own, for those who may see a kind of record
        page, _, of = target.partition("@")
        return {"title": title, "icon": icon, "link": _address(page)} if _item(request, title, of, icon) else None
    if "." not in target:
        kind = apps.get_model(PAGE_FOR[target]) if target in PAGE_FOR else None
        if kind is not None and not access.has_model_permission(person, "view", kind):
            return None
        return {"title": title, "icon": icon, "link": _address(target)}
    model = apps.get_model(target)
    model_admin = admin.site._registry[model]  # tests/project/test_navigation.py holds that each has a page
    if not (model_admin.has_view_permission(request) and model_admin.has_module_permission(request)):
        return None
    link = _address(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    badge = BADGES.get(target)
    number = badge(person) if badge else 0
    return {"title": title, "icon": icon, "link": link} | ({"badge": str(number)} if number else {})
