"""The pages of import and export, and the kit that puts both on every list."""

from apps.core.admin_kit.kits import register_kit
from apps.core.exchange.admin.exports import ExportRunAdmin
from apps.core.exchange.admin.imports import ImportBatchAdmin
from apps.core.exchange.admin.kit import ExchangeKit
from apps.core.exchange.admin.sources import FileSourceAdmin, SyncRunAdmin

register_kit(ExchangeKit())

__all__ = ["ExportRunAdmin", "FileSourceAdmin", "ImportBatchAdmin", "SyncRunAdmin"]
