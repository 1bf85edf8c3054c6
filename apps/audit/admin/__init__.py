"""The pages of the audit: the ledger, and how it is kept."""

from apps.audit.admin import desk_kit, keeping, ledger, seals

__all__ = ["desk_kit", "keeping", "ledger", "seals"]
