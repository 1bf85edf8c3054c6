"""People, teams, roles and how they sign in."""

from django.apps import AppConfig

from apps.core.actors import register_system_principal


class AccountsConfig(AppConfig):
    """The accounts application."""

    name = "apps.accounts"
    label = "accounts"
    verbose_name = "Administration"

    def ready(self) -> None:
        """Say who acts where no person stands behind a write."""
        from apps.accounts.domain.principals import system_principal  # noqa: PLC0415  # models must be loaded

        register_system_principal(system_principal)
