"""The words of sharing."""

from django.db import models


class Verb(models.TextChoices):
    """What a grant lets somebody do with one record."""

    VIEW = "view", "View"
    CHANGE = "change", "View and change"
