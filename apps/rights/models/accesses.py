"""What was looked at or taken out: append-only, read by auditors."""

from django.db import models

from apps.accounts.models import User
from apps.core.governed import append_only_triggers
from apps.rights.enums import AccessKind


class AccessLog(models.Model):
    """Somebody looked at or took out something worth knowing of. Append-only, not governed: it changes nothing."""

    at = models.DateTimeField("when")
    person = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name="who")
    kind = models.CharField("what", max_length=20, choices=AccessKind.choices)
    model = models.CharField("kind of record", max_length=100, blank=True)
    object_id = models.CharField("number", max_length=40, blank=True)
    object_label = models.CharField("record", max_length=250, blank=True)
    detail = models.JSONField(default=dict)
    request_id = models.CharField("request", max_length=64, blank=True)

    class Meta:
        ordering = ("-at", "-pk")
        verbose_name = "access log entry"
        verbose_name_plural = "access log entries"
        indexes = [
            models.Index(fields=("-at",), name="access_by_time"),
            models.Index(fields=("person", "-at"), name="access_by_person"),
        ]
        triggers = append_only_triggers("What was looked at stays on record: it is never changed or deleted.")

    def __str__(self) -> str:
        return f"{self.get_kind_display()} · {self.object_label or self.model}"
