"""The technology inventory."""

from typing import Any

from django.apps import AppConfig


def _open(rows: Any) -> Any:
    return rows.filter(state="open")


class TechnologyConfig(AppConfig):
    """The technology application."""

    name = "apps.technology"
    label = "technology"
    verbose_name = "Technology"

    def ready(self) -> None:
        """Offer the imports, let requests and waivers be approved, name who answers for what and what is overdue."""
        from apps.accounts.domain.ownership import register_ownership  # noqa: PLC0415  # models must be ready
        from apps.approvals.registry import ApprovalSubject, register  # noqa: PLC0415
        from apps.core.access import register_own, register_scope  # noqa: PLC0415
        from apps.core.notifications.kinds import register_kind  # noqa: PLC0415
        from apps.core.overdue import register_overdue  # noqa: PLC0415
        from apps.technology import imports, measures, money_imports, use_imports  # noqa: F401, PLC0415  # register on import
        from apps.technology.domain import (  # noqa: PLC0415
            cases,
            dictionary,
            duties,
            evaluating,
            integrations,
            name_trials,
            queries,
            renewals,
            retirement,
            reviews,
            scoring,
            seats,
        )
        from apps.technology.models import (  # noqa: PLC0415
            CalendarFeed,
            DataDefinition,
            Evaluation,
            Integration,
            OwnerDuty,
            ReclaimTask,
            RenewalDecision,
            ReviewAction,
            Score,
            Tool,
            ToolRequest,
            Waiver,
        )

        measures.register()
        register_ownership(
            Tool, "technical_owner", "technical owner", still_matters=lambda rows: rows.exclude(lifecycle="retired")
        )
        register_ownership(ReclaimTask, "assignee", "person to reclaim", still_matters=_open)
        register_ownership(ReviewAction, "owner", "person to carry out", still_matters=_open)
        for source in (
            queries.tools_without_backup,
            seats.overdue_reclaims,
            renewals.overdue_renewals,
            reviews.overdue_actions,
            integrations.troubled_integrations,
            duties.overdue_duties,
        ):
            register_overdue(source)
        register_own(CalendarFeed, lambda user, rows: rows.filter(person=user))
        register_scope(Score, scoring.seen_scores)
        register_ownership(Evaluation, "lead", "lead of the evaluation", still_matters=evaluating.still_open)
        register_ownership(
            OwnerDuty, "person", "person of the duty", still_matters=lambda rows: rows.filter(archived_at=None)
        )
        register_kind(duties.DUTY_KIND, "A duty towards a tool I answer for is due")
        name_trials.register_names("tools", "Tools", Tool, "name")
        name_trials.register_names("integrations", "Integrations", Integration, "name")
        register_kind(evaluating.SCORING_KIND, "Somebody asks me to score candidates for a tool")
        register_kind(seats.RECLAIM_KIND, "Seats nobody uses on tools I run")
        for claim in (seats.live_seats, integrations.live_flows, integrations.live_records):
            retirement.register_claim(claim)
        register(
            DataDefinition,
            ApprovalSubject(
                material=dictionary.MATERIAL,
                apply=dictionary.approve_definition,
                on_refused=dictionary.bring_back,
                markdown=("text",),
            ),
        )
        register(
            RenewalDecision,
            ApprovalSubject(
                material=renewals.MATERIAL,
                apply=renewals.carry_out,
                on_refused=renewals.bring_back,
                markdown=("reason",),
            ),
        )
        register(
            ToolRequest,
            ApprovalSubject(
                material=cases.REQUEST_MATERIAL,
                apply=cases.approve_request,
                on_refused=cases.refuse_case,
                markdown=("business_case", "integration_assessment"),
                facts=cases.request_facts,
                fact_fields=cases.request_fact_fields(),
                cost_impact=cases.request_cost,
                policy=cases.request_policy,
            ),
        )
        register(
            Waiver,
            ApprovalSubject(material=cases.WAIVER_MATERIAL, apply=cases.approve_waiver, on_refused=cases.refuse_case),
        )
