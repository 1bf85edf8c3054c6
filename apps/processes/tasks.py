"""The jobs of processes: bringing versions into force, asking people to read them, reminding of reviews."""

import datetime as dt

from apps.core import clock
from apps.core.actors import system_principal
from apps.core.jobs.api import Run, job
from apps.core.packs import quarter_of
from apps.processes.domain import compliance, effect, maturity, packs, recurring, telling
from apps.processes.models import Feedback, GovernancePack, Process, SOPVersion
from apps.processes.models import Run as ProcessRun


@job("processes.bring_into_force", title="Bring approved versions into force", timeout=120)
def bring_into_force(run: Run) -> dict[str, int]:
    """Let every approved version whose date has come and whose readers have read it come into force."""
    came = 0
    for version_id in effect.waiting_versions(clock.now()):
        run.raise_if_cancelled()
        came += effect.bring_into_force(version_id)
    return {"came into force": came}


@job("processes.start_recurring", title="Start the runs of recurring processes", timeout=300)
def start_recurring(run: Run) -> dict[str, int]:
    """Start the run of every recurrence whose date has come: the newest date alone, older ones are recorded."""
    started = 0
    for recurrence_id in recurring.live_recurrences():
        run.raise_if_cancelled()
        started += recurring.start_due(recurrence_id) is not None
    return {"started": started}


@job("processes.tell_readers", title="Ask people to read a version", timeout=60)
def tell_readers(run: Run, version_id: int) -> dict[str, int]:
    """Tell those who must read it."""
    return {"told": telling.tell_readers(SOPVersion.objects.select_related("process").get(pk=version_id))}


@job("processes.tell_about_feedback", title="Tell about feedback on a process", timeout=60)
def tell_about_feedback(run: Run, feedback_id: int) -> dict[str, int]:
    """Tell the owner, or the author of the answer."""
    rows = Feedback.objects.select_related("process", "author", "answered_by")
    return {"told": telling.tell_about_feedback(rows.get(pk=feedback_id))}


@job("processes.watch_reviews", title="Remind of due reviews", timeout=300)
def watch_reviews(run: Run) -> dict[str, int]:
    """Remind the owners of processes whose review is due, and escalate those two weeks late."""
    today, told = clock.today(), 0
    rows = Process.objects.due_for_review(today).select_related("owner_person__manager", "owner_team", "backup_person")
    for process in rows.order_by("pk"):
        run.raise_if_cancelled()
        told += telling.remind_of_review(process, today)
    return {"told": told}


@job("processes.evaluate_rules", title="Evaluate compliance rules", timeout=900)
def evaluate_rules(run: Run) -> dict[str, int]:
    """Look how every record stands against every rule; write down what changed and tell the owners of new failures."""
    return compliance.evaluate_all()


@job("processes.evaluate_version", title="Evaluate compliance rules for a process", timeout=120)
def evaluate_version(run: Run, version_id: int) -> dict[str, int]:
    """Look how a process stands whose version came into force."""
    version = SOPVersion.objects.select_related("process").get(pk=version_id)
    return {"rules": compliance.evaluate_subject(version.process)}


@job("processes.evaluate_run", title="Evaluate compliance rules for a run", timeout=120)
def evaluate_run(run: Run, run_id: int) -> dict[str, int]:
    """Look how a run that is over stands, and its process."""
    done = ProcessRun.objects.select_related("process").get(pk=run_id)
    return {"rules": compliance.evaluate_subject(done) + compliance.evaluate_subject(done.process)}


@job("processes.assess_maturity", title="Assess how mature processes are", timeout=900)
def assess_maturity(run: Run) -> dict[str, int]:
    """Compute the level of every process and of the whole, and write down what changed."""
    return {"assessed": maturity.assess_all(progress=run.progress)}


@job("processes.make_pack", title="Make the governance pack of the quarter that ended", timeout=300)
def make_pack(run: Run) -> dict[str, int]:
    """Freeze the pack of the quarter that ended, unless somebody has made one that tells all of it."""
    last = quarter_of(clock.today()) - dt.timedelta(days=1)
    if GovernancePack.objects.filter(quarter=quarter_of(last), ends_on=last).exists():
        return {"made": 0}
    packs.make_pack(by=system_principal(), on=last)
    return {"made": 1}
