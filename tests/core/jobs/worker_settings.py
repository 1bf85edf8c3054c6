"""The settings of worker processes in the kill tests: the database of the test, and less patience."""

import os

from mops.settings import *  # noqa: F403
from mops.settings import DATABASES, INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.core.jobs.proofapp"]
for _settings in DATABASES.values():
    _settings["NAME"] = os.environ["PROOF_DATABASE"]
JOBS_STUCK_SECONDS = 4.0
JOBS_FIRST_PAUSE_SECONDS = 0.2
