"""The one way a body of rules is written when its digest is taken."""

import hashlib
import json
from typing import Any


def digest_of(body: Any) -> str:
    """Return the SHA-256 of `body` as JSON with sorted keys, no spaces, UTF-8."""
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
