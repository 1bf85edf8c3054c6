"""What people are told, in the product and by mail, and whether it arrived."""

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    """The notifications application."""

    name = "apps.core.notifications"
    label = "notifications"
    verbose_name = "Notifications"
