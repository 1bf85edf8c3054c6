"""The technology inventory."""

from django.apps import AppConfig


class TechnologyConfig(AppConfig):
    """The technology application."""

    name = "apps.technology"
    label = "technology"
    verbose_name = "Technology"

    def ready(self) -> None:
        """Offer the imports, let requests and waivers be approved, name who answers for what and what is overdue."""
        from apps.accounts.domain.ownership import register_ownership  # noqa: PLC0415  # models must be ready
        from apps.approvals.registry import ApprovalSubject, register  # noqa: PLC0415
        from apps.core.overdue import register_overdue  # noqa: PLC0415
        from apps.technology import imports, money_imports  # noqa: F401, PLC0415  # register on import
        from apps.technology.domain import cases, queries  # noqa: PLC0415
        from apps.technology.models import Tool, ToolRequest, Waiver  # noqa: PLC0415

        register_ownership(
            Tool, "technical_owner", "technical owner", still_matters=lambda rows: rows.exclude(lifecycle="retired")
        )
        register_overdue(queries.tools_without_backup)
        register(
            ToolRequest,
            ApprovalSubject(
                material=cases.REQUEST_MATERIAL,
                apply=cases.approve_request,
                on_refused=cases.refuse_case,
                markdown=("business_case", "integration_assessment"),
            ),
        )
        register(
            Waiver,
            ApprovalSubject(material=cases.WAIVER_MATERIAL, apply=cases.approve_waiver, on_refused=cases.refuse_case),
        )
