"""The pages of the audit: the ledger, and how it is kept."""

from apps.audit.admin import keeping, ledger, seals

__all__ = ["keeping", "ledger", "seals"]
