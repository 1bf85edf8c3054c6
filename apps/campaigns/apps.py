"""Campaigns from plan to closure."""

from django.apps import AppConfig


class CampaignsConfig(AppConfig):
    """The campaigns application."""

    name = "apps.campaigns"
    label = "campaigns"
    verbose_name = "Campaigns"

    def ready(self) -> None:
        """Let campaigns be approved, and put late ones among what is overdue."""
        from apps.approvals.registry import ApprovalSubject, register  # noqa: PLC0415  # models must be ready
        from apps.campaigns import (  # noqa: PLC0415  # models must be ready
            checks,
            imports,  # noqa: F401  # registers on import
            pack_part,
        )
        from apps.campaigns.demo import tell  # noqa: PLC0415
        from apps.campaigns.domain import approval, intake, launch, queries, shifting, working  # noqa: PLC0415
        from apps.campaigns.models import MATERIAL, BudgetShift, Campaign  # noqa: PLC0415
        from apps.core.demo import register_chapter  # noqa: PLC0415
        from apps.core.notifications.kinds import register_kind  # noqa: PLC0415
        from apps.core.overdue import register_overdue  # noqa: PLC0415
        from apps.core.rules.predicates import Field, Number  # noqa: PLC0415
        from apps.processes.domain.triggers import register_occasion  # noqa: PLC0415

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
        checks.register()
        pack_part.register()
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
        register_occasion(launch.LAUNCHED, "A campaign is launched")
        register_occasion(working.BEGUN, "Work on a campaign begins")
        launch.register_conditions()
        register_chapter("campaign requests and money", tell)
        register_overdue(queries.overdue_campaigns)
        register_kind(intake.TOLD, "What became of a campaign I asked for")
