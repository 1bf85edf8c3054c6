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
        from apps.campaigns import checks, pack_part  # noqa: PLC0415  # models must be ready
        from apps.campaigns.domain import approval, launch, queries  # noqa: PLC0415
        from apps.campaigns.models import MATERIAL, Campaign  # noqa: PLC0415
        from apps.core.overdue import register_overdue  # noqa: PLC0415
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
        register_occasion(launch.LAUNCHED, "A campaign is launched")
        register_overdue(queries.overdue_campaigns)
