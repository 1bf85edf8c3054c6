"""Leads, from capture to sales."""

from django.apps import AppConfig


class LeadsConfig(AppConfig):
    """The leads application."""

    name = "apps.leads"
    label = "leads"
    verbose_name = "Leads"

    def ready(self) -> None:
        """Show sales people their own leads only, offer the import, and let rules ask about leads."""
        from apps.core.access import register_scope, register_territory  # noqa: PLC0415  # models must be ready
        from apps.core.demo import register_chapter  # noqa: PLC0415
        from apps.core.notifications import kinds  # noqa: PLC0415
        from apps.core.personal import register_traces  # noqa: PLC0415
        from apps.core.rules.catalog import register_catalog  # noqa: PLC0415
        from apps.leads import (  # noqa: F401, PLC0415  # registers on import
            imports,
            quality_rules,
            touch_imports,
            usage_imports,
            utm_seen,
        )
        from apps.leads.audiences import register as register_audiences  # noqa: PLC0415
        from apps.leads.catalog import lead_catalog, touch_catalog  # noqa: PLC0415
        from apps.leads.demo.duplicates import tell as tell_duplicates  # noqa: PLC0415
        from apps.leads.demo.judging import tell as tell_judging  # noqa: PLC0415
        from apps.leads.demo.quality import tell as tell_quality  # noqa: PLC0415
        from apps.leads.demo.scoring import tell as tell_scoring  # noqa: PLC0415
        from apps.leads.demo.segments import tell  # noqa: PLC0415
        from apps.leads.demo.usage import tell_usage  # noqa: PLC0415
        from apps.leads.domain import handoff  # noqa: PLC0415
        from apps.leads.domain.duplicates.erasing import erase_merged  # noqa: PLC0415
        from apps.leads.models import (  # noqa: PLC0415
            Company,
            Consent,
            DuplicatePair,
            FieldValue,
            Handoff,
            Identity,
            Intake,
            Lead,
            LeadScore,
            Merge,
            RoutingDecision,
            ScoreChange,
            ScoreOverride,
            StageInterval,
            Touchpoint,
        )
        from apps.leads.permissions import by_both, by_lead, visible_leads  # noqa: PLC0415
        from apps.leads.segments import register as register_segments  # noqa: PLC0415

        register_scope(Lead, visible_leads)
        register_territory(Lead, "territory")
        register_territory(Company, "territory")
        for model in (
            Consent,
            FieldValue,
            Handoff,
            Identity,
            Intake,
            LeadScore,
            RoutingDecision,
            ScoreChange,
            ScoreOverride,
            StageInterval,
            Touchpoint,
        ):
            register_scope(model, by_lead)
        register_scope(DuplicatePair, by_both("one", "two"))
        register_scope(Merge, by_both("survivor", "loser"))
        register_traces("merged leads", erase_merged)
        register_catalog(Lead, lead_catalog)
        register_catalog(Touchpoint, touch_catalog)
        register_segments()
        quality_rules.register()
        _register_scoring()
        _register_routing()
        _register_sales()
        kinds.register_kind(handoff.OFFERED, "A lead is offered to me")
        kinds.register_kind(handoff.ANSWERED, "Sales answered for a lead I offered")
        register_audiences()
        utm_seen.register()
        register_chapter("segments", tell)
        register_chapter("touches and scores", tell_scoring)
        register_chapter("duplicates", tell_duplicates)
        register_chapter("subscriptions and usage", tell_usage)
        register_chapter("data quality", tell_quality)
        register_chapter("how good scores are", tell_judging)


def _register_scoring() -> None:
    """Let rules score leads."""
    from apps.core.rules.kinds import RuleKind, register_kind  # noqa: PLC0415  # models must be ready
    from apps.leads import scoring_rules  # noqa: PLC0415
    from apps.leads.domain.scoring import rehearsal  # noqa: PLC0415

    register_kind(
        RuleKind(
            key=scoring_rules.KIND,
            title="Lead scoring",
            body=scoring_rules.BODY,
            simulate=rehearsal.simulate,
            on_activate=rehearsal.on_activate,
            in_background=True,
            help="Points for who a lead is and what it does, with caps, fading and a threshold. Only the document "
            f"“{scoring_rules.DOCUMENT}” decides; its first draft starts from a whole point model.",
        )
    )


def _register_routing() -> None:
    """Let rules route leads, and people hand over what they were given."""
    from apps.accounts.domain.ownership import register_ownership  # noqa: PLC0415  # models must be ready
    from apps.core.demo import register_chapter  # noqa: PLC0415
    from apps.core.notifications import kinds  # noqa: PLC0415
    from apps.core.rules.kinds import RuleKind, register_kind  # noqa: PLC0415
    from apps.leads import routing_rules  # noqa: PLC0415
    from apps.leads.demo.routing import tell as tell_routing  # noqa: PLC0415
    from apps.leads.domain.routing import rehearsal, routing  # noqa: PLC0415
    from apps.leads.models import Company, PoolMember  # noqa: PLC0415

    register_kind(
        RuleKind(
            key=routing_rules.KIND,
            title="Lead routing",
            body=routing_rules.BODY,
            simulate=rehearsal.simulate,
            help="Who gets a lead: read from the top, the first rule that fits decides. Only the document "
            f"“{routing_rules.DOCUMENT}” does; what no rule takes goes to the fallback queue.",
        )
    )
    kinds.register_kind(routing.GIVEN, "Leads were given to me")
    register_ownership(Company, "account_manager", "account manager")
    register_ownership(PoolMember, "person", "member of a pool")
    register_chapter("routing of leads", tell_routing)


def _register_sales() -> None:
    """Let leads be answered in time, and opportunities be seen by whoever sees their lead."""
    from apps.accounts.domain.ownership import register_ownership  # noqa: PLC0415  # models must be ready
    from apps.approvals.registry import ApprovalSubject, register  # noqa: PLC0415
    from apps.core.access import register_scope  # noqa: PLC0415
    from apps.core.clocks.registry import register_metric  # noqa: PLC0415
    from apps.core.demo import register_chapter  # noqa: PLC0415
    from apps.core.notifications import kinds  # noqa: PLC0415
    from apps.core.notifications.enums import Importance  # noqa: PLC0415
    from apps.leads.demo.sales import tell as tell_sales  # noqa: PLC0415
    from apps.leads.domain import sla, sla_signing  # noqa: PLC0415
    from apps.leads.domain.scoring import reviewing  # noqa: PLC0415
    from apps.leads.models import LeadSla, Opportunity, Prediction, SalesContact  # noqa: PLC0415
    from apps.leads.models.sla import SLA_MATERIAL  # noqa: PLC0415
    from apps.leads.permissions import by_lead  # noqa: PLC0415

    for metric in sla.metrics():
        register_metric(metric)
    register(
        LeadSla,
        ApprovalSubject(
            material=SLA_MATERIAL,
            apply=sla_signing.sign,
            on_refused=sla_signing.return_to_draft,
            owner_fields=sla_signing.SIGNATORIES,
            policy=sla_signing.both_sides,
        ),
    )
    for side in sla_signing.SIGNATORIES:
        register_ownership(LeadSla, side, "signatory", still_matters=lambda rows: rows.filter(state="draft"))
    kinds.register_kind(sla.LATE, "A lead of mine waits for an answer", importance=Importance.HIGH)
    kinds.register_kind(reviewing.OPENED, "The monthly review of my rules of scoring is open")
    for model in (Opportunity, Prediction, SalesContact):
        register_scope(model, by_lead)
    register_chapter("sales", tell_sales)
