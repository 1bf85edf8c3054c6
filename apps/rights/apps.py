"""Who may what and why: sharing of single records, explanations, reviews."""

from django.apps import AppConfig


class RightsConfig(AppConfig):
    """The rights application."""

    name = "apps.rights"
    label = "rights"
    verbose_name = "Access"

    def ready(self) -> None:
        """Make shared rows visible on every surface, and record the tables that hold the rights."""
        from apps.accounts.domain.memberships import register_role_check  # noqa: PLC0415
        from apps.core.access import register_column_limit, register_scope  # noqa: PLC0415
        from apps.core.access_log import register_access_log  # noqa: PLC0415
        from apps.core.demo import register_chapter  # noqa: PLC0415
        from apps.core.notifications.enums import Importance  # noqa: PLC0415
        from apps.core.notifications.kinds import register_kind  # noqa: PLC0415
        from apps.core.overdue import register_overdue  # noqa: PLC0415
        from apps.core.recorders import record_table  # noqa: PLC0415  # apps must be ready
        from apps.rights.columns import hidden_columns  # noqa: PLC0415
        from apps.rights.demo import tell  # noqa: PLC0415
        from apps.rights.domain import asking, asking_records, logging  # noqa: PLC0415
        from apps.rights.domain.duties import check_role  # noqa: PLC0415
        from apps.rights.domain.queries import lines_seen_by  # noqa: PLC0415
        from apps.rights.domain.shared import register_shareable  # noqa: PLC0415  # models must be loaded
        from apps.rights.domain.watching_reviews import overdue_lines  # noqa: PLC0415
        from apps.rights.models import SHAREABLE, AccessReviewEntry, RecordRequest, RoleRequest  # noqa: PLC0415

        register_kind("rights.review", "Access waits for my review", importance=Importance.HIGH)
        register_scope(AccessReviewEntry, lines_seen_by)
        register_scope(RoleRequest, asking.requests_seen_by)
        register_scope(RecordRequest, asking_records.requests_seen_by)
        _register_subjects()
        register_overdue(overdue_lines)
        register_chapter("access", tell)
        register_access_log(logging.log, logging.note_read)
        register_shareable()
        register_column_limit(hidden_columns)
        register_role_check(check_role)
        for mirrors in SHAREABLE.values():
            for mirror in mirrors:
                record_table(mirror._meta.db_table)


def _register_subjects() -> None:
    """Send roles and records that people ask for, and waivers of duties, through approval."""
    from apps.approvals.registry import ApprovalSubject, register  # noqa: PLC0415  # models must be loaded
    from apps.rights.domain import asking, asking_records, waivers  # noqa: PLC0415
    from apps.rights.models import RecordRequest, RoleRequest, SodWaiver  # noqa: PLC0415

    register(
        RoleRequest,
        ApprovalSubject(
            material=asking.MATERIAL,
            apply=asking.grant,
            on_refused=asking.drop,
            policy=asking.administrators_decide,
            keeps_out=asking.keeps_out,
            related=("person", "team", "territory"),
        ),
    )
    register(
        RecordRequest,
        ApprovalSubject(
            material=asking_records.MATERIAL,
            apply=asking_records.grant,
            on_refused=asking_records.drop,
            policy=asking_records.who_decides,
            keeps_out=asking_records.keeps_out,
            related=("asked_by",),
        ),
    )
    register(
        SodWaiver,
        ApprovalSubject(
            material=waivers.MATERIAL,
            apply=waivers.let_hold,
            on_refused=waivers.drop,
            policy=asking.administrators_decide,
            keeps_out=waivers.keeps_out,
            related=("person", "rule"),
        ),
    )
