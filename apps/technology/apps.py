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
        from apps.technology import imports, measures, money_imports, pack_part, use_imports  # noqa: F401, PLC0415  # register on import
        from apps.technology.domain import feeds  # noqa: PLC0415  # models must be ready

        feeds.register()
        measures.register()
        pack_part.register()
        _name_posts()
        _tell_what_is_late()
        _narrow_rows()
        _name_what_others_ask()
        _let_be_approved()


def _name_posts() -> None:
    """Who answers for what, so that nothing is left behind by somebody who leaves."""
    from apps.accounts.domain.ownership import register_ownership  # noqa: PLC0415  # models must be ready
    from apps.technology.domain import evaluating  # noqa: PLC0415
    from apps.technology.models import Evaluation, OwnerDuty, ReclaimTask, ReviewAction, Tool  # noqa: PLC0415

    in_use, kept = (lambda rows: rows.exclude(lifecycle="retired")), (lambda rows: rows.filter(archived_at=None))
    register_ownership(Tool, "technical_owner", "technical owner", still_matters=in_use)
    register_ownership(ReclaimTask, "assignee", "person to reclaim", still_matters=_open)
    register_ownership(ReviewAction, "owner", "person to carry out", still_matters=_open)
    register_ownership(Evaluation, "lead", "lead of the evaluation", still_matters=evaluating.still_open)
    register_ownership(OwnerDuty, "person", "person of the duty", still_matters=kept)


def _tell_what_is_late() -> None:
    """What is overdue, and what people are told of."""
    from apps.core.notifications.kinds import register_kind  # noqa: PLC0415
    from apps.core.overdue import register_overdue  # noqa: PLC0415
    from apps.technology.domain import (  # noqa: PLC0415
        duties,
        evaluating,
        integrations,
        queries,
        renewals,
        reviews,
        seats,
    )

    for source in (
        queries.tools_without_backup,
        seats.overdue_reclaims,
        renewals.overdue_renewals,
        reviews.overdue_actions,
        integrations.troubled_integrations,
        duties.overdue_duties,
    ):
        register_overdue(source)
    register_kind(duties.DUTY_KIND, "A duty towards a tool I answer for is due")
    register_kind(evaluating.SCORING_KIND, "Somebody asks me to score candidates for a tool")
    register_kind(seats.RECLAIM_KIND, "Seats nobody uses on tools I run")


def _narrow_rows() -> None:
    """Which rows of a kind a person sees."""
    from apps.core.access import register_own, register_scope  # noqa: PLC0415
    from apps.technology.domain import scoring  # noqa: PLC0415
    from apps.technology.models import CalendarFeed, Score  # noqa: PLC0415

    register_own(CalendarFeed, lambda user, rows: rows.filter(person=user))
    register_scope(Score, scoring.seen_scores)


def _name_what_others_ask() -> None:
    """Names that rules judge, and what still needs a tool that is to be retired."""
    from apps.technology.domain import integrations, name_trials, retirement, seats  # noqa: PLC0415
    from apps.technology.models import Integration, Tool  # noqa: PLC0415

    name_trials.register_names("tools", "Tools", Tool, "name")
    name_trials.register_names("integrations", "Integrations", Integration, "name")
    for claim in (seats.live_seats, integrations.live_flows, integrations.live_records):
        retirement.register_claim(claim)


def _let_be_approved() -> None:
    """What needs approval, and what approving it does."""
    from apps.approvals.registry import ApprovalSubject, register  # noqa: PLC0415
    from apps.technology.domain import cases, dictionary, renewals  # noqa: PLC0415
    from apps.technology.domain.case_states import bring_back  # noqa: PLC0415
    from apps.technology.models import DataDefinition, RenewalDecision, ToolRequest, Waiver  # noqa: PLC0415

    definition = ApprovalSubject(
        material=dictionary.MATERIAL, apply=dictionary.approve_definition, on_refused=bring_back, markdown=("text",)
    )
    decision = ApprovalSubject(
        material=renewals.MATERIAL, apply=renewals.carry_out, on_refused=bring_back, markdown=("reason",)
    )
    request = ApprovalSubject(
        material=cases.REQUEST_MATERIAL,
        apply=cases.approve_request,
        on_refused=bring_back,
        markdown=("business_case", "integration_assessment"),
        facts=cases.request_facts,
        fact_fields=cases.request_fact_fields(),
        cost_impact=cases.request_cost,
        policy=cases.request_policy,
    )
    waiver = ApprovalSubject(material=cases.WAIVER_MATERIAL, apply=cases.approve_waiver, on_refused=bring_back)
    for model, subject in (
        (DataDefinition, definition),
        (RenewalDecision, decision),
        (ToolRequest, request),
        (Waiver, waiver),
    ):
        register(model, subject)
