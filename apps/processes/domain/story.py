"""What belongs to a process, for one timeline of all of it: versions, who read them, runs, what happened in them."""

from collections.abc import Iterator

from django.db import models

from apps.processes.models import Process, Run, SOPVersion

NEWEST_RUNS = 50


def parts_of_process(process: models.Model) -> Iterator[models.Model]:
    """Yield versions, reviews, feedback and the newest runs of a process."""
    if isinstance(process, Process):
        yield from process.versions.all()
        yield from process.reviews.all()
        yield from process.feedback.all()
        yield from Run.objects.filter(process=process).order_by("-pk")[:NEWEST_RUNS]


def parts_of_version(version: models.Model) -> Iterator[models.Model]:
    """Yield who has read a version."""
    if isinstance(version, SOPVersion):
        yield from version.acknowledgements.all()


def parts_of_run(run: models.Model) -> Iterator[models.Model]:
    """Yield the steps of a run, what happened in them, and the waivers asked for."""
    if isinstance(run, Run):
        for step in run.steps.prefetch_related("waivers"):
            yield step
            yield from step.waivers.all()
        yield from run.events.all()
