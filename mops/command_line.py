"""Runs a management command; what is wrong with settings or server is told in a sentence, not in a traceback."""

import gc
import os
import sys
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db.utils import NotSupportedError, OperationalError

from mops.db.embedded.errors import EmbeddedPostgresError
from mops.db.embedded.files import read_or_none

ADDRESS = "address"  # the file in the home folder in which a running `up` says where it is to be opened
ON_THEIR_OWN = ("up", "test")


def run(arguments: list[str]) -> None:
    """Run the command; end with exit code 1 and a sentence where it cannot run here."""
    if not {*ON_THEIR_OWN} & {*arguments[1:2]}:
        _link_to_running_server()
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
    finally:
        gc.freeze()  # Python's last collections would walk every object of a process that ends: a second for nothing


def _link_to_running_server() -> None:
    """Have the links that a command prints or mails begin with the address of the `up` that runs beside it."""
    if os.environ.get("DEBUG", "1") != "1":
        return
    home = Path(os.environ.get("MOPS_HOME") or Path(__file__).resolve().parent.parent / "var").expanduser()
    try:
        address = read_or_none(home / ADDRESS)
    except OSError:  # settings say so better
        return
    if address:
        os.environ.setdefault("MOPS_PUBLIC_URL", address)
