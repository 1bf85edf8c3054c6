"""Where the ledger's seals and their key are kept: outside the database."""

from mops.settings.current import ENV

SEAL_KEY = ENV.seal_key  # 64 hexadecimal digits; empty: the file below
SEAL_KEY_FILE = ENV.home / "seal_key"  # made up at the first seal, readable by mops alone
SEAL_KEYS_TRUSTED = ENV.home / "seal_keys.pub"  # the public keys that have ever sealed here
SEALS_FOLDER = ENV.seals_folder
