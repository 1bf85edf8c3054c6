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
        from apps.core.admin_kit.site import Panel, register_panel  # noqa: PLC0415
        from apps.core.notifications.enums import Importance  # noqa: PLC0415
        from apps.core.notifications.kinds import register_kind  # noqa: PLC0415
        from apps.core.overdue import register_overdue  # noqa: PLC0415
        from apps.processes import models, permissions  # noqa: PLC0415
        from apps.processes.admin.home import processes_panel  # noqa: PLC0415
        from apps.processes.domain import publishing, queries, telling  # noqa: PLC0415

        register(
            models.SOPVersion,
            ApprovalSubject(
                material=("change_log", "is_material", "effective_from", "flow", "body", "questions"),
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
            (models.TrainingRequirement, "process"),
            (models.Acknowledgement, "version__process"),
            (models.Review, "process"),
            (models.Feedback, "process"),
            (models.Step, "version__process"),
            (models.StepEdge, "version__process"),
        ):
            register_scope(model, permissions.by_process(path))
        register_panel(Panel("processes", 45, "admin/processes/home_panel.html", processes_panel))
        register_overdue(queries.overdue_reviews)
        register_kind(telling.READ, "A version I must read", importance=Importance.HIGH)
        register_kind(telling.REVIEW_DUE, "A process of mine is due for review")
        register_kind(telling.REVIEW_LATE, "A review is two weeks late", importance=Importance.HIGH)
        register_kind(telling.FEEDBACK, "Feedback about a process of mine")
        register_kind(telling.ANSWERED, "An answer to my feedback")
