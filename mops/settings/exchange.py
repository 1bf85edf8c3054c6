"""Imports and exports go through apps/core/exchange alone: the library's own pages are open to nobody.

django-import-export asks for these permissions only where they are set, else lets any staff member in; no role has
permissions of these names.
"""

IMPORT_EXPORT_IMPORT_PERMISSION_CODE = "import"
IMPORT_EXPORT_EXPORT_PERMISSION_CODE = "export"
IMPORT_EXPORT_ESCAPE_FORMULAE_ON_EXPORT = True
IMPORT_EXPORT_USE_TRANSACTIONS = True
