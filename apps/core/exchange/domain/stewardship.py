"""Putting sources away: who may not import what a source brings may not stop or revive it either."""

from typing import TYPE_CHECKING

from apps.core.admin_kit import archive
from apps.core.errors import NotAllowed
from apps.core.exchange.models import FileSource
from apps.core.exchange.permissions import refuse_import
from apps.core.exchange.registry import get_importer

if TYPE_CHECKING:
    from apps.accounts.models import User


def refuse_archive(user: "User", source: FileSource) -> str | None:
    """Return why `user` cannot put this source away now, None when it works."""
    return refuse_import(user, get_importer(source.importer)) or archive.refuse_archive(user, source)


def refuse_restore(user: "User", source: FileSource) -> str | None:
    """Return why `user` cannot bring this source back now, None when it works."""
    return refuse_import(user, get_importer(source.importer)) or archive.refuse_restore(user, source)


def archive_source(source: FileSource, *, by: "User") -> str:
    """Put a source away: it is not read any more, its syncs stay.

    Raises:
        NotAllowed: `by` may not import what it brings, or not change it.
        WrongState: it is archived already.
    """
    if refused := refuse_import(by, get_importer(source.importer)):
        raise NotAllowed(refused)
    return archive.archive(source, by=by)


def restore_source(source: FileSource, *, by: "User") -> str:
    """Bring a source back.

    Raises:
        NotAllowed: `by` may not import what it brings, or not change it.
        WrongState: it is not archived.
    """
    if refused := refuse_import(by, get_importer(source.importer)):
        raise NotAllowed(refused)
    return archive.restore(source, by=by)
