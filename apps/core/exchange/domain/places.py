"""Files in allowed folders: found, never followed out of them, copied before they are read."""

import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from apps.core.errors import InvalidInput, NotAllowed
from apps.core.exchange import values
from apps.core.exchange.reading.limits import BYTES, MEGABYTE

_OUTSIDE = "The file {name} lies outside the folder {folder}; a source reads files inside its folder only."


def allowed_folders() -> list[Path]:
    """Return the folders this installation lets sources read."""
    return [Path(folder) for folder in settings.IMPORT_FOLDERS]


def locate(folder: str, path: str) -> Path:
    """Return where the file lies.

    Raises:
        NotAllowed: the folder is not (any more) allowed, or the path leads out of it, by dots or by a link.
        InvalidInput: there is no such file, or it is no file.
    """
    home = next((each for each in allowed_folders() if str(each) == folder), None)
    if home is None:
        raise NotAllowed(
            f"The folder {values.quoted(folder)} is not among those that may be read. An administrator adds it to "
            "MOPS_IMPORT_FOLDERS."
        )
    outside = _OUTSIDE.format(name=values.quoted(path), folder=folder)
    if "\x00" in path or Path(path).is_absolute() or ".." in Path(path).parts:
        raise NotAllowed(outside)
    try:
        found = (home / path).resolve(strict=True)
        inside = found.is_relative_to(home.resolve(strict=True))
    except (OSError, RuntimeError) as error:
        raise InvalidInput(_missing(folder, path, error)) from error
    if not inside:
        raise NotAllowed(outside)
    if not found.is_file():
        raise InvalidInput(f"{values.quoted(path)} in {folder} is not a file.")
    return found


@contextmanager
def snapshot(folder: str, path: str) -> Iterator[Path]:
    """Copy the file and give the copy: what is counted, compared and read is one and the same.

    Raises:
        NotAllowed: as `locate`.
        InvalidInput: as `locate`; or it cannot be read, or is too big.
    """
    found = locate(folder, path)
    with tempfile.NamedTemporaryFile(prefix="mops-sync-") as copy:
        try:
            # the last part must still be no link: nobody swaps it between the look and the opening
            descriptor = os.open(found, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            with os.fdopen(descriptor, "rb") as file:
                seen = os.fstat(descriptor)
                if not stat.S_ISREG(seen.st_mode) or not os.path.samestat(seen, locate(folder, path).stat()):
                    raise InvalidInput(f"{values.quoted(path)} was exchanged while it was opened; try again.")
                if seen.st_size > max(BYTES.values()):
                    raise InvalidInput(f"{values.quoted(path)} has {seen.st_size // MEGABYTE:,} MB; that is too big.")
                shutil.copyfileobj(file, copy)
        except OSError as error:
            raise InvalidInput(_missing(folder, path, error)) from error
        copy.flush()
        yield Path(copy.name)


def _missing(folder: str, path: str, error: Exception) -> str:
    name = values.quoted(path)
    number = getattr(error, "errno", None)
    if number in (errno.ENOENT, errno.ENOTDIR):
        return f"There is no file {name} in {folder}. Has the other system delivered it, and under this name?"
    if number in (errno.EACCES, errno.EPERM):
        return f"mops may not read {name} in {folder}; give the user it runs as the right to."
    if number in (errno.ENOSPC, errno.EDQUOT):
        return f"There is no room to copy {name}; an administrator has to make some."
    if number is None or number == errno.ELOOP:  # RuntimeError without a number before Python 3.13
        return f"{name} in {folder} cannot be read (its links lead nowhere)."
    return f"{name} in {folder} cannot be read ({os.strerror(number)})."
