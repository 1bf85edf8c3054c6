"""The key that seals: outside the database, made up once, never quietly replaced."""

import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings

from apps.audit.models import AuditSeal
from apps.audit.standalone import fingerprint
from apps.core.errors import WrongState

KEY_BYTES = 32
NEW_KEY = "manage.py audit new-key --reason …"


def public_of(key: Ed25519PrivateKey) -> bytes:
    """Return the public half as raw bytes."""
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def sealing_key() -> Ed25519PrivateKey:
    """Return the key that seals; at the very first seal it is made up.

    Raises:
        WrongState: it is missing, unreadable, no key, or not the one that has sealed so far.
    """
    key, trusted = installed_key(), trusted_keys()
    if key is None:
        if trusted or AuditSeal.objects.exists():
            raise WrongState(
                f"The sealing key {settings.SEAL_KEY_FILE} is missing, but there are seals signed with it. Bring it "
                f"back from the backup (or set MOPS_SEAL_KEY); if it is lost for good, begin a new one: {NEW_KEY}"
            )
        key = make_key()
    name = fingerprint(public_of(key))
    if name not in trusted:
        if trusted or AuditSeal.objects.exists():
            raise WrongState(
                f"The sealing key was swapped: {name} has never sealed here. Bring the right one back, or begin with "
                f"this one on purpose: {NEW_KEY}"
            )
        trust(key)
    return key


def make_key() -> Ed25519PrivateKey:
    """Make up a key and keep it in its file, readable by mops alone; a file that is there is never overwritten.

    Raises:
        WrongState: the file cannot be written.
    """
    key, path = Ed25519PrivateKey.generate(), Path(settings.SEAL_KEY_FILE)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
            handle.write(key.private_bytes_raw().hex() + "\n")
            handle.flush()
            os.fsync(handle.fileno())
    except OSError as error:
        raise WrongState(f"The sealing key cannot be kept at {path}: {error.strerror}.") from error
    return key


def trust(key: Ed25519PrivateKey) -> None:
    """Note the public half among those that have sealed here."""
    path = Path(settings.SEAL_KEYS_TRUSTED)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644), "w") as handle:
        handle.write(public_of(key).hex() + "\n")
        handle.flush()
        os.fsync(handle.fileno())


def trusted_keys() -> dict[str, bytes]:
    """Return the public keys that have sealed here, by fingerprint, oldest first.

    Raises:
        WrongState: the file that keeps them says something else.
    """
    path = Path(settings.SEAL_KEYS_TRUSTED)
    try:
        found = [bytes.fromhex(line) for line in path.read_text().split()]
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise WrongState(f"{path} is no list of public keys: {error}.") from error
    if any(len(public) != KEY_BYTES for public in found):
        raise WrongState(f"{path} is no list of public keys: a line has the wrong length.")
    return {fingerprint(public): public for public in found}


def installed_key() -> Ed25519PrivateKey | None:
    """Return the key that is installed, whether or not it has ever sealed; None where there is none.

    Raises:
        WrongState: what is installed cannot be read or is no key.
    """
    where, text = "MOPS_SEAL_KEY", settings.SEAL_KEY
    if not text:
        where = str(settings.SEAL_KEY_FILE)
        try:
            text = Path(settings.SEAL_KEY_FILE).read_text().strip()
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise WrongState(f"The sealing key {where} cannot be read: {error}.") from error
    try:
        return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(text))
    except ValueError as error:  # and never a word of what is in it
        raise WrongState(f"{where} is no sealing key: it must be {2 * KEY_BYTES} hexadecimal digits.") from error
