"""The pages of tickets."""

from apps.tickets.admin import agreements, catalogue, incidents, tickets

__all__ = ["agreements", "catalogue", "incidents", "tickets"]
