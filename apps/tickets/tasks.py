"""The jobs of tickets."""

from apps.core import clock
from apps.core.jobs.api import Overlap, Run, job
from apps.tickets.domain import closing, follow_ups, kept_times, surveys
from apps.tickets.domain.mail.answering import give_up_stuck, send_due
from apps.tickets.domain.mail.fetching import fetch
from apps.tickets.domain.trends import watch_trends
from apps.tickets.models import Mailbox, Ticket


@job("tickets.fetch_mail", title="Fetch mail", timeout=300, overlap=Overlap.FORBID)
def fetch_mail(run: Run, *, mailbox_id: int = 0) -> dict[str, int]:
    """Fetch one mailbox, or all of them; one that cannot be reached holds up no other."""
    boxes = Mailbox.objects.live().filter(is_active=True).select_related("queue", "runs_as")
    counts: dict[str, int] = {}
    for box in boxes.filter(pk=mailbox_id) if mailbox_id else boxes:
        for outcome, number in fetch(box, tick=run.raise_if_cancelled).items():
            counts[outcome] = counts.get(outcome, 0) + number
    return counts


@job("tickets.send_answers", title="Send answers by mail", timeout=120)
def send_answers(run: Run) -> dict[str, int]:
    """Send the answers that are due by mail."""
    return {**send_due(), "given_up": give_up_stuck()}


@job("tickets.watch_trends", title="Watch what tickets grow", timeout=300)
def watch(run: Run) -> dict[str, int]:
    """Raise alerts for what comes more often than usual, and end those of what no longer does."""
    return watch_trends()


@job("tickets.after_resolution", title="Ask how it was, and plan to look again", timeout=60)
def after_resolution(run: Run, ticket_id: int) -> dict[str, int]:
    """Plan what the queue wants, and send the question to the requester; both once a round."""
    ticket = Ticket.objects.get(pk=ticket_id)
    follow_ups.plan_after_resolution(ticket)
    return {"asked": int(surveys.ask(ticket) is not None)}


@job("tickets.remind_of_surveys", title="Ask once more how it was", timeout=300)
def remind_of_surveys(run: Run) -> dict[str, int]:
    """Remind, once, whoever has not answered for days."""
    reminded = 0
    for key in surveys.to_remind(clock.now()):
        run.raise_if_cancelled()
        reminded += surveys.remind(key)
    return {"reminded": reminded}


@job("tickets.close_quiet", title="Close resolved tickets nobody came back to", timeout=300)
def close_quiet(run: Run) -> dict[str, int]:
    """Close each whose days are over."""
    closed = 0
    for key in closing.to_close(clock.now()):
        run.raise_if_cancelled()
        closed += closing.close_quiet(key)
    return {"closed": closed}


@job("tickets.keep_times", title="Keep how long tickets took", timeout=600, overlap=Overlap.FORBID)
def keep_times(run: Run) -> dict[str, int]:
    """Keep the working times of what was answered and resolved since, for the figures."""
    return kept_times.keep_times()


@job("tickets.check_times", title="Work out again how long tickets took", timeout=600, overlap=Overlap.FORBID)
def check_times(run: Run) -> dict[str, int]:
    """Hold every kept time against its clock and the calendar; mend and tell what differs."""
    return kept_times.check_times()
