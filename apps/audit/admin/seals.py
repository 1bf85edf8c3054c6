"""The seals: what each covers, and who signed it; and what evidence was handed out."""

from django.contrib import admin
from django.utils.html import format_html_join
from unfold.decorators import display

from apps.audit.models import AuditSeal, EvidencePackage
from apps.core.admin_kit.base import ReadOnlyAdmin
from apps.core.words import NOTHING


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


@admin.register(EvidencePackage)
class EvidencePackageAdmin(ReadOnlyAdmin):
    """Every package that was handed out."""

    list_display = ("made_at", "kind", "entries", "population", "made_by", "purpose")
    list_filter = ("kind", ("made_at", admin.DateFieldListFilter))
    search_fields = ("purpose", "made_by__full_name", "=sha256", "=seed")
    list_select_related = ("made_by",)
    fields = (
        "made_at",
        "made_by",
        "kind",
        "purpose",
        "filter_in_words",
        "population",
        "first_id",
        "last_id",
        "entries",
        "seed",
        "sha256",
        "files",
    )
    empty_state = "No evidence has been taken out yet. The ledger has “Take evidence out” above its list."

    @display(description="Filter")
    def filter_in_words(self, package: EvidencePackage) -> str:
        """What the population was."""
        return "; ".join(package.filters) or "the whole ledger"

    @display(description="Files")
    def files(self, package: EvidencePackage) -> str:
        """Each file with its SHA-256, to compare with what somebody holds."""
        found = package.manifest.get("files", {})
        rows = ((name, facts["sha256"]) for name, facts in found.items() if not name.startswith("samples/"))
        return format_html_join("", '<div>{} <span class="audit-code">{}</span></div>', rows) or NOTHING
