"""People, teams, roles and how they sign in."""

from django.apps import AppConfig

from apps.core.actors import register_system_principal


class AccountsConfig(AppConfig):
    """The accounts application."""

    name = "apps.accounts"
    label = "accounts"
    verbose_name = "Administration"

    def ready(self) -> None:
        """Say who acts where no person stands behind a write, and that a manager answers for reports."""
        from apps.accounts.domain.ownership import register_ownership  # noqa: PLC0415  # models must be loaded
        from apps.accounts.domain.principals import system_principal  # noqa: PLC0415
        from apps.accounts.domain.territories import limits_of  # noqa: PLC0415
        from apps.accounts.models import User  # noqa: PLC0415
        from apps.accounts.panels import first_steps_panel  # noqa: PLC0415
        from apps.core.access import register_limits  # noqa: PLC0415
        from apps.core.admin_kit.site import Panel, register_panel  # noqa: PLC0415

        register_panel(Panel("first-steps", 1, "admin/accounts/first_steps_panel.html", first_steps_panel))
        register_system_principal(system_principal)
        register_limits(limits_of)
        register_ownership(User, "manager", "manager", still_matters=lambda rows: rows.filter(is_active=True))
