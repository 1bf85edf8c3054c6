"""Decisions: who must say yes to which exact version."""

from django.apps import AppConfig


class ApprovalsConfig(AppConfig):
    """The approvals application."""

    name = "apps.approvals"
    label = "approvals"
    verbose_name = "Approvals"
