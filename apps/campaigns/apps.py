"""Campaigns from plan to closure."""

from django.apps import AppConfig


class CampaignsConfig(AppConfig):
    """The campaigns application."""

    name = "apps.campaigns"
    label = "campaigns"
    verbose_name = "Campaigns"
