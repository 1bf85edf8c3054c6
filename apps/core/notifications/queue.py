"""Asks for the job that sends mail, once however many mails are queued."""

from apps.core.jobs.api import JobRun, RunState, enqueue

DELIVER = "notifications.deliver_mail"


def ask_to_deliver() -> None:
    """Queue the sending job with the caller's transaction, unless one waits already.

    A waiting run that begins before the caller commits would miss the new mail; the run of the next minute takes it.
    """
    if not JobRun.objects.filter(key=DELIVER, state=RunState.QUEUED).exists():
        enqueue(DELIVER, by=None)
