"""The pages of tickets."""

from apps.tickets.admin import (
    about_kit,
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
    "about_kit",
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
