"""The jobs there are: registered in code by their key, so that no row of the database ever names a function."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.apps import apps
from django.db import models

SHORT_QUEUE, LONG_QUEUE = "mops", "long"  # as the clusters are called in mops/settings/jobs.py
LONG_SECONDS = 300
MOST_ATTEMPTS = 5
LONGEST_TEXT = 200
Body = Callable[..., Mapping[str, int] | None]
Argument = int | str | bool | None


class Overlap(models.TextChoices):
    """What becomes of a run while another one of the same job with the same arguments is running."""

    WAIT = "wait", "Waits until the other has finished"
    FORBID = "forbid", "Is skipped"
    ALLOW = "allow", "Runs beside it"


@dataclass(frozen=True)
class Job:
    """One kind of background work.

    Attributes:
        key: its name in rows and schedules, "app.verb_object".
        title: what people read.
        body: `body(run, **args) -> counts`.
        timeout: seconds after which a run is stopped.
        max_attempts: how often a run may be begun before it is given up, at most `MOST_ATTEMPTS`.
        overlap: what becomes of a second run at the same time.
        parameters: the names of the arguments the body takes, and whether each must be given.
    """

    key: str
    title: str
    body: Body
    timeout: int
    max_attempts: int
    overlap: Overlap
    parameters: Mapping[str, bool]

    @property
    def queue(self) -> str:
        """Which cluster runs it: short work never waits behind long work."""
        return LONG_QUEUE if self.timeout > LONG_SECONDS else SHORT_QUEUE

    def checked(self, args: Mapping[str, Argument]) -> dict[str, Argument]:
        """Return `args` when the body takes them: ids and short texts, none missing, none unknown.

        Raises:
            TypeError: says which argument is wrong; a mistake in the calling code, not of a person.
        """
        missing = [name for name, required in self.parameters.items() if required and name not in args]
        unknown = [name for name in args if name not in self.parameters]
        if missing or unknown:
            raise TypeError(f"{self.key}: arguments missing {missing}, unknown {unknown}.")
        for name, value in args.items():
            if not isinstance(value, (int, str, type(None))) or len(str(value)) > LONGEST_TEXT:
                raise TypeError(f"{self.key}: {name} must be an id or a text of at most {LONGEST_TEXT} characters.")
        return dict(args)


_jobs: dict[str, Job] = {}


def job(
    key: str, *, title: str, timeout: int = 300, max_attempts: int = 3, overlap: Overlap = Overlap.WAIT
) -> Callable[[Body], Body]:
    """Register the decorated function as the job `key`; it must be safe to run twice.

    Args:
        key: "app.verb_object", for instance "technology.import_tools".
        title: what people read, for instance "Import tools".
        timeout: seconds after which a run is stopped and marked as timed out.
        max_attempts: how often a run may be begun, the first time included; 1 to 5.
        overlap: what becomes of a run while another one with the same arguments is running.

    Raises:
        ValueError: the key is taken, or a figure is out of range.
    """

    def register(body: Body) -> Body:
        if key in _jobs and _jobs[key].body is not body:
            raise ValueError(f"There are two jobs named {key}.")
        if not 1 <= max_attempts <= MOST_ATTEMPTS or timeout < 1:
            raise ValueError(f"{key}: between 1 and {MOST_ATTEMPTS} attempts, and at least a second each.")
        _, *given = inspect.signature(body).parameters.values()
        parameters = {each.name: each.default is inspect.Parameter.empty for each in given}
        _jobs[key] = Job(key, title, body, timeout, max_attempts, overlap, parameters)
        return body

    return register


def find_job(key: str) -> Job | None:
    """Return the job registered as `key`, None where this version has none."""
    return _jobs.get(key)


def all_jobs() -> list[Job]:
    """Return every job, by key."""
    return [_jobs[key] for key in sorted(_jobs)]


@contextmanager
def registered(*added: Callable[[], Any]) -> Iterator[None]:
    """Within the block the jobs that `added` register exist besides the others; for tests."""
    before = dict(_jobs)
    try:
        for register in added:
            register()
        yield
    finally:
        _jobs.clear()
        _jobs.update(before)


def discover() -> None:
    """Import the `tasks` module of every app of ours."""
    for config in apps.get_app_configs():
        if config.name.startswith("apps.") and find_spec(f"{config.name}.tasks"):
            import_module(f"{config.name}.tasks")
