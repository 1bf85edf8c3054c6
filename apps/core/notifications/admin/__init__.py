"""The pages of notifications: the inbox and its preferences, the mail log, and mail that stays in the product."""

from apps.core.notifications.admin import inbox, mail

__all__ = ["inbox", "mail"]
