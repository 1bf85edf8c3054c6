"""Templates of campaigns: written as versions, approved, and then setting a campaign up in one go."""

import datetime as dt
from typing import TYPE_CHECKING, Any

from django.db import transaction

from apps.approvals.domain import drafts
from apps.campaigns.domain import budget as money
from apps.campaigns.domain.checklist import ensure_checklist
from apps.campaigns.domain.moves import locked, raise_refusal, refuse_work
from apps.campaigns.domain.template_lines import Contents, months_of, problem_of, read, spread
from apps.campaigns.domain.utm_plan import plan_link
from apps.campaigns.domain.working import begin_work
from apps.campaigns.enums import CampaignState, Money
from apps.campaigns.models import (
    Campaign,
    CampaignTask,
    CampaignTemplate,
    CampaignTemplateVersion,
    TemplateUse,
)
from apps.campaigns.models.template import PARTS
from apps.content.domain.linking import link_content
from apps.content.domain.writing import ask_for_content, region_named
from apps.content.enums import Channel as ContentChannel
from apps.core import clock
from apps.core.actors import acting_as
from apps.core.errors import InvalidInput
from apps.core.money import decimals

if TYPE_CHECKING:
    from apps.accounts.models import User

IN_FORCE = "approved"
PLANNED = (CampaignState.PLANNING, CampaignState.IN_CREATIVE)


def start_version(template: CampaignTemplate, *, by: "User") -> str:
    """Start the next version as a draft that says what is in force: what the button calls.

    Raises:
        NotAllowed, WrongState: as `drafts.refuse_next` says.
    """
    return drafts.started(write_version(template, by=by))


def write_version(template: CampaignTemplate, *, by: "User", **said: Any) -> CampaignTemplateVersion:
    """Start the next version, with what is given or what the newest one says.

    Raises:
        NotAllowed, WrongState: as `drafts.refuse_next` says.
    """
    made: CampaignTemplateVersion = drafts.next_version(template, by=by, parts=PARTS, **said)
    return made


def refuse_submission(user: "User", version: CampaignTemplateVersion) -> str | None:
    """Return why `user` cannot send `version` for approval, None when they can."""
    return drafts.refuse_draft(user, version, lambda: problem_of(version))


def submit_version(
    version: CampaignTemplateVersion, *, by: "User", note: str = "", at: dt.datetime | None = None
) -> str:
    """Send a draft for approval; it is fixed until that is decided.

    Raises:
        NotAllowed, WrongState, InvalidInput: as `refuse_submission` says.
    """
    return drafts.submit_draft(version, by=by, refuse=refuse_submission, note=note, at=at)


def put_in_force(version: CampaignTemplateVersion, request: Any, *, by: "User", at: dt.datetime | None = None) -> None:
    """Let an approved version be what campaigns are set up with: the effect of its approval.

    Raises:
        WrongState: it no longer waits for approval.
    """
    drafts.begin_force(version, state=IN_FORCE, before="archived", at=at or clock.now())


def in_force_before(version: CampaignTemplateVersion) -> dict[str, Any] | None:
    """Return what the template says now, for comparison."""
    old = version.template.versions.filter(state=IN_FORCE).exclude(pk=version.pk).first()
    return {name: getattr(old, name) for name in PARTS} if old is not None else None


def usable_for(campaign: Campaign) -> list[CampaignTemplateVersion]:
    """Return the versions in force, those of the campaign's channel first."""
    rows = CampaignTemplateVersion.objects.filter(state=IN_FORCE, template__archived_at__isnull=True)
    found = list(rows.select_related("template").order_by("template__name"))
    return sorted(found, key=lambda each: each.template.main_channel != campaign.main_channel)


def refuse_set_up(user: "User", campaign: Campaign) -> str | None:
    """Return why `user` cannot set `campaign` up from a template, None when they can."""
    if refused := refuse_work(user, campaign):
        return refused
    if campaign.state not in PLANNED:
        return f"{campaign} is {campaign.get_state_display().lower()}; only what is planned is set up from a template."
    use = TemplateUse.objects.filter(campaign=campaign).select_related("version__template").first()
    if use is not None:
        return f"{campaign} was set up from {use.version} already."
    if not CampaignTemplateVersion.objects.filter(state=IN_FORCE, template__archived_at__isnull=True).exists():
        return "No template is in force; write one under “Campaign templates” and have it approved."
    return None


def set_up(
    campaign: Campaign, *, by: "User", version: CampaignTemplateVersion, landing_url: str = "", campaign_tag: str = ""
) -> str:
    """Set a campaign up from a template: tasks, checklist, budget lines, UTM plan, content briefs, all or nothing.

    The processes that begin with the work on a campaign are started too, as `begin_work` does.

    Args:
        campaign: it is planned, and was not set up from a template before.
        by: who does it; must be allowed to do each of these things.
        version: in force.
        landing_url: where the planned links lead; needed where the template has any.
        campaign_tag: of all its links.

    Raises:
        InvalidInput: the template plans links or money, and what they need is missing.
        NotAllowed, WrongState: as `refuse_set_up` says.
    """
    with transaction.atomic(), acting_as(by, reason=f"Set up from {version}"[:500]):
        row = locked(campaign)
        raise_refusal(by, row, refuse_set_up(by, row))
        if version.state != IN_FORCE:
            raise InvalidInput(f"{version} is {version.get_state_display().lower()}; choose what is in force.")
        contents = read(version)
        _refuse_what_lacks(row, contents, landing_url, campaign_tag)
        if contents.success_metrics and not row.success_metrics.strip():
            row.success_metrics = contents.success_metrics
            row.save(update_fields=["success_metrics"])
        made = {
            "tasks": _tasks(row, contents),
            "checklist lines": ensure_checklist(row, contents.checklist),
            "budget lines": _budget(row, contents, by),
            "links": _links(row, contents, by, landing_url, campaign_tag),
            "content briefs": _briefs(row, contents, by),
        }
        started = begin_work(row, by=by)
        TemplateUse.objects.create(campaign=row, version=version, at=clock.now(), by_label=by.get_username(), made=made)
    told = ", ".join(f"{number} {kind}" for kind, number in made.items() if number)
    return " ".join((f"{row} is set up from {version}: {told}.", *started))


def _refuse_what_lacks(row: Campaign, contents: Contents, landing_url: str, campaign_tag: str) -> None:
    if contents.links and not (landing_url.strip() and campaign_tag.strip()):
        raise InvalidInput("The template plans links: say where they lead, and the campaign tag they share.")
    needs_dates = contents.shares or any(each.days_before for each in contents.tasks)
    if needs_dates and (row.starts_on is None or row.ends_on is None):
        raise InvalidInput(f"{row} has no dates yet; tasks and money are planned by them. Give it some first.")
    if contents.shares and row.budget is None:
        raise InvalidInput(f"{row} has no budget yet; the template spreads it. Give it one first, 0 where none is.")
    if contents.shares and row.budget_entries.counting().filter(kind=Money.PLANNED).exists():
        raise InvalidInput(f"Money is planned for {row} already; take it back first, or use a template without money.")


def _tasks(row: Campaign, contents: Contents) -> int:
    had = set(row.tasks.filter(archived_at=None).values_list("title", flat=True))
    made = [
        CampaignTask(
            campaign=row,
            title=each.title,
            due_on=row.starts_on - dt.timedelta(days=each.days_before) if row.starts_on else None,
            assignee=row.owner_person,
        )
        for each in contents.tasks
        if each.title not in had
    ]
    CampaignTask.objects.bulk_create(made)
    return len(made)


def _budget(row: Campaign, contents: Contents, by: "User") -> int:
    if not contents.shares or not row.budget or row.starts_on is None or row.ends_on is None:
        return 0
    months = months_of(row.starts_on, row.ends_on)
    lines = spread(row.budget, contents.shares, months, decimals(row.currency))
    for channel, month, amount in lines:
        money.enter(row, by=by, kind=Money.PLANNED, channel=channel, month=month, amount=amount, note="By template")
    return len(lines)


def _links(row: Campaign, contents: Contents, by: "User", landing_url: str, campaign_tag: str) -> int:
    for each in contents.links:
        plan_link(
            row,
            by=by,
            note=each.note,
            landing_url=landing_url,
            campaign_tag=campaign_tag,
            source=each.source,
            medium=each.medium,
            content=each.content,
        )
    return len(contents.links)


def _briefs(row: Campaign, contents: Contents, by: "User") -> int:
    channel = row.main_channel if row.main_channel in ContentChannel.values else ContentChannel.WEB.value
    for each in contents.briefs:
        asset = ask_for_content(
            by=by,
            title=f"{row}: {each.title}"[:150],
            kind=each.kind,
            main_channel=channel,
            brief=each.brief,
            region=region_named(row.region),
            audience=row.audience[:200],
            product=row.product,
            due_on=row.starts_on,
        )
        link_content(asset, row, by=by)
    return len(contents.briefs)
