"""The pages of tickets."""

from apps.tickets.admin import agreements, catalogue, incidents, mail, problems, tickets

__all__ = ["agreements", "catalogue", "incidents", "mail", "problems", "tickets"]
