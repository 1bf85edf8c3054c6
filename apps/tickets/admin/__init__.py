"""The pages of tickets."""

from apps.tickets.admin import agreements, catalogue, tickets

__all__ = ["agreements", "catalogue", "tickets"]
