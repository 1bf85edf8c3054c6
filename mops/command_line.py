"""Runs a management command; what is wrong with settings or server is told in a sentence, not in a traceback."""

import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db.utils import NotSupportedError, OperationalError

from mops.db.embedded.errors import EmbeddedPostgresError


def run(arguments: list[str]) -> None:
    """Run the command; end with exit code 1 and a sentence where it cannot run here."""
    try:
        execute_from_command_line(arguments)
    except ImproperlyConfigured as error:
        sys.exit(f"mops: {error}")
    except (OperationalError, NotSupportedError) as error:
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, EmbeddedPostgresError | NotSupportedError):
            cause = cause.__cause__
        if cause is None or "--traceback" in arguments:
            raise
        sys.exit(f"mops: {cause}")
