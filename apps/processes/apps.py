"""Standard operating procedures and their versions."""

from django.apps import AppConfig


class ProcessesConfig(AppConfig):
    """The processes application."""

    name = "apps.processes"
    label = "processes"
    verbose_name = "Processes"

    def ready(self) -> None:
        """Let versions of SOPs be approved, and put due reviews among what is overdue."""
        from apps.approvals.registry import ApprovalSubject, register  # noqa: PLC0415  # models must be ready
        from apps.core.overdue import register_overdue  # noqa: PLC0415
        from apps.processes.domain import publishing, queries  # noqa: PLC0415
        from apps.processes.models import SOPVersion  # noqa: PLC0415

        register(
            SOPVersion,
            ApprovalSubject(
                material=("change_log", "body"),
                apply=publishing.make_effective,
                on_refused=publishing.return_to_draft,
                markdown=("body", "change_log"),
                before=publishing.payload_in_force,
            ),
        )
        register_overdue(queries.overdue_reviews)
