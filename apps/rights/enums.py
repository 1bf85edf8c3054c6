"""The words of sharing."""

from django.db import models


class Verb(models.TextChoices):
    """What a grant lets somebody do with one record."""

    VIEW = "view", "View"
    CHANGE = "change", "View and change"


class AccessKind(models.TextChoices):
    """What is written down although it changes nothing."""

    EXPORT = "export", "Export"
    VIEW_AS = "view_as", "Looking on as somebody else"
    PERSONAL_DATA = "personal_data", "Personal data read by an auditor"
