"""The tables beside which recording is measured. Imported by the benchmark alone: mops itself must not know them."""

import uuid

from django.db import models
from simple_history.models import HistoricalRecords

from apps.accounts.models import User


class _Columns(models.Model):
    """The columns of a team, without anything that records."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    archived_at = models.DateTimeField(null=True)
    row_version = models.PositiveIntegerField(default=0)
    name = models.CharField(max_length=100, unique=True)
    purpose = models.TextField(blank=True)

    class Meta:
        abstract = True
        app_label = "audit"


class BareTeam(_Columns):
    """The limit: the same rows in a table that nothing records."""

    class Meta(_Columns.Meta):
        db_table = "bench_bare"


class UsualTeam(_Columns):
    """The usual way: the same rows with simple-history as it comes."""

    history = HistoricalRecords(user_model=User)

    class Meta(_Columns.Meta):
        db_table = "bench_usual"
