"""What needs somebody's attention: one alert per cause until it is resolved."""

from django.apps import AppConfig


class AlertsConfig(AppConfig):
    """The alerts application."""

    name = "apps.core.alerts"
    label = "alerts"
    verbose_name = "Alerts"

    def ready(self) -> None:
        """Make the kinds of notification known that tell of alerts, and put the open ones on the home page."""
        from apps.core.access import register_scope  # noqa: PLC0415
        from apps.core.admin_kit.site import Panel, register_panel  # noqa: PLC0415  # apps must be ready
        from apps.core.alerts.models import Alert  # noqa: PLC0415
        from apps.core.alerts.panels import attention_panel  # noqa: PLC0415
        from apps.core.alerts.permissions import about_what_is_seen  # noqa: PLC0415
        from apps.core.notifications.enums import Importance, Reach  # noqa: PLC0415
        from apps.core.notifications.kinds import register_kind  # noqa: PLC0415

        register_scope(Alert, about_what_is_seen)
        register_kind(
            "alert.critical",
            "Something is broken now",
            importance=Importance.URGENT,
            mandatory=True,
            default=Reach.MAIL,
        )
        register_kind("alert.warning", "Something needs attention soon", importance=Importance.HIGH)
        register_kind("alert.info", "Something worth knowing", importance=Importance.LOW, default=Reach.IN_APP)
        register_panel(Panel("attention", 10, "admin/mops/panel_attention.html", attention_panel))
