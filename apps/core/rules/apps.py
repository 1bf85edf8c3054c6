"""Rule documents: versioned rules that run, and the predicates they are written in."""

from django.apps import AppConfig


class RulesConfig(AppConfig):
    """The rules application."""

    name = "apps.core.rules"
    label = "rules"
    verbose_name = "Rules"
