"""Leads, from capture to sales."""

from django.apps import AppConfig


class LeadsConfig(AppConfig):
    """The leads application."""

    name = "apps.leads"
    label = "leads"
    verbose_name = "Leads"

    def ready(self) -> None:
        """Register what leads have for others: who sees them, imports, rules, kinds of news, chapters of the demo."""
        from apps.leads import (  # noqa: F401, PLC0415  # registers on import; models must be ready
            client_rules,
            imports,
            quality_rules,
            stage_imports,
            touch_imports,
            usage_imports,
            utm_seen,
        )
        from apps.leads.audiences import register as register_audiences  # noqa: PLC0415
        from apps.leads.segments import register as register_segments  # noqa: PLC0415

        _register_sight()
        _register_catalogs()
        register_segments()
        quality_rules.register()
        client_rules.register()
        _register_scoring()
        _register_routing()
        _register_sales()
        register_audiences()
        utm_seen.register()
        _register_demo()
        _follow_archiving()


def _register_sight() -> None:
    """Show sales people their own leads only, and what hangs on a lead to whoever sees it."""
    from apps.core.access import register_scope, register_territory  # noqa: PLC0415  # models must be ready
    from apps.leads import models  # noqa: PLC0415
    from apps.leads.permissions import by_both, by_handoff, by_lead, visible_leads  # noqa: PLC0415

    register_scope(models.Lead, visible_leads)
    register_territory(models.Lead, "territory")
    register_territory(models.Company, "territory")
    for model in (
        models.Consent,
        models.FieldValue,
        models.Identity,
        models.Intake,
        models.LeadScore,
        models.Opportunity,
        models.Prediction,
        models.RoutingDecision,
        models.SalesContact,
        models.ScoreChange,
        models.ScoreOverride,
        models.StageInterval,
        models.Touchpoint,
    ):
        register_scope(model, by_lead)
    register_scope(models.Handoff, by_handoff)
    register_scope(models.DuplicatePair, by_both("one", "two"))
    register_scope(models.Merge, by_both("survivor", "loser"))


def _follow_archiving() -> None:
    """End what waits for a lead when it is archived."""
    from apps.core.admin_kit.archive import follow_archiving  # noqa: PLC0415  # models must be ready
    from apps.leads.domain.leaving import leave  # noqa: PLC0415
    from apps.leads.models import Lead  # noqa: PLC0415

    follow_archiving(Lead, leave)


def _register_catalogs() -> None:
    """Let rules ask about leads and touches, erase who was merged with whom is erased, and tell of handoffs."""
    from apps.core.notifications import kinds  # noqa: PLC0415  # models must be ready
    from apps.core.personal import register_traces  # noqa: PLC0415
    from apps.core.rules.catalog import register_catalog  # noqa: PLC0415
    from apps.leads.catalog import lead_catalog, touch_catalog  # noqa: PLC0415
    from apps.leads.client_rules import client_catalog  # noqa: PLC0415
    from apps.leads.domain import handoff  # noqa: PLC0415
    from apps.leads.domain.duplicates.erasing import erase_merged  # noqa: PLC0415
    from apps.leads.models import Client, Lead, Touchpoint  # noqa: PLC0415

    register_traces("merged leads", erase_merged)
    register_catalog(Lead, lead_catalog)
    register_catalog(Touchpoint, touch_catalog)
    register_catalog(Client, client_catalog)
    kinds.register_kind(handoff.OFFERED, "A lead is offered to me")
    kinds.register_kind(handoff.ANSWERED, "Sales answered for a lead I offered")


def _register_demo() -> None:
    """Tell the demo's chapters in their order: who judges scores needs the rules that made them."""
    from apps.core.demo import register_chapter  # noqa: PLC0415  # models must be ready
    from apps.leads.demo import (  # noqa: PLC0415
        clients,
        duplicates,
        judging,
        quality,
        routing,
        sales,
        scoring,
        segments,
        usage,
    )

    register_chapter("routing of leads", routing.tell)
    register_chapter("sales", sales.tell)
    register_chapter("segments", segments.tell)
    register_chapter("touches and scores", scoring.tell)
    register_chapter("duplicates", duplicates.tell)
    register_chapter("subscriptions and usage", usage.tell_usage)
    register_chapter("client health", clients.tell)
    register_chapter("data quality", quality.tell)
    register_chapter("how good scores are", judging.tell)


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
    from apps.core.notifications import kinds  # noqa: PLC0415
    from apps.core.rules.kinds import RuleKind, register_kind  # noqa: PLC0415
    from apps.leads import routing_rules  # noqa: PLC0415
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


def _register_sales() -> None:
    """Let leads be answered in time by signed SLAs, and who answers for rules hear of their reviews."""
    from apps.accounts.domain.ownership import register_ownership  # noqa: PLC0415  # models must be ready
    from apps.approvals.domain import signing  # noqa: PLC0415
    from apps.approvals.registry import ApprovalSubject, register  # noqa: PLC0415
    from apps.core.admin_kit.site import Panel, register_panel  # noqa: PLC0415
    from apps.core.clocks.registry import register_metric  # noqa: PLC0415
    from apps.core.notifications import kinds  # noqa: PLC0415
    from apps.core.notifications.enums import Importance  # noqa: PLC0415
    from apps.leads.admin.home import my_leads_panel  # noqa: PLC0415
    from apps.leads.domain import sla, sla_signing  # noqa: PLC0415
    from apps.leads.domain.scoring import reviewing  # noqa: PLC0415
    from apps.leads.models import LeadSla  # noqa: PLC0415
    from apps.leads.models.sla import SLA_MATERIAL  # noqa: PLC0415

    register_panel(Panel("my-leads", 12, "admin/leads/my_leads_panel.html", my_leads_panel))
    for metric in sla.metrics():
        register_metric(metric)
    register(
        LeadSla,
        ApprovalSubject(
            material=SLA_MATERIAL,
            apply=sla_signing.sign,
            on_refused=signing.return_to_draft,
            owner_fields=sla_signing.SIGNATORIES,
            policy=sla_signing.both_sides,
        ),
    )
    for side in sla_signing.SIGNATORIES:
        register_ownership(LeadSla, side, "signatory", still_matters=lambda rows: rows.filter(state="draft"))
    kinds.register_kind(sla.LATE, "A lead of mine waits for an answer", importance=Importance.HIGH)
    kinds.register_kind(reviewing.OPENED, "The monthly review of my rules of scoring is open")
