"""The job of people: somebody notices what nobody answers for."""

from apps.accounts.domain.vacancies import watch_vacancies
from apps.core.jobs.api import Run, job


@job("accounts.watch_vacancies", title="Watch what nobody answers for", timeout=120)
def watch(run: Run) -> dict[str, int]:
    """Close vacancies filled elsewhere; keep an alert per leaver while something is vacant."""
    return watch_vacancies()
