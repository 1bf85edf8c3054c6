"""What people are told, in the product and by mail, and whether it arrived."""

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    """The notifications application."""

    name = "apps.core.notifications"
    label = "notifications"
    verbose_name = "Notifications"

    def ready(self) -> None:
        """Narrow who sees what, and put the unread on the home page."""
        from apps.core.admin_kit.site import Panel, register_panel  # noqa: PLC0415  # apps must be ready
        from apps.core.notifications import scopes  # noqa: PLC0415
        from apps.core.notifications.panels import unread_panel  # noqa: PLC0415

        scopes.register()
        register_panel(Panel("notifications", 30, "admin/mops/panel_notifications.html", unread_panel))
