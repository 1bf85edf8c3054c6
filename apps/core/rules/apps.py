"""Rule documents: versioned rules that run, and the predicates they are written in."""

from django.apps import AppConfig


class RulesConfig(AppConfig):
    """The rules application."""

    name = "apps.core.rules"
    label = "rules"
    verbose_name = "Rules"

    def ready(self) -> None:
        """Name what owners are told, and put late reviews among the overdue work."""
        from apps.core.notifications.kinds import register_kind  # noqa: PLC0415  # apps must be ready
        from apps.core.overdue import register_overdue  # noqa: PLC0415
        from apps.core.rules.domain.reviews import KIND, overdue_reviews  # noqa: PLC0415

        register_kind(KIND, "Rules of mine have to be reviewed")
        register_overdue(overdue_reviews)
