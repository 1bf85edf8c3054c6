"""How background jobs run: django-q2 keeps the processes, apps/core/jobs keeps the queue and everything else."""

from typing import Any

from mops.settings.current import ENV

REDIS_URL = ENV.redis_url  # wakes workers at once; the queue itself is in PostgreSQL either way

JOBS_STUCK_SECONDS = 15.0  # how long a cluster may leave due work alone before it is killed and started again
JOBS_FIRST_PAUSE_SECONDS = 5  # before the second attempt; each further pause is twice as long

Q_CLUSTER: dict[str, Any] = {
    "name": "mops",
    "label": "Jobs",
    "broker_class": "apps.core.jobs.broker.JobRunBroker",
    "workers": 2,
    "queue_limit": 2,  # taken off the queue ahead of time; what waits here cannot go to an idle worker elsewhere
    "bulk": 1,
    "poll": 0.5,
    "timeout": 600,  # the runner's own limits are tighter: this is for runs that ignore them
    "retry": 900,
    "recycle": 500,
    "scheduler": False,  # its table would run any dotted path somebody writes into it
    "catch_up": False,
    "max_attempts": 1,
    "ack_failures": True,
    "save_limit": -1,  # what a run did stands in its own row
    "cache": "no statistics",  # else every cluster writes into the cache table twice a second
    "ALT_CLUSTERS": {"long": {"workers": 1, "queue_limit": 1, "timeout": 24 * 3600, "retry": 25 * 3600}},
}
