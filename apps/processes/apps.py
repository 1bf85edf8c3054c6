"""Standard operating procedures and their versions."""

from django.apps import AppConfig


class ProcessesConfig(AppConfig):
    """The processes application."""

    name = "apps.processes"
    label = "processes"
    verbose_name = "Processes"

    def ready(self) -> None:
        """Let versions of SOPs be approved, narrow who reads what, and put due reviews among what is overdue."""
        from apps.approvals.registry import ApprovalSubject, register  # noqa: PLC0415  # models must be ready
        from apps.core.access import register_scope  # noqa: PLC0415
        from apps.core.overdue import register_overdue  # noqa: PLC0415
        from apps.processes import models, permissions  # noqa: PLC0415
        from apps.processes.domain import publishing, queries  # noqa: PLC0415

        register(
            models.SOPVersion,
            ApprovalSubject(
                material=("change_log", "is_material", "effective_from", "flow", "body"),
                apply=publishing.accept,
                on_refused=publishing.return_to_draft,
                markdown=("body", "change_log"),
                before=publishing.payload_in_force,
            ),
        )
        register_scope(models.Process, permissions.visible_processes)
        for model, path in (
            (models.SOPVersion, "process"),
            (models.Stakeholder, "process"),
            (models.Step, "version__process"),
            (models.StepEdge, "version__process"),
        ):
            register_scope(model, permissions.by_process(path))
        register_overdue(queries.overdue_reviews)
