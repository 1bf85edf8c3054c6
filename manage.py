#!/usr/bin/env python3
"""The one entry point: `python3 manage.py up` runs mops, `python3 manage.py test` tests it."""

import os
import sys

from mops.bootstrap import ensure_environment

if __name__ == "__main__":
    ensure_environment()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mops.settings")
    from mops.command_line import run

    run(sys.argv)
