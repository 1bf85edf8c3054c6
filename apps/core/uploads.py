"""Receiving files: a request that is too big, or a full disk, is a sentence on the page, not an error page."""

from typing import Any

from django.conf import settings
from django.core.files.uploadhandler import (
    FileUploadHandler,
    MemoryFileUploadHandler,
    SkipFile,
    TemporaryFileUploadHandler,
)

from apps.core.private_files import disk_is_full, no_room

_NOTE = "mops.upload_refused"
MEGABYTE = 1024 * 1024


def upload_refusal(request: Any) -> str:
    """Return why a file of this request was not received, "" when all were."""
    request.POST  # noqa: B018  # reading it receives the files
    return str(request.META.get(_NOTE, ""))


class _Refusing(FileUploadHandler):
    """Leaves the files of an oversized request unread and says so."""

    request: Any
    too_big = False

    def handle_raw_input(
        self,
        input_data: Any,
        META: Any,  # noqa: N803  # Django's name
        content_length: int,
        boundary: Any,
        encoding: Any = None,
    ) -> Any:
        """Look at the announced size before anything is kept."""
        self.too_big = content_length > settings.UPLOAD_MOST_BYTES
        return super().handle_raw_input(input_data, META, content_length, boundary, encoding)

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Skip the file of a request that is too big."""
        if self.too_big:
            limit = settings.UPLOAD_MOST_BYTES // MEGABYTE
            self.request.META[_NOTE] = f"More than {limit} MB at once cannot be received; send smaller files."
            raise SkipFile
        super().new_file(*args, **kwargs)


class SmallFiles(_Refusing, MemoryFileUploadHandler):
    """Small files stay in memory."""


class LargeFiles(_Refusing, TemporaryFileUploadHandler):
    """Larger files wait on disk, where there is room."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Open the file that waits."""
        try:
            super().new_file(*args, **kwargs)
        except OSError as error:
            self._refuse(error)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Write a piece."""
        try:
            super().receive_data_chunk(raw_data, start)
        except OSError as error:
            self._refuse(error)

    def _refuse(self, error: OSError) -> None:
        if not disk_is_full(error):
            raise error
        self.request.META[_NOTE] = no_room().message
        raise SkipFile from error
