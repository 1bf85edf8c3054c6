"""The ledger of every change, and the desk auditors work at."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """The audit application."""

    name = "apps.audit"
    label = "audit"
    verbose_name = "Audit"
