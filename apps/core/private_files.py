"""Files that nobody reaches by address: one private storage, random names, and words for a disk that is full."""

import errno

from django.core.files.storage import FileSystemStorage

from apps.core.errors import DomainError

_FULL = (errno.ENOSPC, errno.EDQUOT)


class NoRoom(DomainError):
    """The server cannot keep the file."""

    status = 507


def private_files() -> FileSystemStorage:
    """Return the storage under MEDIA_ROOT, readable by the account of mops alone and without an address."""
    return FileSystemStorage(base_url=None, file_permissions_mode=0o600, directory_permissions_mode=0o700)


def disk_is_full(error: OSError) -> bool:
    """Whether `error` says that nothing more can be kept, by the disk or by a quota."""
    return error.errno in _FULL


def no_room(what: str = "the file") -> NoRoom:
    """Return the refusal of a file for which there is no room; `what` is its name."""
    return NoRoom(f"The server's disk is full, so {what} was not kept. Ask an administrator to make room.")
