"""The ledger of every change, and the desk auditors work at."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """The audit application."""

    name = "apps.audit"
    label = "audit"
    verbose_name = "Audit"

    def ready(self) -> None:
        """Make the kind of notification known that auditors get."""
        from apps.core.notifications.enums import Importance  # noqa: PLC0415  # apps must be ready
        from apps.core.notifications.kinds import register_kind  # noqa: PLC0415

        register_kind(
            "audit.unattributed", "Records were changed by nobody", importance=Importance.URGENT, mandatory=True
        )
