"""Campaigns from plan to closure."""

from typing import Any

from django.apps import AppConfig


class CampaignsConfig(AppConfig):
    """The campaigns application."""

    name = "apps.campaigns"
    label = "campaigns"
    verbose_name = "Campaigns"

    def ready(self) -> None:
        """Let campaigns be approved, and put late ones among what is overdue."""
        from apps.campaigns import (  # noqa: PLC0415  # models must be ready
            checks,
            imports,  # noqa: F401  # registers on import
            legal,
            pack_part,
        )
        from apps.campaigns.demo import tell  # noqa: PLC0415
        from apps.campaigns.demo_setup import tell as tell_set_up  # noqa: PLC0415
        from apps.campaigns.domain import (  # noqa: PLC0415
            feed,
            intake,
            launch,
            queries,
            utm_drift,
            working,
        )
        from apps.campaigns.models import Campaign, CampaignRequest, UtmLink  # noqa: PLC0415
        from apps.core.access import register_territory  # noqa: PLC0415
        from apps.core.demo import register_chapter  # noqa: PLC0415
        from apps.core.notifications.kinds import register_kind  # noqa: PLC0415
        from apps.core.overdue import register_overdue  # noqa: PLC0415
        from apps.core.rules.catalog import register_catalog  # noqa: PLC0415
        from apps.processes.domain.triggers import register_occasion  # noqa: PLC0415

        register_territory(Campaign, "region")
        register_territory(CampaignRequest, "region")
        _let_plans_be_approved()
        checks.register()
        legal.register()
        register_catalog(Campaign, legal.campaign_catalog)
        pack_part.register()
        _let_templates_be_approved()
        register_occasion(launch.LAUNCHED, "A campaign is launched")
        register_occasion(working.BEGUN, "Work on a campaign begins")
        launch.register_conditions()
        register_chapter("campaign requests and money", tell)
        register_chapter("campaign templates", tell_set_up)
        register_overdue(queries.overdue_campaigns)
        _name_names(Campaign, UtmLink)
        _name_people()
        utm_drift.register()
        feed.register()
        register_kind(intake.TOLD, "What became of a campaign I asked for")


def _name_names(campaign: Any, link: Any) -> None:
    """Let naming rules check what campaigns and their tags are called."""
    from apps.campaigns.models.utm import PARAMETER  # noqa: PLC0415  # models must be ready
    from apps.technology.domain.name_trials import register_names  # noqa: PLC0415

    register_names("campaigns", "Campaigns", campaign, "name")
    for field, key in PARAMETER.items():
        register_names(key, f"Links: {key}", link, field)


def _let_templates_be_approved() -> None:
    """Approval puts a version of a template in force."""
    from apps.approvals.domain import drafts  # noqa: PLC0415
    from apps.approvals.registry import ApprovalSubject, register  # noqa: PLC0415  # models must be ready
    from apps.campaigns.domain import templates  # noqa: PLC0415
    from apps.campaigns.models import CampaignTemplateVersion  # noqa: PLC0415
    from apps.campaigns.models.template import TEMPLATE_MATERIAL  # noqa: PLC0415

    register(
        CampaignTemplateVersion,
        ApprovalSubject(
            material=TEMPLATE_MATERIAL,
            apply=templates.put_in_force,
            on_refused=drafts.back_to_draft,
            before=templates.in_force_before,
        ),
    )


def _name_people() -> None:
    """Say who answers for tasks, so that whoever leaves hands them over."""
    from apps.accounts.domain.ownership import register_ownership  # noqa: PLC0415  # models must be ready
    from apps.campaigns.models import CampaignTask  # noqa: PLC0415

    register_ownership(
        CampaignTask, "assignee", "person to carry out", still_matters=lambda rows: rows.filter(done_at__isnull=True)
    )


def _let_plans_be_approved() -> None:
    """Approval makes a campaign ready to be launched, and moves the money of a shift."""
    from apps.approvals.registry import ApprovalSubject, register  # noqa: PLC0415  # models must be ready
    from apps.campaigns import checks  # noqa: PLC0415  # models must be ready
    from apps.campaigns.domain import approval, shifting  # noqa: PLC0415
    from apps.campaigns.models import MATERIAL, BudgetShift, Campaign  # noqa: PLC0415
    from apps.core.rules.predicates import Field, Number  # noqa: PLC0415

    register(
        Campaign,
        ApprovalSubject(
            material=MATERIAL,
            apply=approval.carry_out_approval,
            on_refused=approval.return_to_planning,
            facts=approval.facts_to_decide_on,
            fact_fields=approval.fact_fields(),
            owner_fields=("owner_person", "backup_person"),
            cost_impact=approval.cost_impact,
            checks=checks.PRECONDITIONS,
        ),
    )
    register(
        BudgetShift,
        ApprovalSubject(
            material=shifting.MATERIAL,
            apply=shifting.carry_out,
            on_refused=shifting.bring_back,
            markdown=("reason", "evidence"),
            facts=shifting.facts,
            fact_fields=(Field("amount", "Amount", Number(), help="What is moved, in the campaign's currency."),),
            cost_impact=shifting.cost_impact,
        ),
    )
