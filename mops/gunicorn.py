"""How gunicorn serves mops in production: `gunicorn --config python:mops.gunicorn mops.wsgi`.

Threads, because requests mostly wait for the database; every log line is JSON; the access line is written by mops
itself (`apps.core.middleware`), which knows the person and leaves keys out. Numbers come from the environment.
"""

import logging
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from mops.settings.logs import LOGGING

COUNTS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = int(os.environ.get("WEB_THREADS", "8"))
timeout = 60
graceful_timeout = 30
keepalive = 5
max_requests = 10_000  # a leak never grows for ever
max_requests_jitter = 1_000
limit_request_line = 8190
limit_request_fields = 100
control_socket_disable = True
accesslog = None
logconfig_dict: dict[str, Any] = {
    **LOGGING,
    "loggers": {
        **LOGGING["loggers"],
        "gunicorn.error": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
        "gunicorn.access": {"handlers": [], "level": "INFO", "propagate": False},
    },
}
if Path("/dev/shm").is_dir():  # noqa: S108  # the heartbeat of workers must not wait for a disk
    worker_tmp_dir = "/dev/shm"  # noqa: S108


def on_starting(server: Any) -> None:
    """Let all processes count requests together, in files of one folder; workers load mops after this."""
    logging.captureWarnings(True)
    os.environ[COUNTS_FOLDER] = tempfile.mkdtemp(prefix="mops-metrics-")


def child_exit(server: Any, worker: Any) -> None:
    """Take the gauges of a worker that has gone out of the sum."""
    from prometheus_client import multiprocess  # noqa: PLC0415  # reads the folder's name when it is loaded

    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def on_exit(server: Any) -> None:
    """Leave no folder behind."""
    shutil.rmtree(os.environ[COUNTS_FOLDER], ignore_errors=True)
