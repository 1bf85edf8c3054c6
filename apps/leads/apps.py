"""Leads, from capture to sales."""

from django.apps import AppConfig


class LeadsConfig(AppConfig):
    """The leads application."""

    name = "apps.leads"
    label = "leads"
    verbose_name = "Leads"

    def ready(self) -> None:
        """Show sales people their own leads only, offer the import, and let rules ask about leads."""
        from apps.core.access import register_scope  # noqa: PLC0415  # models must be ready
        from apps.core.demo import register_chapter  # noqa: PLC0415
        from apps.core.rules.catalog import register_catalog  # noqa: PLC0415
        from apps.leads import imports  # noqa: F401, PLC0415  # registers on import
        from apps.leads.catalog import lead_catalog  # noqa: PLC0415
        from apps.leads.demo.segments import tell  # noqa: PLC0415
        from apps.leads.models import Lead  # noqa: PLC0415
        from apps.leads.permissions import visible_leads  # noqa: PLC0415
        from apps.leads.segments import register as register_segments  # noqa: PLC0415

        register_scope(Lead, visible_leads)
        register_catalog(Lead, lead_catalog)
        register_segments()
        register_chapter("segments", tell)
