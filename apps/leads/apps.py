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
        kinds.register_kind(handoff.OFFERED, "A lead is offered to me")
        kinds.register_kind(handoff.ANSWERED, "Sales answered for a lead I offered")
        register_audiences()
        utm_seen.register()
        register_chapter("segments", tell)
        register_chapter("touches and scores", tell_scoring)
        register_chapter("duplicates", tell_duplicates)
        register_chapter("subscriptions and usage", tell_usage)
        register_chapter("data quality", tell_quality)


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
