"""Tickets: requests for help, worked under agreed targets."""

from django.apps import AppConfig


class TicketsConfig(AppConfig):
    """The tickets application."""

    name = "apps.tickets"
    label = "tickets"
    verbose_name = "Tickets"
