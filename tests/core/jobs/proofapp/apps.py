"""Brings the jobs of the kill tests into real worker processes."""

from django.apps import AppConfig


class ProofConfig(AppConfig):
    name = "tests.core.jobs.proofapp"
    label = "proofapp"

    def ready(self):
        from tests.core.jobs.proofapp.tasks import register

        register()
