"""Background jobs: registered in code, run by workers, kept as rows."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    """The jobs application."""

    name = "apps.core.jobs"
    label = "jobs"
    verbose_name = "Jobs"

    def ready(self) -> None:
        """Get to know the jobs of every app; let people see the runs they asked for."""
        from apps.core import access  # noqa: PLC0415  # models must be loaded
        from apps.core.jobs import registry  # noqa: PLC0415
        from apps.core.jobs.models import JobRun  # noqa: PLC0415
        from apps.core.notifications.enums import Importance  # noqa: PLC0415
        from apps.core.notifications.kinds import register_kind  # noqa: PLC0415

        access.register_own(JobRun, lambda user, rows: rows.filter(requested_by=user))
        register_kind("job.failed", "Work I asked for in the background has failed", importance=Importance.HIGH)
        registry.discover()
        from apps.core.jobs import checks  # noqa: F401, PLC0415  # registers on import
