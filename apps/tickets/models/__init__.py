"""Tickets: the catalogue they are asked from, the tickets, and what was said and done about them."""

from apps.tickets.models.after import FollowUp, Survey
from apps.tickets.models.catalogue import FormVersion, Queue, ReplyTemplate, TicketType
from apps.tickets.models.conversation import Message, TicketEvent, TimeEntry
from apps.tickets.models.imported import ImportedChange, ImportedIncident
from apps.tickets.models.knowledge import Article, ArticleRead, ArticleText, ArticleVote
from apps.tickets.models.mail import Mailbox, MailboxState, ReceivedMail, SentMail
from apps.tickets.models.problem import Problem
from apps.tickets.models.routing import DeskProfile, RoutingCursor, RoutingDecision, Skill
from apps.tickets.models.service import Agreement
from apps.tickets.models.templates import TemplateVersion
from apps.tickets.models.ticket import ChecklistItem, Ticket, TicketLink, TicketRecord
from apps.tickets.models.times import TicketTimes

__all__ = [
    "Agreement",
    "Article",
    "ArticleRead",
    "ArticleText",
    "ArticleVote",
    "ChecklistItem",
    "DeskProfile",
    "FollowUp",
    "FormVersion",
    "ImportedChange",
    "ImportedIncident",
    "Mailbox",
    "MailboxState",
    "Message",
    "Problem",
    "Queue",
    "ReceivedMail",
    "ReplyTemplate",
    "RoutingCursor",
    "RoutingDecision",
    "SentMail",
    "Skill",
    "Survey",
    "TemplateVersion",
    "Ticket",
    "TicketEvent",
    "TicketLink",
    "TicketRecord",
    "TicketTimes",
    "TicketType",
    "TimeEntry",
]
