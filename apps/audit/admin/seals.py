"""The seals: what each covers, and who signed it."""

from django.contrib import admin
from unfold.decorators import display

from apps.audit.models import AuditSeal
from apps.core.admin_kit.base import ReadOnlyAdmin


@admin.register(AuditSeal)
class AuditSealAdmin(ReadOnlyAdmin):
    """Every seal."""

    list_display = ("n", "sealed_at", "from_id", "to_id", "count", "short_digest", "key")
    search_fields = ("=n", "=digest", "=key")
    search_help_text = "A seal's number, its whole digest or a key."
    list_filter = (("sealed_at", admin.DateFieldListFilter),)
    fields = (
        "n",
        "sealed_at",
        "from_id",
        "to_id",
        "count",
        "merkle_root",
        "prev_digest",
        "digest",
        "key",
        "signature",
    )
    empty_state = "Nothing is sealed yet. The worker seals the ledger every 30 seconds; is it running?"

    @display(description="Digest", ordering="digest")
    def short_digest(self, seal: AuditSeal) -> str:
        """Enough of it to compare by eye; the whole is on the seal's page."""
        return f"{seal.digest[:16]}…"
