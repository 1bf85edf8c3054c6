"""What a job's function gets: where it reports progress, says what it does, and learns that it should stop."""

from typing import TYPE_CHECKING, Any

from apps.core.jobs.models import JobRun

if TYPE_CHECKING:
    from apps.core.jobs.desk import Desk


class JobCancelled(BaseException):
    """Somebody asked the run to stop. Not an `Exception`: a loop that survives bad rows must not survive this."""


class JobTimedOut(BaseException):
    """The run has used up its time. Not an `Exception`, for the same reason."""


class LeaseLost(BaseException):
    """Another worker has the run now: whatever this one still did would be done twice."""


class Run:
    """One attempt at a run, as the job's function sees it."""

    def __init__(self, job_run: JobRun, actor: Any, desk: "Desk") -> None:
        """Stand between the function and the desk that writes for it."""
        self.job_run = job_run
        self.actor = actor
        self._desk = desk

    def progress(self, done: int, total: int) -> None:
        """Say how far it is; shown as a bar within a second. Cheap enough to call for every row."""
        self._desk.progress(done, total)

    def log(self, text: str) -> None:
        """Add a sentence to the log of the run, readable while it runs and afterwards, whatever is rolled back."""
        self._desk.log(text)

    def raise_if_cancelled(self) -> None:
        """Stop here if somebody asked to; call it where everything done so far can stay.

        Raises:
            JobCancelled: a person cancelled the run.
            LeaseLost: another worker has taken it over.
        """
        self._desk.look_up()
        if self._desk.lost.is_set():
            raise LeaseLost
        if self._desk.cancelled.is_set():
            raise JobCancelled
