"""What only a person may decide: that seals go on although the file, the database or the key is not what it was.

Each decision is a signed note in the seals file and an alert, so it can be made, but not quietly.
"""

import base64
import datetime as dt
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.db import transaction

from apps.audit.domain import seal_files
from apps.audit.domain.seal_keys import installed_key, make_key, public_of, sealing_key, trust, trusted_keys
from apps.audit.models import AuditSeal
from apps.audit.standalone import NOTE_PURPOSE, as_json, fingerprint
from apps.core import clock
from apps.core.alerts.domain.alerting import raise_alert, resolve_alert
from apps.core.alerts.enums import Severity
from apps.core.errors import WrongState
from apps.core.words import reason_given

FAILING = "audit.sealing"


def restart_seals(*, by: str, reason: str) -> str:
    """Let seals go on behind the last one of the database, whatever the file says; returns what was done.

    Raises:
        WrongState: file and database agree, so there is nothing to accept.
        InvalidInput: no reason is given.
    """
    _want_reason(reason)
    key = sealing_key()
    with transaction.atomic(), seal_files.locked():
        newest = AuditSeal.objects.first()
        n, digest = (newest.n, newest.digest) if newest else (0, "")
        tail = seal_files.read_tail()
        if (tail is None and newest is None) or (tail and tail.after == n and tail.digest in ("", digest)):
            raise WrongState("The seals file and the database agree; there is nothing to begin anew.")
        held = f"the file ended with seal {tail.after}" if tail else "the file was missing"
        if tail and tail.torn:
            seal_files.cut_torn(tail.torn)
        _note(key, "restart", n, digest, by, f"{reason} ({held}, the database with seal {n})")
    _tell(f"Seals begin anew behind seal {n}: {held}.", by, reason)
    return f"Seals go on behind seal {n}; {held}. The note is in the seals file and in an alert."


def begin_new_key(*, by: str, reason: str) -> str:
    """Seal with another key from now on: the one that is installed and unknown, else a newly made one.

    Raises:
        InvalidInput: no reason is given.
        WrongState: the installed key cannot be read, the new one not kept, or MOPS_SEAL_KEY still holds the old one.
    """
    _want_reason(reason)
    trusted, key = trusted_keys(), installed_key()
    if key is not None and fingerprint(public_of(key)) in trusted:
        if settings.SEAL_KEY:
            raise WrongState("Set MOPS_SEAL_KEY to the new key first; it still holds the one that seals now.")
        old = Path(settings.SEAL_KEY_FILE)
        old.rename(old.with_name(f"{old.name}.until-{clock.now():%Y%m%d-%H%M%S}"))
        key = None
    key = key or make_key()
    name = fingerprint(public_of(key))
    if name not in trusted:
        trust(key)
    newest = AuditSeal.objects.first()
    with seal_files.locked():
        _note(key, "new-key", newest.n if newest else 0, newest.digest if newest else "", by, reason)
    _tell(f"The ledger is sealed with a new key from now on: {name}.", by, reason)
    return f"The key {name} seals from now on. Tell the auditors its fingerprint, and back it up."


def _want_reason(reason: str) -> None:
    reason = reason_given(reason, "This needs a reason: auditors will read it.")


def _note(key: Ed25519PrivateKey, kind: str, after: int, digest: str, by: str, reason: str) -> None:
    note: dict[str, Any] = {
        "v": 1,
        "kind": kind,
        "at": clock.now().astimezone(dt.UTC).isoformat(),
        "after": after,
        "digest": digest,
        "by": by,
        "reason": reason,
        "key": fingerprint(public_of(key)),
    }
    signature = base64.b64encode(key.sign(NOTE_PURPOSE + as_json(note))).decode()
    seal_files.append_note({**note, "signature": signature}, public_of(key))


def _tell(title: str, by: str, reason: str) -> None:
    resolve_alert(FAILING, why=f"{title} {reason}")
    raise_alert(
        "audit.seals_changed",
        title=title,
        severity=Severity.WARNING,
        detail=f"By {by}: {reason}",
        runbook="If nobody is known to have done this, somebody has the server: compare with the auditors' copy of the "
        "seals (manage.py audit verify --seals COPY).",
    )
