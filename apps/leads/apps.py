"""Leads, from capture to sales."""

from django.apps import AppConfig


class LeadsConfig(AppConfig):
    """The leads application."""

    name = "apps.leads"
    label = "leads"
    verbose_name = "Leads"

    def ready(self) -> None:
        """Show sales people their own leads only, and offer the import."""
        from apps.core.access import register_scope  # noqa: PLC0415  # models must be ready
        from apps.leads import imports  # noqa: F401, PLC0415  # registers on import
        from apps.leads.models import Lead  # noqa: PLC0415
        from apps.leads.permissions import visible_leads  # noqa: PLC0415

        register_scope(Lead, visible_leads)
