"""Tools for tests."""

import factory

from apps.core.transitions import transition
from apps.technology.enums import Lifecycle
from apps.technology.models import Tool


class ToolFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Tool

    name = factory.Sequence(lambda n: f"Tool {n}")

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        with transition(Tool):
            return super()._create(model_class, *args, **kwargs)

    class Params:
        active = factory.Trait(lifecycle=Lifecycle.ACTIVE)
