"""People, teams, roles and how they sign in."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """The accounts application."""

    name = "apps.accounts"
    label = "accounts"
    verbose_name = "Administration"
