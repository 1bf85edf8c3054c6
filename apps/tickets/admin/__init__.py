"""The pages of tickets."""

from apps.tickets.admin import catalogue, tickets

__all__ = ["catalogue", "tickets"]
