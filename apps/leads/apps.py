"""Leads: captured, kept apart, handed on."""

from django.apps import AppConfig


class LeadsConfig(AppConfig):
    """The leads application."""

    name = "apps.leads"
    label = "leads"
    verbose_name = "Leads"
