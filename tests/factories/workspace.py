"""Tags and custom fields for tests."""

import factory

from apps.accounts.models import Team
from apps.core.records import kind_of
from apps.core.workspace.enums import FieldType
from apps.core.workspace.models import CustomField, Tag


class TagFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Tag

    name = factory.Sequence(lambda n: f"Tag {n}")


class CustomFieldFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = CustomField

    content_type = factory.LazyFunction(lambda: kind_of(Team))
    key = factory.Sequence(lambda n: f"field_{n}")
    label = factory.Sequence(lambda n: f"Field {n}")
    type = FieldType.TEXT
    choices = factory.LazyAttribute(lambda made: ["EMEA", "APAC"] if made.type == FieldType.CHOICE else [])
