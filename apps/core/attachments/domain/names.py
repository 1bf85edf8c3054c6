"""File names as people may see them: no paths, no control or direction characters, nothing a disk refuses."""

import re
import unicodedata
from pathlib import PurePosixPath

from apps.core.attachments.models import NAME_LENGTH
from apps.core.errors import InvalidInput

_FORBIDDEN = re.compile(r'[\\/:*?"<>|]')
_NAMELESS = "file"


def safe_name(given: str) -> str:
    """Return the file's own name, cleaned, with its extension in lower case.

    Raises:
        InvalidInput: what is left is longer than `NAME_LENGTH` characters.
    """
    own = unicodedata.normalize("NFC", given).replace("\\", "/").rsplit("/", 1)[-1]
    # Cc, Cf: control characters and direction overrides, which make "gpj.exe" read as "exe.jpg"
    printable = "".join(char for char in own if unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn"))
    path = PurePosixPath(" ".join(_FORBIDDEN.sub("_", printable).split()).lstrip(". ") or _NAMELESS)
    name = path.stem + path.suffix.lower()
    if len(name) > NAME_LENGTH:
        raise InvalidInput(
            f"The file's name has {len(name)} characters; shorten it to {NAME_LENGTH} or fewer and attach it again."
        )
    return name


def extension_of(name: str) -> str:
    """Return the extension without its dot, "" where there is none."""
    return PurePosixPath(name).suffix[1:].lower()
