"""The pages of tickets."""

from apps.tickets.admin import (
    after,
    agreements,
    catalogue,
    incidents,
    knowledge,
    mail,
    people,
    problems,
    templates,
    tickets,
)

__all__ = [
    "after",
    "agreements",
    "catalogue",
    "incidents",
    "knowledge",
    "mail",
    "people",
    "problems",
    "templates",
    "tickets",
]
