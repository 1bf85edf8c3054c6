"""How long tickets took, kept beside them so that figures over years need not count it again."""

from django.db import models

from apps.core.calendars.models import BusinessCalendar
from apps.tickets.models.ticket import Ticket


class TicketTimes(models.Model):
    """The working time to the first answer and to the solution of one ticket, in seconds.

    Not a governed row: worked out from clocks and calendar, and to be thrown away at any time. It counts only while
    its moments are the ticket's and its calendar is the default; whatever is missing or out of date is counted anew.
    Versions of one calendar agree on all that has passed: a new one begins tomorrow at the earliest.
    """

    ticket = models.OneToOneField(Ticket, models.CASCADE, primary_key=True, related_name="times", editable=False)
    first_response_at = models.DateTimeField(null=True, editable=False)
    first_response = models.FloatField(null=True, editable=False)
    resolved_at = models.DateTimeField(null=True, editable=False)
    resolution = models.FloatField(null=True, editable=False)
    calendar = models.ForeignKey(
        BusinessCalendar,
        models.CASCADE,
        null=True,
        related_name="+",
        editable=False,
        help_text="The default calendar it was counted in; empty where clocks alone told it.",
    )

    class Meta:
        verbose_name = verbose_name_plural = "times of a ticket"

    def __str__(self) -> str:
        return f"Times of ticket {self.ticket_id}"
