"""Leads for tests."""

import factory

from apps.core.transitions import transition
from apps.leads.models import Lead


class LeadFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Lead

    name = factory.Sequence(lambda n: f"Lead {n}")
    email = factory.Sequence(lambda n: f"lead{n}@example.com")

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        with transition(Lead):
            return super()._create(model_class, *args, **kwargs)
