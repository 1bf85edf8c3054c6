"""The jobs of leads."""

import datetime as dt

from django.db import connection

from apps.core import clock
from apps.core.actors import acting_as, system_principal
from apps.core.jobs.api import Overlap, Run, job
from apps.core.rules.models import RuleVersion
from apps.leads.domain import answer_clocks, clients, handoff, quality, segmenting
from apps.leads.domain.duplicates import finding
from apps.leads.domain.predicting import refitting
from apps.leads.domain.routing import routing, waiting
from apps.leads.domain.scoring import keeping, rehearsal, reviewing, trials


@job("leads.backfill_scores", title="Score every lead by new rules", timeout=3600, overlap=Overlap.FORBID)
def backfill_scores(run: Run, *, version_id: int, before_id: int, at: str) -> dict[str, int]:
    """Bring activated rules to every lead and keep what they changed."""
    version = RuleVersion.objects.select_related("document").get(pk=version_id)
    before = RuleVersion.objects.filter(pk=before_id).first()
    done = rehearsal.backfill(version, before, as_of=dt.datetime.fromisoformat(at), progress=run.progress)
    return {"leads": done.leads, "changed": done.changed, "became_ready": done.became_ready}


@job("leads.score_due", title="Score leads whose facts changed", timeout=600, overlap=Overlap.FORBID)
def score_due(run: Run) -> dict[str, int]:
    """Score what the database has queued."""
    return keeping.score_due()


@job("leads.score_all", title="Let time pass for every score", timeout=3600, overlap=Overlap.FORBID)
def score_all(run: Run) -> dict[str, int]:
    """Score everything as of now, and look whether the sums still are what the touches give."""
    done = keeping.score_all()
    unequal = keeping.unequal_sums()
    if unequal:
        run.log(f"The sums of {len(unequal)} leads are not what their touches give; they are made anew.")
        keeping.mend(unequal)
    return {"changed": done.changed, "became_ready": done.became_ready, "mended": len(unequal)}


@job("leads.find_duplicates", title="Look for leads that are one person", timeout=3600, overlap=Overlap.FORBID)
def find_duplicates(run: Run) -> dict[str, int]:
    """Compare all leads in use that share something, and queue the pairs that look like one person."""
    with acting_as(system_principal()):
        found = finding.find_duplicates(progress=run.progress)
    return {"compared": found.compared, "suggested": found.suggested, "new": found.new}


@job("leads.refresh_segments", title="Bring segments up to date", timeout=900, overlap=Overlap.FORBID)
def refresh_segments(run: Run) -> dict[str, int]:
    """Compare the leads that changed with every segment in use."""
    return segmenting.refresh_all()


@job("leads.count_quality", title="Count what the checks of data quality find", timeout=600, overlap=Overlap.FORBID)
def count_quality(run: Run) -> dict[str, int]:
    """Keep the counts of the day."""
    return quality.count_quality()


@job("leads.judge_clients", title="Judge how healthy clients are", timeout=600, overlap=Overlap.FORBID)
def judge_clients(run: Run) -> dict[str, int]:
    """Bring facts, health, stage and signs of leaving up to the day."""
    return clients.judge_clients()


@job("leads.open_review", title="Open the monthly review of scoring", timeout=900, overlap=Overlap.FORBID)
def open_review(run: Run) -> dict[str, int]:
    """Judge the rules in force and their challengers on what came of earlier leads."""
    return {"open": int(reviewing.open_review() is not None)}


@job("leads.keep_trial", title="Score new leads by champion and challenger", timeout=1800, overlap=Overlap.FORBID)
def keep_trial(run: Run) -> dict[str, int]:
    """Let new leads join the trial that runs, and count who became an SQL since."""
    return trials.keep_trial()


@job("leads.refit", title="Fit the predictive score anew", timeout=1800, overlap=Overlap.FORBID)
def refit(run: Run) -> dict[str, int]:
    """Learn from what came of earlier leads, and say how good that is."""
    made = refitting.refit()
    run.log(made.sentence)
    return {"leads": made.rows, "used": int(made.is_used)}


@job("leads.predict", title="Tell the probability of every lead", timeout=900, overlap=Overlap.FORBID)
def predict(run: Run) -> dict[str, int]:
    """Bring the fit in use to every lead with marketing."""
    fitted = refitting.in_use()
    return {"leads": refitting.predict(fitted, at=clock.now()) if fitted is not None else 0}


@job("leads.expire_handoffs", title="End the offers that sales did not answer", timeout=300)
def expire_handoffs(run: Run) -> dict[str, int]:
    """End what is due and tell who offered it."""
    return {"expired": handoff.expire_due()}


@job("leads.prepare_partitions", title="Prepare the coming months of touches", timeout=60, overlap=Overlap.FORBID)
def prepare_partitions(run: Run) -> dict[str, int]:
    """Make the partitions of the coming months."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT mops_prepare_touch_partitions(0)")
        return {"partitions": cursor.fetchone()[0]}


@job("leads.route", title="Route leads that nobody looks after", timeout=1800, overlap=Overlap.FORBID)
def route(run: Run) -> dict[str, int]:
    """Route what is new, and what waits for a pool that is there again; say when something waits for long."""
    counts = {"new": routing.route_new(), "waited": routing.route_waiting()}
    counts["clocks"] = answer_clocks.begin_captured()
    waiting.watch()
    return counts
