"""Decisions: who must say yes to which exact version."""

from django.apps import AppConfig


class ApprovalsConfig(AppConfig):
    """The approvals application."""

    name = "apps.approvals"
    label = "approvals"
    verbose_name = "Approvals"

    def ready(self) -> None:
        """Narrow the requests to what a person may see, put the inbox on the home page, name what people are told."""
        from apps.approvals.admin.home import inbox_panel  # noqa: PLC0415  # models must be ready
        from apps.approvals.domain import deadlines, policies, policy_rows  # noqa: PLC0415
        from apps.approvals.domain.evidence import approval_of, parts_of_request, requests_about  # noqa: PLC0415
        from apps.approvals.domain.seeing import by_request, visible_requests  # noqa: PLC0415
        from apps.approvals.models import (  # noqa: PLC0415
            ApprovalCondition,
            ApprovalRequest,
            BreakGlass,
            PolicyVersion,
            StageInstance,
        )
        from apps.approvals.registry import ApprovalSubject, follow, register  # noqa: PLC0415
        from apps.approvals.rule_versions import join as join_rule_versions  # noqa: PLC0415
        from apps.audit.belonging import register_belonging  # noqa: PLC0415
        from apps.audit.related import register_related  # noqa: PLC0415
        from apps.core.access import register_scope  # noqa: PLC0415
        from apps.core.admin_kit.site import Panel, register_panel  # noqa: PLC0415
        from apps.core.clocks.registry import register_metric  # noqa: PLC0415
        from apps.core.notifications.enums import Importance  # noqa: PLC0415
        from apps.core.notifications.kinds import register_kind  # noqa: PLC0415

        register(
            PolicyVersion,
            ApprovalSubject(
                material=("definition", "change_log"),
                apply=policies.make_active,
                on_refused=policies.return_to_draft,
                before=policies.in_force_before,
                parts=policy_rows.rows_of,
            ),
        )
        register_kind("approval.requested", "Somebody asks for my approval", importance=Importance.HIGH)
        register_kind("approval.decided", "Something I sent or worked on was decided")
        register_kind("approval.late", "A decision I could make is due or late", importance=Importance.HIGH)
        register_kind("approval.stand_in", "Somebody stands in for me, or I for somebody")
        register_kind(
            "approval.emergency",
            "Something was approved alone in an emergency",
            importance=Importance.URGENT,
            mandatory=True,
        )
        register_metric(deadlines.metric())
        register_scope(ApprovalRequest, visible_requests)
        register_related("approvals", approval_of)
        follow(lambda model: register_belonging(model, "approvals", requests_about))
        register_belonging(ApprovalRequest, "parts", parts_of_request)
        register_scope(ApprovalCondition, by_request("approval"))
        register_scope(BreakGlass, by_request("approval"))
        register_scope(StageInstance, by_request("approval"))
        register_panel(Panel("approvals", 10, "admin/approvals/inbox_panel.html", inbox_panel))
        join_rule_versions()
